//! Whatever goes wrong on one worker ends the run everywhere, soon, with an error that says what and where; nothing is
//! committed after it, and the same process can run the job again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::too_many_arguments)] // helpers of tests

mod support;

use pelton::error::{Error, Fault, Place};
use pelton::prelude::*;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use support::{Diary, Event, Feed, Row, Step, Trouble, feed, probe, within};

/// Where the job panics, and at which value.
type Trap = (&'static str, u64);

fn trip(trap: Trap, here: &str, value: u64) {
    assert!((here, value) != trap, "trapped in {here}");
}

/// Sums values; panics where it is told to.
#[derive(Clone)]
struct Trapped(Trap);

impl Aggregator<Row> for Trapped {
    type Acc = u64;
    type Out = u64;
    fn add(&self, acc: &mut u64, row: &Row) {
        trip(self.0, "add", row.value);
        *acc = row.value;
    }
    fn merge(&self, acc: &mut u64, other: u64) {
        trip(self.0, "merge", other);
        *acc = other;
    }
    fn finish(&self, acc: &u64) -> u64 {
        trip(self.0, "finish", *acc);
        *acc
    }
}

pelton::stream! {
    job Traps<Memory> {
        param rows: Feed<Row>;
        param trap: Trap;
        param diary: Diary;
        param trouble: Trouble;

        source all: Row = feed(rows),
            event_time |r| { trip(trap, "event_time", r.value); Timestamp::from_millis(r.at) },
            late_by 0s, ordered_splits;
        let kept = all.filter(|r| { trip(trap, "filter", r.value); true });
        let mapped = kept.map(|r| { trip(trap, "map", r.value); r });
        let picked = mapped.filter_map(|r| { trip(trap, "filter_map", r.value); Some(r) });
        let parts = picked.flat_map(|r| {
            trip(trap, "flat_map", r.value);
            (0..2u64).map(move |i| { trip(trap, "iterator", r.value + i * 1000); r }).skip(1)
        });
        let seen = parts.inspect(|r| trip(trap, "inspect", r.value));
        let by = seen.key_by(|r| { trip(trap, "key_by", r.value); r.key });
        let aggregated = by.aggregate(Trapped(trap), emit each, unbounded("few keys"));
        let doubled = aggregated.map(|(_, v)| { trip(trap, "behind", v); v });
        let merged = by.aggregate(Trapped(trap), emit at_end, unbounded("few keys"));
        let reduced = by.reduce(|a, b| { trip(trap, "reduce", a.value.max(b.value)); b }, emit each, unbounded("few keys"));
        let of_reduced = reduced.map(|(_, r)| r.value);
        let folded = by.fold(0, |last, r| { trip(trap, "fold", r.value); *last = r.value }, emit each, unbounded("few keys"));
        let of_folded = folded.map(|(_, v)| v);
        let windows = by.window(tumbling 10ms).aggregate(Trapped(trap));
        let of_windows = windows.map(|w| { trip(trap, "window", w.value); w.value });
        let late = windows.late.map(|r| { trip(trap, "late", r.value); r.value });
        let together = union(doubled, of_reduced, of_folded, of_windows, late);
        let at_last = together.map(|v| { trip(trap, "union", v); v });
        sink out(at_last) = probe(diary, trouble);
        let sums: (u64, u64) = merged;
        sink totals(sums) = collect();
    }
}

const WORKERS: usize = 3;

/// Values 1, 2, 3, .. in one split; times are such that 9 and what follows is late.
fn one_split(rows: u64) -> Vec<Row> {
    (1..=rows).map(|value| Row { key: value % 5, at: if value < 9 { value as i64 * 10 } else { 5 }, value }).collect()
}

/// That split, and for every other worker one that gives nothing for as long as the run lasts.
fn others_wait() -> Feed<Row> {
    let never = Arc::new(AtomicBool::new(false));
    let mut splits = vec![one_split(40).into_iter().map(Step::Row).collect()];
    splits.resize(WORKERS, vec![Step::Until(never)]);
    Feed::new(splits)
}

/// That split, and others that are read all the time.
fn others_work() -> Feed<Row> {
    let more = |s: u64| {
        let row = move |i| Step::Row(Row { key: i, at: i as i64 / 100, value: 1_000_000 * s + i });
        (0..200_000).map(row).collect::<Vec<_>>()
    };
    let mut splits = vec![one_split(40).into_iter().map(Step::Row).collect()];
    splits.extend((1..WORKERS as u64).map(more));
    Feed::new(splits)
}

/// That split alone, with a pause behind which the other workers have ended; so nobody holds the watermark back.
fn others_end() -> Feed<Row> {
    let mut steps: Vec<Step<Row>> = one_split(40).into_iter().map(Step::Row).collect();
    steps.insert(8, Step::Dry(Duration::from_millis(100)));
    Feed::new(vec![steps])
}

/// Runs the job into its trap, and gives back what it said when it had one worker, whose records are counted from
/// the first.
#[track_caller]
fn trapped(trap: Trap, operator: &str) -> Place {
    ends_in(trap, operator, [others_wait(), others_work()])
}

#[track_caller]
fn ends_in<const N: usize>(trap: Trap, operator: &str, with_others: [Feed<Row>; N]) -> Place {
    let mut place = Place::default();
    let alone = Feed::rows(&[one_split(40)]);
    for (rows, workers) in with_others.into_iter().map(|rows| (rows, WORKERS)).chain([(alone, 1)]) {
        let diary = Diary::default();
        let job = Traps { rows, trap, diary: diary.clone(), trouble: Trouble::default() };
        let config = Config::default().workers(workers);
        let (ended, took) = within(Duration::from_secs(20), move || job.run(config).map(|_| ()));
        let Err(Error::Panic { operator: named, location, place: at, message }) = ended else {
            panic!("{trap:?}, {workers} workers: {ended:?}")
        };
        assert_eq!(message, format!("trapped in {}", trap.0));
        assert_eq!(named, operator, "{trap:?}, {workers} workers");
        assert!(location.contains("engine_failure.rs:"), "{trap:?}: {location}");
        // What a window gives comes from many records.
        assert_eq!(at.record.is_some(), trap.0 != "window", "{trap:?}, {workers} workers: {at:?}");
        assert!(took < Duration::from_secs(1), "{trap:?}, {workers} workers: {took:?}");
        assert_eq!(diary.events(), [Event::Abort], "{trap:?}, {workers} workers");
        place = at;
    }
    place
}

#[test]
fn a_panic_in_a_closure_of_the_source_s_chain() {
    for (here, operator) in [
        ("event_time", "all"),
        ("filter", "kept"),
        ("map", "mapped"),
        ("filter_map", "picked"),
        ("flat_map", "parts"),
        ("inspect", "seen"),
        ("key_by", "by"),
    ] {
        assert_eq!(trapped((here, 7), operator).record, Some(7), "{here}");
        assert_eq!(trapped((here, 1), operator).record, Some(1), "{here}");
    }
    assert_eq!(trapped(("iterator", 7), "parts").record, Some(7));
    assert_eq!(trapped(("iterator", 1007), "parts").record, Some(7));
}

#[test]
fn a_panic_in_an_aggregate_or_behind_it() {
    for (here, operator) in [("behind", "doubled"), ("reduce", "reduced"), ("fold", "folded")] {
        assert_eq!(trapped((here, 7), operator).record, Some(7), "{here}");
    }
    assert!(trapped(("union", 7), "at_last").record.is_some());
}

/// Three operators use the aggregator, one of them also in front of its exchange, behind `by`; so it is not known whose
/// panic comes first.
#[test]
fn a_panic_in_an_aggregator() {
    for (here, value) in [("add", 7), ("finish", 6), ("merge", 40)] {
        for (rows, workers) in [(others_wait(), WORKERS), (Feed::rows(&[one_split(40)]), 1)] {
            if here == "merge" && workers > 1 {
                // What is combined is sent at a barrier.
                continue;
            }
            let job = Traps { rows, trap: (here, value), diary: Diary::default(), trouble: Trouble::default() };
            let config = Config::default().workers(workers);
            let (ended, took) = within(Duration::from_secs(20), move || job.run(config).map(|_| ()));
            let Err(Error::Panic { operator, location, message, place }) = ended else { panic!("{here}: {ended:?}") };
            assert_eq!(message, format!("trapped in {here}"));
            assert!(["aggregated", "merged", "windows", "aggregate Trapped(trap)"].contains(&&*operator), "{operator}");
            assert!(location.contains("engine_failure.rs:") && place.record.is_some(), "{location}, {place:?}");
            assert!(took < Duration::from_secs(1), "{took:?}");
        }
    }
}

#[test]
fn a_panic_in_what_follows_a_window() {
    ends_in(("window", 3), "of_windows", [others_end()]);
    assert_eq!(ends_in(("late", 12), "late", [others_end()]).record, Some(12));
}

#[test]
fn an_operator_behind_an_exchange_names_its_record_and_itself() {
    // Before the record at fault, rows have gone through the whole chain: what comes last in it is not to blame.
    for (here, value) in [("add", 1), ("add", 7), ("add", 33), ("finish", 7)] {
        let job = Aggregates { rows: Feed::rows(&[one_split(40)]), trap: (here, value) };
        let (ended, _) = within(Duration::from_secs(20), move || job.run(Config::default().workers(1)).map(|_| ()));
        let Err(Error::Panic { operator, place, .. }) = ended else { panic!("{ended:?}") };
        assert_eq!(operator, "last.aggregate Trapped(trap), emit each", "{here}");
        assert_eq!(place.record, Some(value), "{here}");
    }
}

pelton::stream! {
    job Aggregates<Memory> {
        param rows: Feed<Row>;
        param trap: Trap;

        source all: Row = feed(rows);
        let last = all.key_by(|r| r.key).aggregate(Trapped(trap), emit each, unbounded("few keys")).map(|(k, v)| (k, v)).filter(|p| p.1 > 0);
        let pairs: (u64, u64) = last;
        sink out(pairs) = collect();
    }
}

#[test]
fn a_panic_in_a_reader() {
    for workers in [1, WORKERS] {
        let mut steps: Vec<Step<Row>> = one_split(3).into_iter().map(Step::Row).collect();
        steps.push(Step::Panic("the reader breaks"));
        let mut splits = vec![steps];
        splits.resize(workers, vec![Step::Until(Arc::new(AtomicBool::new(false)))]);
        let job =
            Traps { rows: Feed::new(splits), trap: ("", 0), diary: Diary::default(), trouble: Trouble::default() };
        let config = Config::default().workers(workers);
        let (ended, took) = within(Duration::from_secs(20), move || job.run(config).map(|_| ()));
        let Err(Error::Panic { operator, location, place, message }) = ended else { panic!("{ended:?}") };
        assert_eq!(message, "the reader breaks");
        assert_eq!(operator, "all");
        assert!(location.contains("feed.rs:"), "{location}");
        assert_eq!(place.record, Some(3), "the record that was read last");
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

/// Runs with a sink or source that fails as told; gives the error.
fn failing(rows: Feed<Row>, trouble: Trouble, workers: usize) -> (Error, Diary) {
    let diary = Diary::default();
    let job = Traps { rows, trap: ("", 0), diary: diary.clone(), trouble };
    let config = Config::default().workers(workers).epoch(Duration::from_millis(20));
    let (ended, took) = within(Duration::from_secs(20), move || job.run(config).map(|_| ()));
    assert!(took < Duration::from_secs(1), "{trouble:?}: {took:?}");
    (ended.unwrap_err(), diary)
}

#[test]
fn a_panic_in_a_sink() {
    for workers in [1, WORKERS] {
        let trouble = Trouble { panic_at: Some(3), ..Trouble::default() };
        let (error, diary) = failing(Feed::rows(&[one_split(40)]), trouble, workers);
        let Error::Panic { message, location, .. } = error else { panic!("{error}") };
        assert_eq!(message, "the probe panics");
        assert!(location.contains("probe.rs:"), "{location}");
        diary.ended_badly();
    }
}

#[test]
fn a_sink_that_fails() {
    let none = Trouble::default();
    for (trouble, said) in [
        (Trouble { fail_at: Some(3), ..none }, "the probe is full"),
        (Trouble { fail_writer: true, ..none }, "the probe cannot be opened"),
        (Trouble { fail_flush: true, ..none }, "the probe cannot flush"),
        (Trouble { fail_prepare: Some(0), ..none }, "the probe cannot prepare"),
        (Trouble { fail_commit: Some(0), ..none }, "the probe cannot commit"),
        (Trouble { fail_finish: true, ..none }, "the probe cannot finish"),
    ] {
        for workers in [1, WORKERS] {
            // A source that is dry for a while: the sink is flushed, and asked to prepare an epoch.
            let mut steps: Vec<Step<Row>> = one_split(40).into_iter().map(Step::Row).collect();
            steps.insert(8, Step::Dry(Duration::from_millis(60)));
            let (error, diary) = failing(Feed::new(vec![steps]), trouble, workers);
            let Error::Sink { name, fault } = error else { panic!("{trouble:?}: {error}") };
            assert_eq!((&*name, &*fault.what), ("out", said));
            diary.ended_badly();
            if trouble.fail_commit.is_some() || trouble.fail_prepare.is_some() || trouble.fail_writer {
                assert_eq!(diary.committed(), (0, 0), "{trouble:?}");
            }
        }
    }
}

#[test]
fn a_panic_where_splits_are_found_or_epochs_are_committed() {
    for workers in [1, WORKERS] {
        let trouble = Trouble { panic_commit: Some(0), ..Trouble::default() };
        let (error, diary) = failing(Feed::rows(&[one_split(40)]), trouble, workers);
        let Error::Panic { operator, message, location, .. } = error else { panic!("{error}") };
        assert_eq!((&*operator, &*message), ("out", "the probe panics at a commit"));
        assert!(location.contains("probe.rs:"), "{location}");
        diary.ended_badly();

        let rows = Feed { panic_at_question: Some(2), ..Feed::rows(&[one_split(40), one_split(40)]) };
        let (error, diary) = failing(rows, Trouble::default(), workers);
        let Error::Panic { operator, message, location, .. } = error else { panic!("{error}") };
        assert_eq!((&*operator, &*message), ("all", "the enumerator panics"));
        assert!(location.contains("feed.rs:"), "{location}");
        diary.ended_badly();
    }
}

#[test]
fn a_source_that_fails() {
    for workers in [1, WORKERS] {
        let mut steps: Vec<Step<Row>> = one_split(5).into_iter().map(Step::Row).collect();
        steps.push(Step::Fail("the disk is gone"));
        let (error, diary) = failing(Feed::new(vec![steps.clone()]), Trouble::default(), workers);
        let Error::Source { name, fault: Fault { what, .. } } = error else { panic!("{error}") };
        assert_eq!((&*name, &*what), ("all", "the disk is gone"));
        diary.ended_badly();

        steps[5] = Step::Bad("no row");
        let (error, _) = failing(Feed::new(vec![steps]), Trouble::default(), workers);
        assert!(matches!(&error, Error::Source { fault, .. } if fault.what == "no row"), "{error}");

        let feed = Feed { fail_enumerator: true, ..Feed::rows(&[]) };
        let (error, _) = failing(feed, Trouble::default(), workers);
        assert!(
            matches!(&error, Error::Source { fault, .. } if fault.what == "the script has no enumerator"),
            "{error}"
        );
    }
}

#[test]
fn a_worker_that_is_stuck_in_user_code_is_named() {
    pelton::stream! {
        job Stuck<Memory> {
            param rows: Feed<Row>;
            source all: Row = feed(rows);
            let last = all.key_by(|r| r.key).aggregate(count(), unbounded("few keys"));
            let sleepy: (u64, u64) = last.inspect(|_| match std::thread::current().name() {
                Some("pelton-0") => std::thread::sleep(Duration::from_secs(3)),
                _ => {
                    std::thread::sleep(Duration::from_millis(100));
                    panic!("the other one panics")
                }
            });
            sink out(sleepy) = collect();
        }
    }
    let rows = (0..100).map(|key| Row { key, at: 0, value: 0 }).collect();
    let job = Stuck { rows: Feed::rows(&[rows]) };
    let config = Config::default().workers(2).stop_timeout(Duration::from_millis(100));
    let (ended, took) = within(Duration::from_secs(20), move || job.run(config).map(|_| ()));
    let error = ended.unwrap_err();
    let Error::Stuck { worker, after } = &error else { panic!("{error}") };
    assert!(*worker == 0 && matches!(&**after, Error::Panic { .. }), "{error}");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn the_same_process_can_run_the_job_again() {
    for round in 0..20 {
        let diary = Diary::default();
        let broken =
            Traps { rows: others_wait(), trap: ("fold", 5), diary: diary.clone(), trouble: Trouble::default() };
        let (ended, _) =
            within(Duration::from_secs(20), move || broken.run(Config::default().workers(WORKERS)).map(|_| ()));
        assert!(matches!(ended, Err(Error::Panic { .. })), "{ended:?}");
        let whole = Traps {
            rows: Feed::rows(&[one_split(40)]),
            trap: ("", 0),
            diary: diary.clone(),
            trouble: Trouble::default(),
        };
        let (totals, _) =
            within(Duration::from_secs(20), move || whole.run(Config::default().workers(WORKERS)).unwrap().totals);
        assert_eq!(totals.len(), 5, "round {round}");
        assert!(diary.events().ends_with(&[Event::Finish]) && diary.commits() > 0);
    }
}

pelton::stream! {
    job LongWindow<Memory> {
        param keys: u64;
        source all: u64 = iter(move || 0..keys), event_time |_| Timestamp::from_millis(0), late_by 0s;
        let windows = all.key_by(|k| *k).window(tumbling 1s).aggregate(count());
        let fired: u64 = windows
            .inspect(|_| match std::thread::current().name() {
                Some("pelton-0") => std::thread::sleep(Duration::from_millis(1)),
                _ => {
                    std::thread::sleep(Duration::from_millis(50));
                    panic!("while the other one fires")
                }
            })
            .map(|w| w.value);
        sink out(fired) = collect();
        drop windows.late;
    }
}

#[test]
fn a_window_that_fires_for_long_does_not_keep_a_run_from_ending() {
    // One worker gives a result per millisecond, tens of thousands of them, when the other one panics.
    let job = LongWindow { keys: 50_000 };
    let begun = std::time::Instant::now();
    let config = Config::default().workers(2);
    let (ended, _) = within(Duration::from_secs(20), move || job.run(config).map(|_| ()));
    let Err(Error::Panic { message, .. }) = &ended else { panic!("{ended:?}") };
    assert_eq!(message, "while the other one fires");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

pelton::stream! {
    job OverRows<Memory> {
        param data: Arc<[u64]>;
        param trap: Trap;
        source all: u64 = rows(data);
        let kept = all.map(|x| { trip(trap, "front", x); x }).filter(|x| { trip(trap, "filter", *x); x % 3 != 0 });
        let parts = kept.map(|x| { trip(trap, "rest", x); x });
        let sums: (u64, u64) = parts.key_by(|x| { trip(trap, "key_by", *x); x % 5 }).aggregate(count(), emit at_end, unbounded("few keys"));
        sink out(sums) = collect();
    }
}

#[test]
fn a_panic_over_rows_that_lie_side_by_side_names_its_record() {
    for here in ["front", "filter", "rest", "key_by"] {
        for value in [1u64, 2, 700, 1025, 20_000] {
            let job = OverRows { data: (1..=30_000).collect(), trap: (here, value) };
            let (ended, _) = within(Duration::from_secs(20), move || job.run(Config::default().workers(1)).map(|_| ()));
            let Err(Error::Panic { place, message, .. }) = ended else { panic!("{here} {value}: {ended:?}") };
            assert_eq!(message, format!("trapped in {here}"));
            assert_eq!(place.record, Some(value), "{here}");
        }
    }
}
