//! State inside of flows: it is known by the names of their uses, and found again after a failure, at any width, and by a job that
//! uses the flow under another name.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod support;

use pelton::prelude::*;
use pelton::{Backend, Restart};
use std::time::Duration;
use support::{Feed, Row, Step, Trap};

/// Flows of another module.
mod library {
    use super::support::Row;
    use pelton::prelude::*;

    pelton::stream! {
        /// Totals, windows and sessions.
        pub(crate) flow told(rows: Stream<Row>, gap: TimeSpan) -> totals: (u64, u64), hours: (u64, i64, u64), sessions: (u64, i64, u64) {
            let keyed = rows.key_by(|r| r.key);
            let totals = keyed.aggregate(count(), emit at_end, unbounded("few keys"));
            let windows = keyed.window(tumbling 100ms).aggregate(sum(|r| r.value));
            let hours = windows.map(|w| (w.key, w.start.millis(), w.value));
            let sessions = keyed.process {
                in_order;
                state count: Value<u64>, unbounded("few keys");
                timer quiet: event_time;
                on event(_, cx) {
                    count.update(|n| n + 1);
                    cx.set(quiet, cx.time() + gap);
                }
                on timer quiet(at, cx) {
                    let n = count.take().unwrap_or(0);
                    cx.emit((cx.key(), at.millis(), n));
                }
            };
            drop windows.late, sessions.late;
            return totals, hours, sessions;
        }

        /// The same, one flow further in.
        pub(crate) flow outer(rows: Stream<Row>, gap: TimeSpan) -> totals: (u64, u64), hours: (u64, i64, u64), sessions: (u64, i64, u64) {
            let inner = told(rows, gap);
            return totals = inner.totals, hours = inner.hours, sessions = inner.sessions;
        }
    }
}

/// The same job in several versions, which use the flow under other names.
macro_rules! versions {
    ($($version:ident: $name:ident $(was $was:ident)?;)*) => { $(
        #[allow(dead_code)]
        mod $version {
            use super::library;
            use super::support::{Feed, Row, Trap, feed};
            use pelton::prelude::*;

            pelton::stream! {
                pub(crate) job Told<Memory> {
                    param rows: Feed<Row>;
                    param trap: Trap;

                    source all: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 200ms, ordered_splits;
                    let passed = all.inspect(|_| trap.pass());
                    $(#[was($was)])? let $name = library::outer(passed, 60ms);
                    let totals: (u64, u64) = $name.totals;
                    let hours: (u64, i64, u64) = $name.hours;
                    let sessions: (u64, i64, u64) = $name.sessions;
                    sink totals_out(totals) = collect();
                    sink hours_out(hours) = collect();
                    sink sessions_out(sessions) = collect();
                }
            }
        }
    )* };
}
versions! { first: t; renamed: now was t; lost: other; }
use first::Told;

/// Rows of several splits, out of order by less than is waited for; keys come in bursts.
fn script(splits: u64, rows: u64) -> Feed<Row> {
    let split = |s: u64| {
        let row = |i: u64| {
            let n = s * rows + i;
            let at = (n / 4) as i64;
            Step::Row(Row { key: n * 7919 % 13 + n / 500 % 7 * 13, at: at - (n * 31 % 150) as i64, value: n % 1000 })
        };
        let mut steps: Vec<Step<Row>> = (0..rows).map(row).collect();
        (1..rows / 200).rev().for_each(|i| steps.insert((i * 200) as usize, Step::Busy(Duration::from_millis(2))));
        steps
    };
    Feed::new((0..splits).map(split).collect())
}

type Results = (Vec<(u64, u64)>, Vec<(u64, i64, u64)>, Vec<(u64, i64, u64)>);

fn sorted(mut results: Results) -> Results {
    results.0.sort();
    results.1.sort();
    results.2.sort();
    results
}

fn run<B: Backend>(rows: Feed<Row>, trap: Trap, config: Config) -> Results {
    let results = Told { rows, trap }.run_on::<B>(config).unwrap();
    assert_eq!(results.summary.late, 0);
    sorted((results.totals_out, results.hours_out, results.sessions_out))
}

fn config(workers: usize, name: &str) -> Config {
    Config::default()
        .workers(workers)
        .checkpoints(format!("memory://{name}"))
        .checkpoint_every(Duration::from_millis(10))
        .state_memory(0)
        .restart(Restart::Fixed { pause: Duration::ZERO, at_most: 1000 })
}

#[test]
fn flows_that_fail_again_and_again_give_what_undisturbed_ones_give() {
    fails_again_and_again::<Memory>();
    fails_again_and_again::<FileSystem>();
}

fn fails_again_and_again<B: Backend>() {
    let rows = script(6, 4_000);
    let undisturbed = run::<Memory>(rows.clone(), Trap::new(1, 0), Config::default().workers(1));
    assert!(undisturbed.2.len() > 500, "{}", undisturbed.2.len());
    for workers in 1..=3 {
        let plain = run::<B>(rows.clone(), Trap::new(1, 0), Config::default().workers(workers).wire(true));
        assert_eq!(plain, undisturbed, "undisturbed, {workers} workers");
        let trap = Trap::new(2_000, 8);
        let results = run::<B>(rows.clone(), trap.clone(), config(workers, &format!("flows-{}-{workers}", B::NAME)));
        assert_eq!(trap.left(), 0, "it has failed as often as it was to");
        assert_eq!(results, undisturbed, "{workers} workers");
    }
}

/// Runs to a failure; what comes later goes on from its checkpoints.
fn half(rows: &Feed<Row>, workers: usize, name: &str) -> Trap {
    let trap = Trap::new(12_000, 1);
    let job = Told { rows: rows.clone(), trap: trap.clone() };
    let ended = job.run(config(workers, name).restart(Restart::Never)).map(|_| ());
    let Err(pelton::Error::Panic { operator, .. }) = ended else { panic!("{ended:?}") };
    assert_eq!(operator, "passed");
    trap
}

#[test]
fn what_is_stored_inside_of_a_flow_is_found_under_its_new_name() {
    let rows = script(6, 4_000);
    let undisturbed = run::<Memory>(rows.clone(), Trap::new(1, 0), Config::default().workers(1));
    let name = "flows-renamed";
    let trap = half(&rows, 2, name);
    let lost = lost::Told { rows: rows.clone(), trap: trap.clone() }.run(config(3, name)).map(|_| ());
    let lost = lost.unwrap_err().to_string();
    assert!(lost.contains("the checkpoint has state of `t/inner/"), "{lost}");
    let found = renamed::Told { rows, trap }.run(config(3, name)).unwrap();
    let found = sorted((found.totals_out, found.hours_out, found.sessions_out));
    assert_eq!(found.0, undisturbed.0, "totals are of all rows");
    assert!(found.1.len() < undisturbed.1.len(), "windows that were closed before are the first run's to keep");
    assert!(found.1.iter().all(|row| undisturbed.1.binary_search(row).is_ok()));
    assert!(found.2.iter().all(|row| undisturbed.2.binary_search(row).is_ok()));
}
