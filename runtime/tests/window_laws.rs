//! Windows against a plain program that does what the definition says: a row is late for its window if the window (and
//! its allowed lateness) ended at or before the watermark, and the watermark is the latest event time of the rows before
//! it in its split, less `late_by`. Frames, batches and combiners must not be seen in any result.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::too_many_arguments)] // helpers of tests

mod support;

use pelton::prelude::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use support::{Feed, Row, Setup, alone, feed, setups, sorted, within_a_minute};

const LATE_BY: i64 = 20;

/// key, start, rows, sum, firing.
type Result = (u64, i64, u64, u64, u32);

pelton::stream! {
    job Laws<Memory> {
        param rows: Feed<Row>;
        param size: TimeSpan;
        param allow: TimeSpan;

        source all: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 20ms, ordered_splits;
        let by = all.key_by(|r| r.key);

        let combined: Result = by.window(tumbling size).aggregate((count(), sum(|r| r.value))).map(flat);
        let raw = by.window(tumbling size).aggregate((count(), sum(|r| r.value)));
        let raws: Result = raw.map(flat);
        let late: Row = raw.late;
        let again = by.window(tumbling size, allow_late allow, refire).aggregate((count(), sum(|r| r.value)));
        let agains: Result = again.map(flat);
        let late_again: Row = again.late;
        let once = by.window(tumbling size, allow_late allow, no_refire).aggregate((count(), sum(|r| r.value)));
        let onces: Result = once.map(flat);
        let late_once: Row = once.late;
        let combined_again: Result =
            by.window(tumbling size, allow_late allow, refire).aggregate((count(), sum(|r| r.value))).map(flat);
        let combined_once: Result =
            by.window(tumbling size, allow_late allow, no_refire).aggregate((count(), sum(|r| r.value))).map(flat);

        sink a(combined) = collect();
        sink b(raws) = collect();
        sink c(late) = collect();
        sink d(agains) = collect();
        sink e(late_again) = collect();
        sink f(onces) = collect();
        sink g(late_once) = collect();
        sink h(combined_again) = collect();
        sink i(combined_once) = collect();
        drop combined.late, combined_again.late, combined_once.late;
    }
}

fn flat(w: Windowed<u64, (u64, u64)>) -> Result {
    (w.key, w.start.millis(), w.value.0, w.value.1, w.firing)
}

/// What the definition says, for rows read by one worker from splits that are in order.
#[derive(Default, Debug, PartialEq)]
struct Answer {
    once: Vec<Result>,
    late_once: Vec<Row>,
    again: Vec<Result>,
    late_again: Vec<Row>,
}

fn by_definition(rows: &[Row], size: i64, allow: i64) -> Answer {
    let mut answer = Answer::default();
    let mut latest = None;
    // Per window and key: rows and sum that were in time, and those after each row that came within `allow`.
    let mut windows: BTreeMap<(i64, u64), (Option<(u64, u64)>, Vec<(u64, u64)>)> = BTreeMap::new();
    for row in rows {
        let watermark: Option<i64> = latest.map(|latest: i64| latest - LATE_BY);
        let start = row.at.div_euclid(size) * size;
        let reached = |point: i64| watermark.is_some_and(|watermark| point <= watermark);
        if reached(start + size + allow) {
            answer.late_once.push(*row);
            answer.late_again.push(*row);
        } else {
            let (in_time, later) = windows.entry((start, row.key)).or_default();
            let (count, sum) = later.last().copied().or(*in_time).unwrap_or((0, 0));
            let now = (count + 1, sum + row.value);
            match reached(start + size) {
                true => later.push(now),
                false => *in_time = Some(now),
            }
        }
        latest = latest.max(Some(row.at));
    }
    for ((start, key), (in_time, later)) in windows {
        let result = |(count, sum), firing| (key, start, count, sum, firing);
        answer.once.extend(later.last().copied().or(in_time).map(|last| result(last, 0)));
        answer.again.extend(in_time.map(|now| result(now, 0)));
        answer.again.extend(later.iter().enumerate().map(|(i, now)| result(*now, 1 + i as u32)));
    }
    answer.once.sort();
    answer.again.sort();
    answer
}

fn run(splits: &[Vec<Row>], size: i64, allow: i64, setup: Setup) -> LawsResults {
    let job = Laws { rows: Feed::rows(splits), size: TimeSpan::from_millis(size), allow: TimeSpan::from_millis(allow) };
    within_a_minute(move || job.run(setup.config()).unwrap())
}

/// Everything that one worker gives is what the definition says, and in the order of the input where it has one.
fn one_worker_obeys(splits: &[Vec<Row>], size: i64, allow: i64) {
    let rows: Vec<Row> = splits.iter().flatten().copied().collect();
    let strict = by_definition(&rows, size, 0);
    let lenient = by_definition(&rows, size, allow);
    for setup in alone() {
        let got = run(splits, size, allow, setup);
        assert_eq!(got.c, strict.late_once, "late rows, {setup:?}");
        assert_eq!(sorted(got.b), strict.once, "no lateness allowed, {setup:?}");
        assert_eq!(sorted(got.a), strict.once, "no lateness allowed, combined, {setup:?}");
        assert_eq!(got.e, lenient.late_again, "late rows with refire, {setup:?}");
        assert_eq!(sorted(got.d), lenient.again, "refire, {setup:?}");
        assert_eq!(got.g, lenient.late_once, "late rows with no_refire, {setup:?}");
        assert_eq!(sorted(got.f), lenient.once, "no_refire, {setup:?}");
        assert_eq!(sorted(got.h), lenient.again, "refire, combined, {setup:?}");
        assert_eq!(sorted(got.i), lenient.once, "no_refire, combined, {setup:?}");
        let (strictly, leniently) = (strict.late_once.len() as u64, lenient.late_once.len() as u64);
        assert_eq!(got.summary.late, 2 * strictly + 4 * leniently, "counted as late, {setup:?}");
    }
}

/// Rows whose times wander forward with jumps back, cut into splits.
fn disordered() -> impl Strategy<Value = Vec<Vec<Row>>> {
    let row = (0..6u64, -60i64..25, any::<u32>());
    prop::collection::vec(prop::collection::vec(row, 0..120), 1..4).prop_map(|splits| {
        let mut now = -100i64;
        let mut make = |(key, step, value): (u64, i64, u32)| {
            now += step.max(-3) / 2;
            Row { key, at: if step < -30 { now + step } else { now }, value: u64::from(value) }
        };
        splits.into_iter().map(|split| split.into_iter().map(&mut make).collect()).collect()
    })
}

/// Rows none of which is further behind the latest one than `LATE_BY`, also across splits.
fn in_bounds() -> impl Strategy<Value = Vec<Vec<Row>>> {
    let row = (0..40u64, 0..9i64, 0..=LATE_BY, any::<u32>());
    prop::collection::vec(prop::collection::vec(row, 0..150), 1..6).prop_map(|splits| {
        let mut now = -200i64;
        let mut make = |(key, step, back, value)| {
            now += step;
            Row { key, at: now - back, value: u64::from(value) }
        };
        splits.into_iter().map(|split| split.into_iter().map(&mut make).collect()).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn one_worker_gives_what_the_definition_says(
        splits in disordered(), size in 1..80i64, allow in prop_oneof![1..5i64, 1..100i64],
    ) {
        one_worker_obeys(&splits, size, allow);
    }

    #[test]
    fn nothing_late_gives_the_batch_answer_everywhere(splits in in_bounds(), size in 1..80i64) {
        let rows: Vec<Row> = splits.iter().flatten().copied().collect();
        let mut batch: BTreeMap<(u64, i64), (u64, u64)> = BTreeMap::new();
        for row in &rows {
            let (count, sum) = batch.entry((row.key, row.at.div_euclid(size) * size)).or_default();
            (*count, *sum) = (*count + 1, *sum + row.value);
        }
        let batch: Vec<Result> = batch.into_iter().map(|((k, start), (count, sum))| (k, start, count, sum, 0)).collect();
        for setup in setups() {
            let got = run(&splits, size, 7, setup);
            prop_assert_eq!(got.summary.late, 0);
            for results in [got.a, got.b, got.d, got.f, got.h, got.i] {
                prop_assert_eq!(sorted(results), batch.clone(), "{:?}", setup);
            }
            prop_assert!(got.c.is_empty() && got.e.is_empty() && got.g.is_empty());
        }
    }
}

#[test]
fn a_key_that_is_refired_counts_its_own_results() {
    let row = |key, at, value| Row { key, at, value };
    let rows =
        vec![row(1, 0, 1), row(2, 1, 2), row(9, 100, 0), row(1, 2, 4), row(2, 3, 8), row(1, 4, 16), row(3, 5, 32)];
    one_worker_obeys(std::slice::from_ref(&rows), 10, 1000);
    // With more workers it is a matter of time which rows are refired, but each key counts its own all the same.
    for setup in setups() {
        let got = sorted(run(std::slice::from_ref(&rows), 10, 1000, setup).d);
        for (key, total) in [(1, (3, 21)), (2, (2, 10)), (3, (1, 32))] {
            let own: Vec<&Result> = got.iter().filter(|result| result.0 == key).collect();
            let firsts = own[0].4;
            assert!(firsts <= 1, "{own:?}, {setup:?}");
            assert!(own.iter().zip(firsts..).all(|(result, firing)| result.4 == firing), "{own:?}, {setup:?}");
            let last = own[own.len() - 1];
            assert_eq!((last.2, last.3), total, "{setup:?}");
        }
    }
}

#[test]
fn times_at_the_ends_of_time() {
    let times = [i64::MIN, i64::MIN + 1, i64::MIN + 30, -1, 0, 1, i64::MAX - 30, i64::MAX - 1, i64::MAX];
    for order in [times.to_vec(), times.iter().rev().copied().collect()] {
        let rows: Vec<Row> = order.iter().map(|at| Row { key: 1, at: *at, value: 1 }).collect();
        for size in [1, 10, 3_600_000, i64::MAX / 1_000_000] {
            for setup in [1, 2].map(|workers| Setup { workers, frame_rows: Some(1), wire: false }) {
                let got = run(std::slice::from_ref(&rows), size, 7, setup);
                let counted = |results: Vec<Result>| results.iter().map(|r| r.2).sum::<u64>();
                assert_eq!(counted(got.b) + got.c.len() as u64, 9, "no row is lost: size {size}, {setup:?}");
                assert_eq!(counted(got.f) + got.g.len() as u64, 9, "no row is lost: size {size}, {setup:?}");
            }
        }
    }
}
