//! Events in any order, and what the coordinator makes of them.

use super::super::control::Stand;
use super::*;
use std::hash::{DefaultHasher, Hash, Hasher};

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
fn a_source_that_rests_follows_those_that_it_meets_in_front_of_each_operator() {
    let reached = |source, watermark| Order::Reached { source, worker: 0, watermark };
    // The first meets the second in front of one operator, and the third in front of another.
    let meets = |groups: &[&[usize]]| groups.iter().map(|group| group.iter().copied().collect()).collect();
    let all = [(0, meets(&[&[1], &[2]])), (1, meets(&[&[0]])), (2, meets(&[&[0]]))];
    let mut c = Coordinator::new(1, 0, false).with_meets(Arc::new(Meets::from_iter(all)));
    (0..3).for_each(|source| drop(c.source(source, false, i64::MIN, i64::MIN)));
    assert_eq!(c.stands(0, 0, Stand::Idle(5)), [reached(0, 5)]);
    assert_eq!(c.stands(0, 1, Stand::Passes(100)), [], "nobody knows where the third one stands");
    assert_eq!(c.stands(0, 2, Stand::Reads(30)), [reached(0, 30)], "it is not to hold back any, nor to hurry any");
    assert_eq!(c.stands(0, 0, Stand::Rests(5)), []);
    assert_eq!(c.stands(0, 2, Stand::Reads(130)), [], "it has not been quiet for long");
    assert_eq!(c.stands(0, 0, Stand::Idle(5)), [reached(0, 100)]);
    // When all rest, nobody is waited for; but each is waited for by itself, too.
    assert_eq!(c.stands(0, 2, Stand::Idle(150)), [reached(2, 150)]);
    assert_eq!(c.stands(0, 1, Stand::Passes(140)), [reached(0, 140)]);
    // One that reads is held to nothing by others.
    assert_eq!(c.stands(0, 0, Stand::Reads(141)), []);
    // Where the others are over, nobody is followed.
    assert_eq!(c.exhausted(0, 1), []);
    assert_eq!(c.stands(0, 0, Stand::Idle(145)), [reached(0, 145)]);
    assert_eq!(c.stands(0, 2, Stand::Reads(170)), []);
    assert_eq!((c.floor(0), c.floor(1)), (145, i64::MIN));
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
    assert_eq!((c.passed(0, 0, 1), c.passed(0, 0, 1)), (vec![], vec![]));
    let sinks = vec![(0, vec![(0, Prepared(vec![0])), (1, Prepared(vec![1]))])];
    assert_eq!(c.passed(1, 0, 1), [Order::Commit(0, sinks), Order::Last(1)]);
    assert_eq!((c.passed(1, 1, 0), c.tick()), (vec![], vec![]));
    assert_eq!(c.passed(0, 1, 0), [Order::Finish]);
    assert!(c.finished());
}

#[test]
fn a_drain_waits_for_savepoints_and_lets_no_barrier_pass_but_the_last() {
    let mut c = Coordinator::new(1, 0, true);
    c.source(0, false, i64::MIN, i64::MIN);
    assert_eq!(c.asked(1, Wish::Drain), []);
    assert_eq!(c.asked(2, Wish::Savepoint), [Order::Refuse(2, No::Ending)]);
    assert_eq!(c.built(0, 1, 0), [Order::Drain]);
    assert_eq!((c.tick(), c.ask(0, 0, None)), (vec![], vec![]));
    assert_eq!(c.asked(3, Wish::StopWithSavepoint), [Order::Refuse(3, No::Stopping)]);
    assert_eq!(c.exhausted(0, 0), [Order::Last(0)]);
    assert_eq!(c.passed(0, 0, 0), [Order::Keep(0, true)]);
    assert_eq!(c.kept(0), [Order::Finish]);

    let mut c = Coordinator::new(1, 0, true);
    c.source(0, false, i64::MIN, i64::MIN);
    c.built(0, 1, 0);
    assert_eq!(c.asked(1, Wish::Savepoint), [Order::Barrier(0)]);
    assert_eq!((c.asked(2, Wish::Savepoint), c.asked(3, Wish::Drain)), (vec![], vec![]));
    assert_eq!(
        (c.passed(0, 0, 0), c.kept(0)),
        (vec![Order::Keep(0, false)], vec![Order::Give(1, 0), Order::Barrier(1)])
    );
    assert_eq!((c.passed(0, 1, 0), c.kept(1)), (vec![Order::Keep(1, false)], vec![Order::Give(2, 1), Order::Drain]));
}

#[test]
fn a_stop_holds_everything_until_its_savepoint_is_written() {
    let mut c = Coordinator::new(1, 0, true);
    c.source(0, false, i64::MIN, i64::MIN);
    c.built(0, 1, 0);
    assert_eq!(c.asked(1, Wish::StopWithSavepoint), [Order::Barrier(0)]);
    assert_eq!(c.asked(1, Wish::StopWithSavepoint), [], "told twice");
    assert_eq!((c.passed(0, 0, 0), c.kept(0)), (vec![Order::Keep(0, false)], vec![Order::Give(1, 0)]));
    assert_eq!((c.tick(), c.asked(2, Wish::Savepoint), c.exhausted(0, 0)), (vec![], vec![], vec![]));
    let mut failed = c.clone();
    assert_eq!(failed.written(1, false), [Order::Barrier(1)], "the run goes on, with what has waited");
    assert_eq!(c.written(2, true), [], "that of another request");
    assert_eq!(c.written(1, true), [Order::Stop]);
    assert_eq!((c.tick(), c.written(1, true), c.exhausted(0, 0)), (vec![], vec![], vec![]));
}

#[test]
fn without_checkpoints_a_run_can_only_be_drained() {
    let mut c = Coordinator::new(1, 0, false);
    c.source(0, false, i64::MIN, i64::MIN);
    c.built(0, 1, 0);
    assert_eq!(c.asked(1, Wish::Savepoint), [Order::Refuse(1, No::NotKept)]);
    assert_eq!(c.asked(2, Wish::StopWithSavepoint), [Order::Refuse(2, No::NotKept)]);
    assert_eq!(c.asked(3, Wish::Drain), [Order::Drain]);
}

#[test]
fn what_is_missing_of_an_epoch_holds_it_up_until_it_comes_and_no_longer() {
    let begin = || {
        let mut c = Coordinator::new(2, 0, true);
        c.source(0, false, i64::MIN, i64::MIN);
        (0..2).for_each(|worker| drop(c.built(worker, 1, 1)));
        assert_eq!(c.tick(), [Order::Barrier(0)]);
        assert_eq!((c.saved((0, 0), 0, true), c.passed(0, 0, 0)), (vec![], vec![]));
        c
    };
    // Of two writers that have prepared something on a worker, one is heard of.
    let mut c = begin();
    assert_eq!((c.saved((1, 0), 0, true), c.passed(1, 0, 2)), (vec![], vec![]));
    assert_eq!(c.prepared((1, 0), 0, 0, Prepared(vec![1])), []);
    assert_eq!((c.prepared((1, 0), 0, 0, Prepared(vec![1])), c.tick()), (vec![], vec![]), "told twice");
    assert_eq!(c.prepared((1, 1), 0, 0, Prepared(vec![2])), [Order::Keep(0, false)]);
    // A part is missing until it takes too long, and comes then: the next checkpoint is kept, with what was prepared in both.
    let mut c = begin();
    assert_eq!((c.prepared((1, 0), 0, 0, Prepared(vec![1])), c.passed(1, 0, 1)), (vec![], vec![]));
    assert_eq!((c.give_up(0), c.tick()), (vec![Order::GiveUp(0)], vec![]));
    assert_eq!((c.saved((1, 0), 0, true), c.tick()), (vec![], vec![Order::Barrier(1)]));
    for worker in 0..2 {
        assert_eq!((c.passed(worker, 0, 0), c.saved((worker, 0), 0, true)), (vec![], vec![]), "of the one before");
        assert_eq!(c.passed(worker, 1, 0), []);
    }
    assert_eq!((c.saved((0, 0), 1, true), c.saved((1, 0), 1, true)), (vec![], vec![Order::Keep(1, false)]));
    assert_eq!(c.kept(1), [Order::Commit(0, vec![(0, vec![(1, Prepared(vec![1]))])])]);
}

/// What may happen in a run of some workers, a source on each and a sink, each with a part of the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Event {
    Tick,
    /// A barrier comes to a worker; `true` for the last one.
    Barrier(usize, u64, bool),
    Exhausted(usize),
    Prepared(usize, u64),
    Saved(usize, u64, bool),
    Passed(usize, u64),
    Kept(u64),
    TimedOut(u64),
    Asked(u64, Wish),
    Written(u64, bool),
}

/// What a request has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Told {
    /// Nothing, since so many barriers had been sent.
    Nothing(usize),
    Given(u64),
    Refused(No),
}

impl Event {
    /// Whether it is a message, which can be lost.
    fn is_message(self) -> bool {
        !matches!(self, Event::Tick | Event::Kept(_) | Event::TimedOut(_))
    }

    /// What happens if this does not.
    fn instead(self) -> Option<Event> {
        match self {
            Event::Saved(worker, epoch, well) => Some(Event::Saved(worker, epoch, !well)),
            Event::Written(request, well) => Some(Event::Written(request, !well)),
            _ => None,
        }
    }
}

/// A run as it may go: the coordinator, what may come next, and what has been seen.
#[derive(Clone)]
struct World {
    workers: usize,
    coordinator: Coordinator,
    /// Events that are on their way, in no order.
    coming: BTreeSet<Event>,
    /// Those that have come once, and may come again.
    came: BTreeSet<Event>,
    /// Those that were lost, and how many may still be.
    lost_messages: BTreeSet<Event>,
    may_be_lost: usize,
    kept: BTreeSet<u64>,
    committed: BTreeMap<u64, usize>,
    barriers: Vec<u64>,
    finished: bool,
    lost: bool,
    requests: BTreeMap<u64, (Wish, Told)>,
    drained: bool,
    /// The request that stops the run has its savepoint, and has not said whether it could write it.
    held: bool,
    stopped: bool,
}

impl World {
    fn new(workers: usize, wishes: &[Wish], may_be_lost: usize) -> World {
        let mut coordinator = Coordinator::new(workers, 0, true);
        coordinator.source(0, false, i64::MIN, i64::MIN);
        (0..workers).for_each(|worker| assert_eq!(coordinator.built(worker, 1, 1), []));
        let mut coming: BTreeSet<Event> = (0..workers).map(Event::Exhausted).collect();
        coming.insert(Event::Tick);
        coming.extend((0..).zip(wishes).map(|(request, wish)| Event::Asked(request, *wish)));
        World {
            workers,
            coordinator,
            coming,
            came: BTreeSet::new(),
            lost_messages: BTreeSet::new(),
            may_be_lost,
            kept: BTreeSet::new(),
            committed: BTreeMap::new(),
            barriers: Vec::new(),
            finished: false,
            lost: false,
            requests: BTreeMap::new(),
            drained: false,
            held: false,
            stopped: false,
        }
    }

    fn carry_out(&mut self, orders: Vec<Order>) {
        assert!(!self.stopped || orders.is_empty(), "{orders:?} behind the end");
        for order in orders {
            match order {
                Order::Barrier(epoch) | Order::Last(epoch) => {
                    assert!(self.barriers.last().is_none_or(|last| *last + 1 == epoch), "one after the other");
                    assert!(!self.held, "what is being written is to stay the last that is kept");
                    assert!(!self.drained || matches!(order, Order::Last(_)), "a drained source is not where it says");
                    self.barriers.push(epoch);
                    let last = matches!(order, Order::Last(_));
                    self.coming.extend((0..self.workers).map(|worker| Event::Barrier(worker, epoch, last)));
                }
                Order::Keep(epoch, last) => {
                    assert!(self.kept.insert(epoch), "an epoch is kept once");
                    for worker in 0..self.workers {
                        let said = [Event::Prepared(worker, epoch), Event::Passed(worker, epoch)];
                        let saved = Event::Saved(worker, epoch, true);
                        let all = said.into_iter().chain((!last).then_some(saved));
                        all.for_each(|event| assert!(self.came.contains(&event), "{epoch} is kept without {event:?}"));
                    }
                    self.coming.insert(Event::Kept(epoch));
                }
                Order::Commit(epoch, sinks) => {
                    let kept = self.kept.last().copied();
                    assert!(kept >= Some(epoch), "{epoch} is committed before it is kept");
                    let writers: usize = sinks.iter().map(|(_, list)| list.len()).sum();
                    assert_eq!(writers, self.workers, "all of epoch {epoch} is committed");
                    *self.committed.entry(epoch).or_default() += 1;
                    assert_eq!(self.committed.last_key_value(), Some((&epoch, &1)), "in order, and once");
                }
                Order::Finish => {
                    assert!(!self.finished && self.kept.contains(self.barriers.last().unwrap()));
                    self.finished = true;
                }
                Order::Drain => {
                    assert!(!self.drained, "once");
                    self.drained = true;
                    let exhausted = (0..self.workers).map(Event::Exhausted);
                    self.coming.extend(exhausted.filter(|event| !self.came.contains(event)));
                }
                Order::Give(request, epoch) => {
                    let (wish, told) = self.requests[&request];
                    let Told::Nothing(since) = told else { panic!("{request} is told twice: {told:?}") };
                    assert!(self.barriers[since..].contains(&epoch), "its barrier was sent behind the request");
                    assert_eq!(self.committed.last_key_value(), Some((&epoch, &1)), "it is committed, and the last");
                    self.requests.insert(request, (wish, Told::Given(epoch)));
                    self.coming.extend([true, false].map(|well| Event::Written(request, well)));
                    self.held = self.held || wish == Wish::StopWithSavepoint;
                }
                Order::Refuse(request, no) => {
                    let (wish, told) = self.requests[&request];
                    assert!(matches!(told, Told::Nothing(_)), "{request} is told twice: {told:?}");
                    self.requests.insert(request, (wish, Told::Refused(no)));
                }
                Order::Stop => {
                    assert!(!self.finished, "nothing is stopped that has ended");
                    // Those before it could not be written.
                    let given = self.requests.values().filter_map(|request| match request {
                        (Wish::StopWithSavepoint, Told::Given(epoch)) => Some(epoch),
                        _ => None,
                    });
                    assert_eq!(self.kept.last(), given.max(), "the savepoint is the last that is kept");
                    self.stopped = true;
                }
                Order::Lost(_) => self.lost = true,
                Order::GiveUp(_) | Order::AllAssigned(..) | Order::Reached { .. } | Order::Find { .. } => {}
            }
        }
    }

    fn happens(&mut self, event: Event) {
        self.without(event.instead());
        self.came.insert(event);
        let c = &mut self.coordinator;
        let orders = match event {
            Event::Tick => c.tick(),
            Event::Exhausted(worker) => c.exhausted(worker, 0),
            Event::Barrier(worker, epoch, last) => {
                // What the worker says of it, which comes in any order.
                self.coming.extend([Event::Prepared(worker, epoch), Event::Passed(worker, epoch)]);
                if !last {
                    self.coming.extend([true, false].map(|well| Event::Saved(worker, epoch, well)));
                }
                Vec::new()
            }
            Event::Prepared(worker, epoch) => c.prepared((worker, 0), 0, epoch, Prepared(vec![worker as u8])),
            Event::Saved(worker, epoch, well) => c.saved((worker, 0), epoch, well),
            Event::Passed(worker, epoch) => c.passed(worker, epoch, 1),
            Event::Kept(epoch) => c.kept(epoch),
            Event::TimedOut(epoch) => c.give_up(epoch),
            Event::Asked(request, wish) => {
                self.requests.entry(request).or_insert((wish, Told::Nothing(self.barriers.len())));
                c.asked(request, wish)
            }
            Event::Written(request, well) => {
                if self.requests[&request].0 == Wish::StopWithSavepoint {
                    self.held = false;
                }
                c.written(request, well)
            }
        };
        self.carry_out(orders);
    }

    fn without(&mut self, event: Option<Event>) {
        self.coming.retain(|other| Some(*other) != event);
    }

    /// A message does not come. All that are lost are delivered again, but when nothing else is on its way.
    fn loses(&mut self, event: Event) {
        self.coming.remove(&event);
        self.without(event.instead());
        self.lost_messages.insert(event);
        self.may_be_lost -= 1;
    }

    /// A fingerprint of all that matters for what may come.
    fn state(&self) -> u64 {
        let c = &self.coordinator;
        let ending = c.ending.as_ref().map(|e| (e.epoch, &e.passed, &e.saved, e.failed, e.keeping, &e.wanted_by));
        let exhausted: Vec<_> = c.sources.values().map(|s| &s.exhausted).collect();
        let writers = |sinks: &PreparedBy| sinks.values().flat_map(BTreeMap::keys).copied().collect();
        let prepared: Vec<(u64, Vec<WriterId>)> = c.pending().iter().map(|(e, sinks)| (*e, writers(sinks))).collect();
        let mut hasher = DefaultHasher::new();
        (ending, exhausted, prepared, &c.wanted, c.stopping).hash(&mut hasher);
        (&self.coming, &self.kept, &self.committed, &self.requests).hash(&mut hasher);
        (self.held, self.drained, self.stopped, self.finished, self.lost).hash(&mut hasher);
        (&self.lost_messages, self.may_be_lost).hash(&mut hasher);
        hasher.finish()
    }

    /// What holds when nothing is on its way any more, or the run is over.
    fn check_end(&self) {
        assert!(self.finished || self.stopped || self.lost, "it stands still behind {:?}", self.came);
        if self.finished {
            assert_eq!(self.committed.keys().copied().collect::<Vec<_>>(), self.barriers);
            assert!(!self.lost && !self.stopped);
        }
        for (request, (wish, told)) in &self.requests {
            let over = self.finished || self.stopped || self.lost;
            let heard = match wish {
                // Whoever waits when the run is stopped is told that it is over.
                Wish::Savepoint => !matches!(told, Told::Nothing(_)) || self.stopped || self.lost,
                Wish::StopWithSavepoint => !matches!(told, Told::Nothing(_)) || self.lost,
                Wish::Drain => over || matches!(told, Told::Refused(_)),
            };
            assert!(heard, "request {request}, {wish:?}, is told {told:?}");
        }
    }
}

/// Goes through every order of events with so many barriers by the clock, and with up to so many messages that are lost at first; gives
/// how many states and ends there were.
fn explore(workers: usize, wishes: &[Wish], ticks: usize, losses: usize) -> (usize, usize, usize) {
    let (mut seen, mut open) = (BTreeSet::new(), vec![World::new(workers, wishes, losses)]);
    let (mut ends, mut stops) = (0, 0);
    while let Some(world) = open.pop() {
        let state = world.state();
        if seen.contains(&state) {
            continue;
        }
        for again in world.came.clone() {
            // Whatever has come may come again, and changes nothing.
            let mut repeated = world.clone();
            // (What a barrier says twice is for the worker to know.)
            if !matches!(again, Event::Tick | Event::TimedOut(_) | Event::Barrier(..)) {
                repeated.happens(again);
                repeated.held = world.held;
                assert_eq!(repeated.state(), state, "{again:?} again");
            }
        }
        seen.insert(state);
        let again = if world.coming.is_empty() { &world.lost_messages } else { &world.coming };
        let mut events: Vec<Event> = again.iter().copied().collect();
        if world.stopped || events.is_empty() {
            world.check_end();
            events.clear();
        } else {
            events.extend(world.coordinator.ending().map(Event::TimedOut));
        }
        for event in events {
            let mut next = world.clone();
            if world.may_be_lost > 0 && event.is_message() && world.coming.contains(&event) {
                let mut without = world.clone();
                without.loses(event);
                open.push(without);
            }
            next.coming.remove(&event);
            next.lost_messages.remove(&event);
            next.happens(event);
            if event == Event::Tick && next.barriers.len() < ticks {
                next.coming.insert(Event::Tick);
            }
            ends += usize::from(next.finished && !world.finished);
            stops += usize::from(next.stopped);
            open.push(next);
        }
    }
    (seen.len(), ends, stops)
}

/// Every order in which three epochs and the last one may go, with each event repeated at any later time, snapshots
/// that fail and ones that take too long: nothing is committed that is not kept, and each epoch once and in order.
#[test]
fn in_every_order_of_events_each_epoch_is_committed_once_and_when_it_is_kept() {
    let (states, ends, _) = explore(2, &[], 3, 0);
    assert!(states > 1_000 && ends > 0, "{states} states, {ends} ends");
}

/// The same where messages are lost: nothing is kept without one of them, however late it is, and when they are delivered again, the run
/// goes on to its end.
#[test]
fn whatever_messages_are_lost_nothing_is_kept_without_them_and_the_run_goes_on_when_they_come() {
    for (workers, ticks, losses) in [(1, 2, 3), (2, 1, 2)] {
        let (states, ends, _) = explore(workers, &[], ticks, losses);
        assert!(states > 1_000 && ends > 0, "{workers} workers: {states} states, {ends} ends");
    }
    for wish in [Wish::Savepoint, Wish::StopWithSavepoint, Wish::Drain] {
        let (states, ends, stops) = explore(1, &[wish], 1, 2);
        assert!(states > 500 && ends > 0, "{wish:?}: {states} states, {ends} ends");
        assert_eq!(stops > 0, wish == Wish::StopWithSavepoint, "{wish:?}: {stops} stops");
    }
}

/// The same with requests in between, of two who know nothing of each other.
#[test]
fn in_every_order_of_events_each_request_is_answered_once_and_keeps_its_word() {
    let wishes = [Wish::Savepoint, Wish::StopWithSavepoint, Wish::Drain];
    for (at, one) in wishes.into_iter().enumerate() {
        for other in &wishes[at..] {
            let (states, ends, stops) = explore(1, &[one, *other], 1, 0);
            assert!(states > 500 && ends > 0, "{one:?} and {other:?}: {states} states, {ends} ends");
            let stopping = [one, *other].contains(&Wish::StopWithSavepoint);
            assert_eq!(stops > 0, stopping, "{one:?} and {other:?}: {stops} stops");
        }
    }
}
