//! A run that fails and goes on from its last checkpoint gives what an undisturbed one gives: each row once, at any width.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::too_many_arguments)] // helpers of tests

mod support;

use pelton::Restart;
use pelton::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use support::{Feed, Row, Step, Trap, feed};

pelton::stream! {
    job Board<Memory> {
        param rows: Feed<Row>;
        param trap: Trap;

        source all: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, ordered_splits;
        let passed = all.inspect(|_| trap.pass());
        let by = passed.key_by(|r| r.key);
        let totals = by.aggregate((count(), sum(|r| r.value)), emit at_end, unbounded("few keys"));
        let folded = by.fold(0u64, |n, r| *n += r.value, emit at_end, unbounded("few keys"));
        let hours = by.window(tumbling 100ms, allow_late 50ms, refire).aggregate(count());
        let spoken = hours.map(|w| (w.key, w.start.millis(), w.value, w.firing));
        let ended: (u64, (u64, u64)) = totals;
        let sums: (u64, u64) = folded;
        let windows: (u64, i64, u64, u32) = spoken;
        let rest: (u64, i64) = hours.late.map(|r| (r.key, r.at));
        sink a(ended) = collect();
        sink b(sums) = collect();
        sink c(windows) = collect();
        sink d(rest) = collect();
    }
}

/// Rows of several splits, each ordered in time but for a few that come late; slow enough for some checkpoints.
fn script(splits: u64, rows: u64) -> Feed<Row> {
    let split = |s: u64| {
        let row = |i: u64| {
            let n = s * rows + i;
            let late = if n.is_multiple_of(17) {
                160
            } else if n.is_multiple_of(11) {
                70
            } else {
                0
            };
            Step::Row(Row { key: n * 7919 % 97, at: (n / 4) as i64 - late, value: n % 1000 })
        };
        let mut steps: Vec<Step<Row>> = (0..rows).map(row).collect();
        (1..rows / 200).rev().for_each(|i| steps.insert((i * 200) as usize, Step::Busy(Duration::from_millis(2))));
        steps
    };
    Feed::new((0..splits).map(split).collect())
}

fn sorted<T: Ord>(mut rows: Vec<T>) -> Vec<T> {
    rows.sort();
    rows
}

type Results = (Vec<(u64, (u64, u64))>, Vec<(u64, u64)>, Vec<(u64, i64, u64, u32)>, Vec<(u64, i64)>);

fn run(rows: Feed<Row>, trap: Trap, config: Config) -> Results {
    let results = Board { rows, trap }.run(config).unwrap();
    (sorted(results.a), sorted(results.b), sorted(results.c), sorted(results.d))
}

fn config(workers: usize, name: &str) -> Config {
    let restart = Restart::Fixed { pause: Duration::ZERO, at_most: 1000 };
    Config::default()
        .workers(workers)
        .checkpoints(format!("memory://{name}"))
        .checkpoint_every(Duration::from_millis(10))
        .restart(restart)
}

#[test]
fn a_run_that_fails_again_and_again_gives_what_an_undisturbed_one_gives() {
    let rows = script(6, 4_000);
    let undisturbed = run(rows.clone(), Trap::new(1, 0), Config::default().workers(1));
    assert!(undisturbed.2.iter().any(|w| w.3 > 0) && !undisturbed.3.is_empty());
    for workers in 1..=3 {
        let name = format!("fails-{workers}");
        let trap = Trap::new(2_000, 8);
        let results = run(rows.clone(), trap.clone(), config(workers, &name));
        assert_eq!(trap.left(), 0, "it has failed as often as it was to");
        let seen = trap.seen();
        assert!(seen < 5 * 24_000, "it goes on from checkpoints and not from the start: {seen} rows seen");
        assert_eq!(results.0, undisturbed.0);
        assert_eq!(results.1, undisturbed.1);
        if workers == 1 {
            // With one sender, late rows and refirings are a function of the input, too.
            assert_eq!((results.2, results.3), (undisturbed.2.clone(), undisturbed.3.clone()));
        } else {
            // Which rows are late depends on how the workers interleave; but each is in its window, or late, once.
            let last: BTreeMap<_, u64> = results.2.iter().map(|w| ((w.0, w.1), w.2)).collect();
            let firings: BTreeSet<_> = results.2.iter().map(|w| (w.0, w.1, w.3)).collect();
            assert_eq!(firings.len(), results.2.len(), "no firing is told twice");
            assert_eq!(last.values().sum::<u64>() + results.3.len() as u64, 24_000);
        }
    }
}

/// The checkpoint of a run with one number of workers is gone on from by a run with another, in another place of the graph.
#[test]
fn another_run_goes_on_at_another_width() {
    let rows = script(6, 4_000);
    let undisturbed = run(rows.clone(), Trap::new(1, 0), Config::default().workers(1));
    for (first, second) in [(1, 3), (3, 1), (2, 7)] {
        let name = format!("width-{first}-{second}");
        let trap = Trap::new(12_000, 1);
        let ended = Board { rows: rows.clone(), trap: trap.clone() }
            .run(config(first, &name).restart(Restart::Never))
            .map(|_| ());
        assert!(matches!(ended, Err(pelton::Error::Panic { .. })), "{ended:?}");
        let results = run(rows.clone(), trap.clone(), config(second, &name));
        assert!(trap.seen() < 2 * 24_000, "it goes on and does not begin anew");
        assert_eq!((results.0, results.1), (undisturbed.0.clone(), undisturbed.1.clone()));
        // The job has finished: its next run is a new one.
        let again = run(rows.clone(), Trap::new(1, 0), config(second, &name));
        assert_eq!((again.0, again.1), (undisturbed.0.clone(), undisturbed.1.clone()));
    }
}
