//! Barriers cut every stream at the same rows: what stands behind any number of exchanges has seen, when it passes the
//! barrier of an epoch, exactly the rows that the sources had given before theirs.
//!
//! A sink in the source's own chain notes what the source had given at each barrier, others what had arrived.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::too_many_arguments)] // helpers of tests

mod support;

use pelton::prelude::*;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Diary, Feed, Row, Setup, Step, Trouble, feed, probe, setups, within_a_minute};

/// Takes its time with each row if its worker is the slow one.
fn dawdle(slow: Option<usize>) {
    if slow.is_some_and(|worker| std::thread::current().name() == Some(&format!("pelton-{worker}"))) {
        std::thread::sleep(Duration::from_micros(50));
    }
}

pelton::stream! {
    job Cuts<Memory> {
        param rows: Feed<Row>;
        param more: Feed<Row>;
        param slow: Option<usize>;
        param sent: Diary;
        param sent_more: Diary;
        param one: Diary;
        param two: Diary;
        param joined: Diary;
        param sink_of_two: Diary;

        source all: Row = feed(rows);
        source others: Row = feed(more);
        let values = all.map(|r| r.value);
        let other_values = others.map(|r| r.value);
        sink a(values) = probe(sent, Trouble::default());
        sink b(other_values) = probe(sent_more, Trouble::default());

        // one exchange
        let first = all.key_by(|r| r.key).fold(0, |last, r| { dawdle(slow); *last = r.value }, emit each, unbounded("few keys"));
        let arrived = first.map(|(_, v)| v);
        sink c(arrived) = probe(one, Trouble::default());

        // a second one
        let second = first.key_by(|p| p.1 % 7).fold(0, |last, p| { dawdle(slow); *last = p.1 }, emit each, unbounded("few keys")).map(|(_, v)| v);
        sink d(second) = probe(two, Trouble::default());

        // a union of what comes straight, what comes late, and another source; then one more exchange
        let both = union(values, arrived, second, other_values);
        let third = both.key_by(|v| v % 3).fold(0, |last, v| *last = v, emit each, unbounded("few keys")).map(|(_, v)| v);
        sink e(third) = probe(joined, Trouble::default());
        // one sink with writers in several chains
        sink f(values, arrived, other_values) = probe(sink_of_two, Trouble::default());
    }
}

/// Splits with pauses, so that barriers come between rows.
fn script(splits: u64, rows: u64, pause: u64) -> Feed<Row> {
    let split = |s: u64| {
        (0..rows)
            .flat_map(|i| {
                let value = (1 << 32) | ((s * rows + i) * 0x9E37 % 0xFFFF_FFFB);
                let row = Step::Row(Row { key: value % 23, at: 0, value });
                let rest = (i % pause == 0).then_some(Step::Dry(Duration::from_micros(200 + 100 * (s % 5))));
                std::iter::once(row).chain(rest)
            })
            .collect()
    };
    Feed::new((0..splits).map(split).collect())
}

fn plus(seen: &[Vec<(u64, u64)>], at: usize) -> (u64, u64) {
    seen.iter().fold((0, 0), |sum, one| (sum.0 + one[at].0, sum.1.wrapping_add(one[at].1)))
}

fn cuts_are_exact(setup: Setup, slow: Option<usize>, (rows, more): (Feed<Row>, Feed<Row>)) {
    let [sent, sent_more, one, two, joined, sink_of_two] = std::array::from_fn(|_| Diary::default());
    let diaries = [&sent, &sent_more, &one, &two, &joined, &sink_of_two].map(Diary::clone);
    let job = Cuts { rows, more, slow, sent, sent_more, one, two, joined, sink_of_two };
    let summary = within_a_minute(move || job.run(setup.config().epoch(Duration::from_millis(2))).unwrap().summary);
    let workers = setup.workers;
    let [sent, sent_more, one, two, joined, of_two] = diaries;
    for diary in [&sent, &sent_more, &one, &two, &joined, &of_two] {
        diary.ended_well();
    }
    let committed = of_two.committed();
    let (a, b) = (sent.at_barriers(workers), sent_more.at_barriers(workers));
    let (one, two) = (one.at_barriers(workers), two.at_barriers(workers));
    let (joined, of_two) = (joined.at_barriers(workers), of_two.at_barriers(3 * workers));
    assert!(a.len() > 4, "there are barriers between rows: {} epochs, {setup:?}", a.len());
    assert!(a[..a.len() - 1].iter().any(|seen| seen.0 > 0 && seen.0 < a[a.len() - 1].0), "{setup:?}");
    assert_eq!(plus(&[a.clone(), b.clone()], a.len() - 1).0, summary.records_in);
    for epoch in 0..a.len() {
        assert_eq!(one[epoch], a[epoch], "behind one exchange, epoch {epoch}, {setup:?}");
        assert_eq!(two[epoch], a[epoch], "behind two, epoch {epoch}, {setup:?}");
        let expected = plus(&[a.clone(), a.clone(), a.clone(), b.clone()], epoch);
        assert_eq!(joined[epoch], expected, "behind the union, epoch {epoch}, {setup:?}");
        assert_eq!(of_two[epoch], plus(&[a.clone(), a.clone(), b.clone()], epoch), "several writers, epoch {epoch}");
    }
    assert_eq!(committed, of_two[of_two.len() - 1], "everything is committed in the end");
}

#[test]
fn what_has_arrived_at_a_barrier_is_what_was_sent_before_it() {
    for setup in setups() {
        cuts_are_exact(setup, None, (script(4, 200, 8), script(2, 100, 4)));
    }
}

#[test]
fn also_with_a_slow_worker() {
    for (workers, slow) in [(2, 0), (2, 1), (3, 1)] {
        for frame_rows in [Some(4), None] {
            let setup = Setup { workers, frame_rows, wire: false };
            cuts_are_exact(setup, Some(slow), (script(4, 300, 4), script(1, 50, 2)));
        }
    }
}

#[test]
fn also_with_a_slow_source_and_one_that_is_empty() {
    for workers in 1..=3 {
        let setup = Setup { workers, frame_rows: None, wire: false };
        let slow: Vec<Step<Row>> = (0..40u64)
            .flat_map(|i| {
                let row = Step::Row(Row { key: i, at: 0, value: i * i });
                [row, Step::Busy(Duration::from_millis(1)), Step::Dry(Duration::from_micros(500))]
            })
            .collect();
        cuts_are_exact(setup, None, (Feed::new(vec![slow.clone(), slow]), Feed::new(vec![])));
    }
}

thread_local! {
    static MERGED: Cell<u64> = const { Cell::new(0) };
}
/// Rows that each worker had merged at each barrier.
type Merged = Arc<Mutex<BTreeMap<u64, u64>>>;

/// Counts rows, and on each worker what came as partial results.
#[derive(Clone)]
struct Counting;

impl Aggregator<u64> for Counting {
    type Acc = u64;
    type Out = u64;
    fn add(&self, acc: &mut u64, _: &u64) {
        *acc += 1;
    }
    fn merge(&self, acc: &mut u64, other: u64) {
        *acc += other;
        MERGED.set(MERGED.get() + other);
    }
    fn finish(&self, acc: &u64) -> u64 {
        *acc
    }
}

/// A sink that notes, at each barrier, what its worker has merged.
#[derive(Clone)]
struct Notes(Merged);

impl pelton::sink::Sink for Notes {
    type Writer = Notes;
    fn writer(&mut self, _: &pelton::sink::SinkContext) -> Result<Notes, pelton::error::Fault> {
        Ok(self.clone())
    }
    fn committer(
        &mut self,
        _: &pelton::sink::SinkContext,
        _: Option<&[u8]>,
    ) -> Result<Box<dyn pelton::sink::Committer>, pelton::error::Fault> {
        Ok(Box::new(NoCommits))
    }
    fn describe(&self) -> String {
        "notes".to_owned()
    }
}
impl pelton::sink::Writer for Notes {
    fn prepare(&mut self, epoch: u64) -> Result<Option<pelton::sink::Prepared>, pelton::error::Fault> {
        *self.0.lock().unwrap().entry(epoch).or_default() += MERGED.get();
        Ok(None)
    }
}
impl<X> pelton::sink::Accepts<X> for Notes {
    fn write(&mut self, _: X) -> Result<(), pelton::error::Fault> {
        Ok(())
    }
}
struct NoCommits;
impl pelton::sink::Committer for NoCommits {
    fn commit(&mut self, _: u64, _: Vec<(usize, pelton::sink::Prepared)>) -> Result<(), pelton::error::Fault> {
        Ok(())
    }
}

pelton::stream! {
    job Combined<Memory> {
        param rows: Feed<Row>;
        param sent: Diary;
        param merged: Merged;

        source all: Row = feed(rows);
        let values = all.map(|r| r.value);
        sink a(values) = probe(sent, Trouble::default());
        let counts = values.key_by(|v| v % 10).aggregate(Counting, emit at_end, unbounded("few keys"));
        sink b(counts) = Notes(merged);
    }
}

#[test]
fn what_is_combined_in_front_of_an_exchange_is_flushed_before_a_barrier() {
    for workers in 1..=3 {
        let (sent, merged) = (Diary::default(), Merged::default());
        let job = Combined { rows: script(3, 300, 10), sent: sent.clone(), merged: merged.clone() };
        let config = Config::default().workers(workers).epoch(Duration::from_millis(2));
        within_a_minute(move || job.run(config).unwrap());
        let sent = sent.at_barriers(workers);
        let merged: Vec<u64> = merged.lock().unwrap().values().copied().collect();
        assert_eq!(merged, sent.iter().map(|seen| seen.0).collect::<Vec<_>>(), "{workers} workers");
        assert!(sent.len() > 4);
    }
}
