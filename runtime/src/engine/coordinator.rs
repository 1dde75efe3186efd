//! What the coordinator decides, without I/O: who gets which split, when epochs end, when the run is over.
//!
//! It is told events and gives back orders; the caller carries them out. So it can be tested in any order of events. An event
//! that is told twice counts once, and one that speaks of another epoch than the one that is ending counts for nothing.

use super::control::{Left, Stand};
use crate::sink::Prepared;
use std::collections::{BTreeMap, BTreeSet};

/// An order to carry out.
#[derive(Debug, PartialEq, Eq)]
pub enum Order {
    /// Find a split of the source for this worker, and answer it with this watermark (ms).
    Find {
        /// The source.
        source: usize,
        /// Who asked.
        worker: usize,
        /// The watermark to start from.
        watermark: i64,
    },
    /// Tell all workers that every split of the source that is known is handed out, and whether there may be more.
    AllAssigned(usize, Left),
    /// Tell a worker that rests what those who read have come to (ms).
    Reached {
        /// The source.
        source: usize,
        /// The worker.
        worker: usize,
        /// The watermark.
        watermark: i64,
    },
    /// Tell all sources to end this epoch.
    Barrier(u64),
    /// Tell all sources to end this epoch, the last.
    Last(u64),
    /// All of an epoch is there: keep it as a checkpoint. `true` if it is the last one.
    Keep(u64, bool),
    /// The last epoch could not be kept, and there is no next one that could take its place.
    Lost(u64),
    /// Tell all workers to give up what they still save of an epoch.
    GiveUp(u64),
    /// Commit what was prepared in an epoch: per sink, what each worker's writers made.
    Commit(u64, Pending),
    /// All is committed: publish, and say so.
    Finish,
}

/// What the writers of each sink have prepared, by worker.
pub type Pending = Vec<(usize, Vec<(usize, Prepared)>)>;

/// A part of a snapshot: its worker, and its chain there.
pub type PartId = (usize, usize);

/// A writer: its worker, and which of its sink's writers there it is.
pub type WriterId = (usize, usize);

/// What is prepared, by sink and writer.
pub type PreparedBy = BTreeMap<usize, BTreeMap<WriterId, Prepared>>;

/// An epoch that is ending.
#[derive(Clone)]
struct Ending {
    epoch: u64,
    /// Workers that have passed its barrier.
    passed: BTreeSet<usize>,
    /// Parts of its snapshot that are kept, or never will be.
    saved: BTreeSet<PartId>,
    /// A part could not be saved, or it took too long.
    failed: bool,
    /// The caller is keeping it.
    keeping: bool,
}

#[derive(Clone)]
struct SourceState {
    /// The greatest watermark that a finished split has reached.
    reached: i64,
    exhausted: Vec<bool>,
    ordered: bool,
    left: Left,
    /// Where each worker's part stands; told only where there may be more splits later.
    stands: Vec<Option<Stand>>,
    /// What all parts have come to: what is found now begins there.
    floor: i64,
    /// The floor that each worker was told.
    told: Vec<i64>,
    /// Splits of an endless source that each worker has open.
    open: Vec<usize>,
    /// Who has asked for a split.
    asked: Vec<bool>,
    /// Who asks for a second one before the others have asked for their first: they come first.
    early: Vec<usize>,
}

impl SourceState {
    /// The watermark that a split begins with which is handed out now.
    fn begin(&self) -> i64 {
        if self.ordered { self.reached.max(self.floor) } else { self.floor }
    }

    /// What all parts have come to: the least of those that read. If all rest, nobody is waited for, and it is where the
    /// latest has been. Those who rest are told.
    fn follow(&mut self, source: usize) -> Vec<Order> {
        let (mut reads, mut rests) = (None, None);
        for (stand, _) in self.stands.iter().zip(&self.exhausted).filter(|(_, exhausted)| !**exhausted) {
            match *stand {
                // It may stand anywhere.
                None => return Vec::new(),
                Some(Stand::Reads(at)) => reads = Some(reads.unwrap_or(i64::MAX).min(at)),
                Some(Stand::Rests(at)) => rests = rests.max(Some(at)),
            }
        }
        self.floor = self.floor.max(reads.or(rests).unwrap_or(i64::MIN));
        let mut orders = Vec::new();
        for (worker, (stand, told)) in self.stands.iter().zip(&mut self.told).enumerate() {
            if matches!(stand, Some(Stand::Rests(_))) && *told < self.floor && !self.exhausted[worker] {
                *told = self.floor;
                orders.push(Order::Reached { source, worker, watermark: self.floor });
            }
        }
        orders
    }
}

/// The coordinator's state.
#[derive(Clone)]
pub struct Coordinator {
    workers: usize,
    built: BTreeSet<usize>,
    sources: BTreeMap<usize, SourceState>,
    expected_sources: Option<usize>,
    /// Questions about sources whose enumerator has not arrived yet.
    waiting: Vec<(usize, usize)>,
    epoch: u64,
    ending: Option<Ending>,
    /// Parts that a snapshot has, over all workers; `None` if epochs are not kept.
    parts: Option<usize>,
    last: bool,
    finished: bool,
    prepared: BTreeMap<u64, PreparedBy>,
}

impl Coordinator {
    /// For so many workers. The first epoch is `epoch`; `kept` says whether epochs are kept as checkpoints.
    pub fn new(workers: usize, epoch: u64, kept: bool) -> Self {
        Coordinator {
            workers,
            built: BTreeSet::new(),
            sources: BTreeMap::new(),
            expected_sources: None,
            waiting: Vec::new(),
            epoch,
            ending: None,
            parts: kept.then_some(0),
            last: false,
            finished: false,
            prepared: BTreeMap::new(),
        }
    }

    /// A source's enumerator is there. In earlier attempts its finished splits have reached the watermark `reached`, and
    /// `floor` was promised.
    pub fn source(&mut self, source: usize, ordered: bool, reached: i64, floor: i64) -> Vec<Order> {
        let workers = self.workers;
        let state = SourceState {
            reached,
            exhausted: vec![false; workers],
            ordered,
            left: Left::Some,
            stands: vec![None; workers],
            floor,
            told: vec![floor; workers],
            open: vec![0; workers],
            asked: vec![false; workers],
            early: Vec::new(),
        };
        self.sources.insert(source, state);
        let (now, later) = std::mem::take(&mut self.waiting).into_iter().partition(|w| w.0 == source);
        self.waiting = later;
        let now: Vec<(usize, usize)> = now;
        now.into_iter().flat_map(|(source, worker)| self.ask(worker, source, None)).collect()
    }

    /// A split of an endless source was found: who reads it, one that has the fewest open; and the watermark that it begins with.
    pub fn place(&mut self, source: usize) -> Option<(usize, i64)> {
        let state = self.sources.get_mut(&source)?;
        let (worker, open) = state.open.iter_mut().enumerate().min_by_key(|(_, open)| **open)?;
        *open += 1;
        Some((worker, state.begin()))
    }

    /// A split of an endless source has ended at this watermark.
    pub fn closed(&mut self, worker: usize, source: usize, ended: i64) {
        let Some(state) = self.sources.get_mut(&source) else { return };
        state.reached = state.reached.max(ended);
        if let Some(open) = state.open.get_mut(worker) {
            *open = open.saturating_sub(1);
        }
    }

    /// A worker's part of a source stands somewhere else.
    pub fn stands(&mut self, worker: usize, source: usize, stand: Stand) -> Vec<Order> {
        let Some(state) = self.sources.get_mut(&source) else { return Vec::new() };
        if let Some(known) = state.stands.get_mut(worker) {
            *known = Some(stand);
        }
        state.follow(source)
    }

    /// A worker has built its graph; its part of a snapshot has so many parts.
    pub fn built(&mut self, worker: usize, sources: usize, parts: usize) -> Vec<Order> {
        if !self.built.insert(worker) {
            return Vec::new();
        }
        if let Some(all) = &mut self.parts {
            *all += parts;
        }
        self.expected_sources = Some(sources);
        self.check_exhausted()
    }

    /// A worker wants a split of a source; its last one ended with this watermark.
    pub fn ask(&mut self, worker: usize, source: usize, ended: Option<i64>) -> Vec<Order> {
        let Some(state) = self.sources.get_mut(&source) else {
            self.waiting.push((source, worker));
            return Vec::new();
        };
        state.reached = state.reached.max(ended.unwrap_or(i64::MIN));
        let watermark = state.begin();
        let first = state.asked.get_mut(worker).is_some_and(|asked| !std::mem::replace(asked, true));
        let all = state.asked.iter().all(|asked| *asked);
        if !first && !all && ended.is_none() {
            // It has a split that it has not read to its end. Where there are as many splits as workers, each should get one.
            state.early.push(worker);
            return Vec::new();
        }
        let early = if all { std::mem::take(&mut state.early) } else { Vec::new() };
        std::iter::once(worker).chain(early).map(|worker| Order::Find { source, worker, watermark }).collect()
    }

    /// What the enumerator has found is handed out; `left` says whether it has no more at all, or none just now.
    pub fn all_found(&mut self, source: usize, left: Left) -> Vec<Order> {
        match self.sources.get_mut(&source) {
            Some(state) if state.left < left => {
                state.left = left;
                vec![Order::AllAssigned(source, left)]
            }
            _ => Vec::new(),
        }
    }

    /// A source has nothing more on a worker.
    pub fn exhausted(&mut self, worker: usize, source: usize) -> Vec<Order> {
        let mut orders = Vec::new();
        if let Some(state) = self.sources.get_mut(&source) {
            if let Some(exhausted) = state.exhausted.get_mut(worker) {
                *exhausted = true;
            }
            orders = state.follow(source);
        }
        orders.extend(self.check_exhausted());
        orders
    }

    /// Whether all workers have built their graphs.
    pub fn all_built(&self) -> bool {
        self.built.len() == self.workers
    }

    fn all_exhausted(&self) -> bool {
        self.all_built()
            && self.expected_sources == Some(self.sources.len())
            && self.sources.values().all(|s| s.exhausted.iter().all(|e| *e))
    }

    fn check_exhausted(&mut self) -> Vec<Order> {
        if self.last || self.ending.is_some() || !self.all_exhausted() {
            return Vec::new();
        }
        self.last = true;
        vec![Order::Last(self.begin_end())]
    }

    /// It is time for a barrier. Nothing happens while one is under way.
    pub fn tick(&mut self) -> Vec<Order> {
        if !self.all_built() || self.ending.is_some() || self.last {
            return Vec::new();
        }
        vec![Order::Barrier(self.begin_end())]
    }

    fn begin_end(&mut self) -> u64 {
        self.ending = Some(Ending {
            epoch: self.epoch,
            passed: BTreeSet::new(),
            saved: BTreeSet::new(),
            failed: false,
            keeping: false,
        });
        self.epoch
    }

    /// The epoch that is ending, if any.
    pub fn ending(&self) -> Option<u64> {
        self.ending.as_ref().map(|ending| ending.epoch)
    }

    /// A writer has prepared an epoch.
    pub fn prepared(&mut self, writer: WriterId, sink: usize, epoch: u64, prepared: Prepared) {
        if epoch >= self.epoch {
            self.prepared.entry(epoch).or_default().entry(sink).or_default().insert(writer, prepared);
        }
    }

    /// All chains of a worker have passed the barrier of an epoch.
    pub fn passed(&mut self, worker: usize, epoch: u64) -> Vec<Order> {
        self.note(epoch, |ending| ending.passed.insert(worker))
    }

    /// A part of an epoch's snapshot is kept, or will never be.
    pub fn saved(&mut self, part: PartId, epoch: u64, well: bool) -> Vec<Order> {
        let mut orders = Vec::new();
        if !well {
            orders = self.give_up(epoch);
        }
        orders.extend(self.note(epoch, |ending| ending.saved.insert(part)));
        orders
    }

    /// An epoch's snapshot will not be kept: a part has failed, or it takes too long. The epoch ends all the same.
    pub fn give_up(&mut self, epoch: u64) -> Vec<Order> {
        match self.ending.as_mut().filter(|ending| ending.epoch == epoch && !ending.failed) {
            Some(ending) if self.parts.is_some() && !ending.keeping => {
                ending.failed = true;
                vec![Order::GiveUp(epoch)]
            }
            _ => Vec::new(),
        }
    }

    fn note(&mut self, epoch: u64, what: impl FnOnce(&mut Ending) -> bool) -> Vec<Order> {
        let Some(ending) = self.ending.as_mut().filter(|ending| ending.epoch == epoch) else { return Vec::new() };
        if !what(ending) {
            // Said before.
            return Vec::new();
        }
        // Operators have ended with the last epoch, and have nothing left to save.
        let parts = if self.last { 0 } else { self.parts.unwrap_or(0) };
        if ending.passed.len() < self.workers || ending.saved.len() < parts || ending.keeping {
            return Vec::new();
        }
        if self.parts.is_none() || ending.failed {
            let well = !ending.failed;
            return self.ended(epoch, well);
        }
        ending.keeping = true;
        vec![Order::Keep(epoch, self.last)]
    }

    /// The caller has kept an epoch.
    pub fn kept(&mut self, epoch: u64) -> Vec<Order> {
        match self.ending() == Some(epoch) {
            true => self.ended(epoch, true),
            false => Vec::new(),
        }
    }

    /// The watermark that finished splits of a source have reached.
    pub fn reached(&self, source: usize) -> i64 {
        self.sources.get(&source).map_or(i64::MIN, |state| state.reached)
    }

    /// The watermark that all parts of a source have come to.
    pub fn floor(&self, source: usize) -> i64 {
        self.sources.get(&source).map_or(i64::MIN, |state| state.floor)
    }

    /// What is prepared and not committed, by epoch.
    pub fn pending(&self) -> &BTreeMap<u64, PreparedBy> {
        &self.prepared
    }

    /// An epoch has ended. What was prepared in it is committed, unless it could not be kept: then with the next one that is.
    fn ended(&mut self, epoch: u64, well: bool) -> Vec<Order> {
        self.ending = None;
        self.epoch = epoch + 1;
        if !well {
            return if self.last { vec![Order::Lost(epoch)] } else { self.check_exhausted() };
        }
        let mut orders = Vec::new();
        for (epoch, sinks) in std::mem::take(&mut self.prepared) {
            let of_sink = |list: BTreeMap<WriterId, Prepared>| list.into_iter().map(|(w, p)| (w.0, p)).collect();
            let sinks = sinks.into_iter().map(|(sink, list)| (sink, of_sink(list))).collect();
            orders.push(Order::Commit(epoch, sinks));
        }
        if self.last {
            self.finished = true;
            orders.push(Order::Finish);
        } else {
            orders.extend(self.check_exhausted());
        }
        orders
    }

    /// Whether the last epoch has been passed by all.
    pub fn finished(&self) -> bool {
        self.finished
    }
}

#[cfg(test)]
mod tests {
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
}
