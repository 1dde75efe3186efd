//! Events in any order, and what the coordinator makes of them.

use super::super::control::Stand;
use super::*;

#[test]
fn every_worker_gets_its_first_split_before_any_gets_a_second() {
    let find = |worker| Order::Find { source: 0, worker, watermark: i64::MIN };
    let mut c = Coordinator::new(3, 0, false);
    assert_eq!((c.ask(1, 0, None), c.ask(1, 0, None)), (vec![], vec![]));
    assert_eq!(c.source(0, false, i64::MIN, i64::MIN), [find(1)]);
    assert_eq!(c.ask(0, 0, None), [find(0)]);
    assert_eq!(c.ask(0, 0, None), []);
    assert_eq!(c.ask(2, 0, None), [find(2), find(1), find(0)]);
    assert_eq!(c.ask(0, 0, None), [find(0)]);
}

#[test]
fn splits_that_do_not_end_go_to_whoever_has_the_fewest() {
    let mut c = Coordinator::new(3, 0, false);
    assert_eq!(c.place(0), None);
    c.source(0, false, 3, 5);
    let mut placed: Vec<_> = (0..7).map(|_| c.place(0).expect("a worker").0).collect();
    assert_eq!(placed, [0, 1, 2, 0, 1, 2, 0]);
    (0..2).for_each(|_| c.closed(1, 0, 9));
    c.closed(2, 0, 7);
    placed = (0..4).map(|_| c.place(0).expect("a worker").0).collect();
    assert_eq!(placed, [1, 1, 2, 1], "those that have ended count no more");
    assert_eq!((c.reached(0), c.place(0)), (9, Some((2, 5))));
}

#[test]
fn who_rests_follows_the_least_of_those_who_read() {
    let reached = |worker, watermark| Order::Reached { source: 0, worker, watermark };
    let mut c = Coordinator::new(3, 0, false);
    c.source(0, false, i64::MIN, i64::MIN);
    assert_eq!(c.stands(0, 0, Stand::Reads(10)), []);
    assert_eq!(c.stands(1, 0, Stand::Rests(i64::MIN)), []);
    assert_eq!(c.floor(0), i64::MIN, "nobody knows where the third one stands");
    assert_eq!(c.stands(2, 0, Stand::Reads(7)), [reached(1, 7)]);
    assert_eq!(c.stands(2, 0, Stand::Reads(7)), []);
    assert_eq!(c.stands(2, 0, Stand::Reads(12)), [reached(1, 10)]);
    // Nobody is waited for: the latest that anybody has been at.
    assert_eq!(c.stands(0, 0, Stand::Rests(15)), [reached(0, 12), reached(1, 12)]);
    assert_eq!(c.stands(2, 0, Stand::Rests(13)), [reached(0, 15), reached(1, 15), reached(2, 15)]);
    assert_eq!(c.place(0), Some((0, 15)), "what is new begins there");
    // It does not go back.
    assert_eq!(c.stands(1, 0, Stand::Reads(11)), []);
    assert_eq!(c.floor(0), 15);
    // Who has ended is waited for no more.
    assert_eq!(c.stands(1, 0, Stand::Reads(16)), [reached(0, 16), reached(2, 16)]);
    assert_eq!(c.stands(0, 0, Stand::Reads(20)), []);
    assert_eq!(c.exhausted(1, 0), [reached(2, 20)]);
}

#[test]
fn a_run_ends_with_one_last_epoch_after_every_source_is_exhausted_everywhere() {
    let mut c = Coordinator::new(2, 0, false);
    assert_eq!(c.ask(0, 0, None), []);
    assert_eq!(c.source(0, true, i64::MIN, i64::MIN), [Order::Find { source: 0, worker: 0, watermark: i64::MIN }]);
    assert_eq!((c.built(0, 1, 0), c.tick(), c.built(1, 1, 0)), (vec![], vec![], vec![]));
    assert_eq!(c.ask(1, 0, Some(7)), [Order::Find { source: 0, worker: 1, watermark: 7 }]);
    assert_eq!(c.tick(), [Order::Barrier(0)]);
    assert_eq!(c.tick(), []);
    assert_eq!(c.all_found(0, Left::Later), [Order::AllAssigned(0, Left::Later)]);
    assert_eq!(c.all_found(0, Left::None), [Order::AllAssigned(0, Left::None)]);
    assert_eq!((c.all_found(0, Left::Later), c.all_found(0, Left::None)), (vec![], vec![]));
    assert_eq!((c.exhausted(0, 0), c.exhausted(1, 0)), (vec![], vec![]));
    c.prepared((1, 0), 0, 0, Prepared(vec![1]));
    c.prepared((0, 0), 0, 0, Prepared(vec![0]));
    assert_eq!((c.passed(0, 0), c.passed(0, 0)), (vec![], vec![]));
    let sinks = vec![(0, vec![(0, Prepared(vec![0])), (1, Prepared(vec![1]))])];
    assert_eq!(c.passed(1, 0), [Order::Commit(0, sinks), Order::Last(1)]);
    assert_eq!((c.passed(1, 1), c.tick()), (vec![], vec![]));
    assert_eq!(c.passed(0, 1), [Order::Finish]);
    assert!(c.finished());
}

/// What may happen in a run of two workers, a source on each and a sink, each with a part of the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Tick,
    Exhausted(usize),
    Prepared(usize, u64),
    Saved(usize, u64, bool),
    Passed(usize, u64),
    Kept(u64),
    TimedOut(u64),
}

/// A run as it may go: the coordinator, what may come next, and what has been seen.
#[derive(Clone)]
struct World {
    coordinator: Coordinator,
    /// Events that are on their way, in no order.
    coming: BTreeSet<Event>,
    /// Those that have come once, and may come again.
    came: BTreeSet<Event>,
    kept: BTreeSet<u64>,
    committed: BTreeMap<u64, usize>,
    barriers: Vec<u64>,
    finished: bool,
    lost: bool,
}

impl World {
    fn carry_out(&mut self, orders: Vec<Order>) {
        for order in orders {
            match order {
                Order::Barrier(epoch) | Order::Last(epoch) => {
                    assert!(self.barriers.last().is_none_or(|last| *last + 1 == epoch), "one after the other");
                    self.barriers.push(epoch);
                    for worker in 0..2 {
                        self.coming.extend([Event::Prepared(worker, epoch)]);
                    }
                }
                Order::Keep(epoch, _) => {
                    assert!(self.kept.insert(epoch), "an epoch is kept once");
                    self.coming.insert(Event::Kept(epoch));
                }
                Order::Commit(epoch, sinks) => {
                    let kept = self.kept.last().copied();
                    assert!(kept >= Some(epoch), "{epoch} is committed before it is kept");
                    let writers: usize = sinks.iter().map(|(_, list)| list.len()).sum();
                    assert_eq!(writers, 2, "all of epoch {epoch} is committed");
                    *self.committed.entry(epoch).or_default() += 1;
                    assert_eq!(self.committed.last_key_value(), Some((&epoch, &1)), "in order, and once");
                }
                Order::Finish => {
                    assert!(!self.finished && self.kept.contains(self.barriers.last().unwrap()));
                    self.finished = true;
                }
                Order::Lost(_) => self.lost = true,
                Order::GiveUp(_) | Order::AllAssigned(..) | Order::Reached { .. } | Order::Find { .. } => {}
            }
        }
    }

    fn happens(&mut self, event: Event) {
        let c = &mut self.coordinator;
        let orders = match event {
            Event::Tick => c.tick(),
            Event::Exhausted(worker) => c.exhausted(worker, 0),
            Event::Prepared(worker, epoch) => {
                c.prepared((worker, 0), 0, epoch, Prepared(vec![worker as u8]));
                // What comes of one worker behind it: its part, well or not, and that it has passed.
                let last = c.last;
                if !self.came.contains(&event) {
                    self.coming.insert(Event::Passed(worker, epoch));
                    if !last {
                        self.coming.extend([true, false].map(|well| Event::Saved(worker, epoch, well)));
                    }
                }
                Vec::new()
            }
            Event::Saved(worker, epoch, well) => {
                self.coming.remove(&Event::Saved(worker, epoch, !well));
                c.saved((worker, 0), epoch, well)
            }
            Event::Passed(worker, epoch) => c.passed(worker, epoch),
            Event::Kept(epoch) => c.kept(epoch),
            Event::TimedOut(epoch) => c.give_up(epoch),
        };
        self.carry_out(orders);
        self.came.insert(event);
    }

    /// A fingerprint of all that matters for what may come.
    fn state(&self) -> String {
        let c = &self.coordinator;
        let ending = c.ending.as_ref().map(|e| (e.epoch, &e.passed, &e.saved, e.failed, e.keeping));
        let exhausted: Vec<_> = c.sources.values().map(|s| s.exhausted.clone()).collect();
        format!("{ending:?} {exhausted:?} {:?} {:?} {:?} {:?}", c.pending(), self.coming, self.kept, self.committed)
    }
}

/// Every order in which three epochs and the last one may go, with each event repeated at any later time, snapshots
/// that fail and ones that take too long: nothing is committed that is not kept, and each epoch once and in order.
#[test]
fn in_every_order_of_events_each_epoch_is_committed_once_and_when_it_is_kept() {
    let mut coordinator = Coordinator::new(2, 0, true);
    coordinator.source(0, false, i64::MIN, i64::MIN);
    (0..2).for_each(|worker| assert_eq!(coordinator.built(worker, 1, 1), []));
    let coming = BTreeSet::from([Event::Tick, Event::Exhausted(0), Event::Exhausted(1)]);
    let start = World {
        coordinator,
        coming,
        came: BTreeSet::new(),
        kept: BTreeSet::new(),
        committed: BTreeMap::new(),
        barriers: Vec::new(),
        finished: false,
        lost: false,
    };
    let (mut seen, mut open, mut ends) = (BTreeSet::new(), vec![start], 0);
    while let Some(world) = open.pop() {
        if !seen.insert(world.state()) {
            continue;
        }
        for again in world.came.clone() {
            // Whatever has come may come again, and changes nothing.
            let mut repeated = world.clone();
            if !matches!(again, Event::Tick | Event::TimedOut(_)) {
                repeated.happens(again);
                assert_eq!(repeated.state(), world.state(), "{again:?} again");
            }
        }
        let timeout = world.coordinator.ending().map(Event::TimedOut);
        for event in world.coming.iter().copied().chain(timeout) {
            let mut next = world.clone();
            next.coming.remove(&event);
            next.happens(event);
            if event == Event::Tick && next.barriers.len() < 3 {
                next.coming.insert(Event::Tick);
            }
            if next.finished {
                ends += 1;
                assert_eq!(next.committed.keys().copied().collect::<Vec<_>>(), next.barriers);
                assert!(!next.lost);
            }
            open.push(next);
        }
    }
    assert!(seen.len() > 1_000 && ends > 0, "{} states, {ends} ends", seen.len());
}
