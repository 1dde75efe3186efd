//! What the coordinator decides, without I/O: who gets which split, when epochs end, when the run is over, and what
//! becomes of the requests of whoever stands outside.
//!
//! It is told events and gives back orders; the caller carries them out. So it can be tested in any order of events. An event
//! that is told twice counts once, and one that speaks of another epoch than the one that is ending counts for nothing. One that
//! is missing holds up the epoch that it speaks of, which is not kept without it, and ends when it comes after all.

mod splits;

use super::control::Left;
use super::meets::Meets;
use crate::sink::Prepared;
use splits::SourceState;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    /// Tell all sources to read no more, as if their inputs had ended.
    Drain,
    /// What a request waits for is kept, and committed: hand this epoch over to it.
    Give(u64, u64),
    /// A request is not granted.
    Refuse(u64, No),
    /// All that is kept is committed: end the run here, before its inputs have ended.
    Stop,
}

/// What a request wants of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wish {
    /// A checkpoint, begun from now on, to be written elsewhere.
    Savepoint,
    /// The same, and that the run ends there, its inputs unread.
    StopWithSavepoint,
    /// That sources read no more, and the run ends as if its inputs had ended.
    Drain,
}

/// Why a request is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum No {
    /// The run keeps no checkpoints.
    NotKept,
    /// The run is ending already: its inputs have ended, or it drains.
    Ending,
    /// Another request stops it already.
    Stopping,
    /// The checkpoint could not be kept.
    Lost,
}

/// How far a request that the run may stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stopping {
    /// The savepoint of this request is waited for.
    Savepoint(u64),
    /// It is kept and committed, and being written. Nothing is begun meanwhile: what is kept is to stay the last.
    Writing(u64),
    /// Sources are to be told when no other request waits any more.
    Drain,
    /// They have been told. No barrier is sent from now on but the last: what sources would say at it is not how far they have read.
    Draining,
    /// The run is over.
    Stopped,
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
    /// Workers that have passed its barrier, and how many of their writers have prepared something.
    passed: BTreeMap<usize, usize>,
    /// Parts of its snapshot that are kept, or never will be.
    saved: BTreeSet<PartId>,
    /// A part could not be saved, or it took too long.
    failed: bool,
    /// The caller is keeping it.
    keeping: bool,
    /// Requests that wait for it.
    wanted_by: Vec<u64>,
}

/// The coordinator's state.
#[derive(Clone)]
pub struct Coordinator {
    workers: usize,
    built: BTreeSet<usize>,
    sources: BTreeMap<usize, SourceState>,
    /// Which of them come together.
    meets: Arc<Meets>,
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
    /// Requests that have come.
    asked: BTreeSet<u64>,
    /// Those that wait for the next barrier.
    wanted: Vec<u64>,
    stopping: Option<Stopping>,
}

impl Coordinator {
    /// For so many workers. The first epoch is `epoch`; `kept` says whether epochs are kept as checkpoints.
    pub fn new(workers: usize, epoch: u64, kept: bool) -> Self {
        Coordinator {
            workers,
            built: BTreeSet::new(),
            sources: BTreeMap::new(),
            meets: Arc::default(),
            expected_sources: None,
            waiting: Vec::new(),
            epoch,
            ending: None,
            parts: kept.then_some(0),
            last: false,
            finished: false,
            prepared: BTreeMap::new(),
            asked: BTreeSet::new(),
            wanted: Vec::new(),
            stopping: None,
        }
    }

    /// With sources that come together.
    pub fn with_meets(mut self, meets: Arc<Meets>) -> Self {
        self.meets = meets;
        self
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
        self.go_on()
    }

    /// A source has nothing more on a worker.
    pub fn exhausted(&mut self, worker: usize, source: usize) -> Vec<Order> {
        let mut orders = Vec::new();
        if let Some(state) = self.sources.get_mut(&source) {
            if let Some(exhausted) = state.exhausted.get_mut(worker) {
                *exhausted = true;
            }
            orders = state.follow(source, None);
        }
        orders.extend(self.follow_others());
        orders.extend(self.go_on());
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

    /// Whether a barrier may be sent, the last one too.
    fn is_free(&self) -> bool {
        let held = matches!(self.stopping, Some(Stopping::Writing(_) | Stopping::Stopped));
        self.all_built() && self.ending.is_none() && !self.last && !held
    }

    /// Begins what waits for the end of the epoch before: requests first, in the order in which they lose nothing.
    fn go_on(&mut self) -> Vec<Order> {
        if !self.is_free() {
            return Vec::new();
        }
        if !self.wanted.is_empty() {
            return vec![Order::Barrier(self.begin_end())];
        }
        let mut orders = Vec::new();
        if self.stopping == Some(Stopping::Drain) {
            self.stopping = Some(Stopping::Draining);
            orders.push(Order::Drain);
        }
        if self.all_exhausted() {
            self.last = true;
            orders.push(Order::Last(self.begin_end()));
        }
        orders
    }

    /// It is time for a barrier. Nothing happens while one is under way.
    pub fn tick(&mut self) -> Vec<Order> {
        if !self.is_free() || self.stopping == Some(Stopping::Draining) {
            return Vec::new();
        }
        vec![Order::Barrier(self.begin_end())]
    }

    /// Somebody outside wants something. Each request has a number of its own.
    pub fn asked(&mut self, request: u64, wish: Wish) -> Vec<Order> {
        if !self.asked.insert(request) {
            return Vec::new();
        }
        let drains = matches!(self.stopping, Some(Stopping::Drain | Stopping::Draining | Stopping::Stopped));
        let no = match wish {
            Wish::Savepoint | Wish::StopWithSavepoint if self.parts.is_none() => Some(No::NotKept),
            Wish::StopWithSavepoint | Wish::Drain if self.stopping.is_some() => Some(No::Stopping),
            Wish::Savepoint | Wish::StopWithSavepoint if self.last || drains => Some(No::Ending),
            _ => None,
        };
        if let Some(no) = no {
            return vec![Order::Refuse(request, no)];
        }
        match wish {
            Wish::Savepoint => self.wanted.push(request),
            Wish::StopWithSavepoint => {
                self.wanted.push(request);
                self.stopping = Some(Stopping::Savepoint(request));
            }
            Wish::Drain => self.stopping = Some(Stopping::Drain),
        }
        self.go_on()
    }

    /// The savepoint that was given to a request is written, or could not be.
    pub fn written(&mut self, request: u64, well: bool) -> Vec<Order> {
        if self.stopping != Some(Stopping::Writing(request)) {
            return Vec::new();
        }
        if well {
            self.stopping = Some(Stopping::Stopped);
            return vec![Order::Stop];
        }
        self.stopping = None;
        self.go_on()
    }

    fn begin_end(&mut self) -> u64 {
        self.ending = Some(Ending {
            epoch: self.epoch,
            passed: BTreeMap::new(),
            saved: BTreeSet::new(),
            failed: false,
            keeping: false,
            wanted_by: std::mem::take(&mut self.wanted),
        });
        self.epoch
    }

    /// The epoch that is ending, if any.
    pub fn ending(&self) -> Option<u64> {
        self.ending.as_ref().map(|ending| ending.epoch)
    }

    /// A writer has prepared an epoch.
    pub fn prepared(&mut self, writer: WriterId, sink: usize, epoch: u64, prepared: Prepared) -> Vec<Order> {
        if epoch < self.epoch {
            return Vec::new();
        }
        let before = self.prepared.entry(epoch).or_default().entry(sink).or_default().insert(writer, prepared);
        self.note(epoch, |_| before.is_none())
    }

    /// All chains of a worker have passed the barrier of an epoch, in which so many of its writers have prepared something.
    pub fn passed(&mut self, worker: usize, epoch: u64, prepared: usize) -> Vec<Order> {
        self.note(epoch, |ending| ending.passed.insert(worker, prepared).is_none())
    }

    /// Whether all that writers have prepared in the epoch that is ending is here.
    fn all_prepared(&self, ending: &Ending) -> bool {
        let sinks = self.prepared.get(&ending.epoch);
        let writers = || sinks.into_iter().flat_map(BTreeMap::values).flat_map(BTreeMap::keys);
        let of = |worker: usize| writers().filter(|writer| writer.0 == worker).count();
        ending.passed.iter().all(|(worker, prepared)| of(*worker) >= *prepared)
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
        let all = ending.passed.len() == self.workers && ending.saved.len() >= parts;
        let (keeping, failed) = (ending.keeping, ending.failed);
        if keeping || !all || !self.ending.as_ref().is_some_and(|ending| self.all_prepared(ending)) {
            return Vec::new();
        }
        if self.parts.is_none() || failed {
            return self.ended(epoch, !failed);
        }
        self.ending.iter_mut().for_each(|ending| ending.keeping = true);
        vec![Order::Keep(epoch, self.last)]
    }

    /// The caller has kept an epoch.
    pub fn kept(&mut self, epoch: u64) -> Vec<Order> {
        match self.ending() == Some(epoch) {
            true => self.ended(epoch, true),
            false => Vec::new(),
        }
    }

    /// What is prepared and not committed, by epoch.
    pub fn pending(&self) -> &BTreeMap<u64, PreparedBy> {
        &self.prepared
    }

    /// An epoch has ended. What was prepared in it is committed, unless it could not be kept: then with the next one that is.
    fn ended(&mut self, epoch: u64, well: bool) -> Vec<Order> {
        let wanted_by = self.ending.take().map_or_else(Vec::new, |ending| ending.wanted_by);
        self.epoch = epoch + 1;
        let mut orders = Vec::new();
        if !well {
            if self.last {
                return vec![Order::Lost(epoch)];
            }
            for request in wanted_by {
                if self.stopping == Some(Stopping::Savepoint(request)) {
                    self.stopping = None;
                }
                orders.push(Order::Refuse(request, No::Lost));
            }
            orders.extend(self.go_on());
            return orders;
        }
        for (epoch, sinks) in std::mem::take(&mut self.prepared) {
            let of_sink = |list: BTreeMap<WriterId, Prepared>| list.into_iter().map(|(w, p)| (w.0, p)).collect();
            let sinks = sinks.into_iter().map(|(sink, list)| (sink, of_sink(list))).collect();
            orders.push(Order::Commit(epoch, sinks));
        }
        for request in wanted_by {
            if self.stopping == Some(Stopping::Savepoint(request)) {
                self.stopping = Some(Stopping::Writing(request));
            }
            orders.push(Order::Give(request, epoch));
        }
        if self.last {
            self.finished = true;
            orders.push(Order::Finish);
        } else {
            orders.extend(self.go_on());
        }
        orders
    }

    /// Whether the last epoch has been passed by all.
    pub fn finished(&self) -> bool {
        self.finished
    }
}

#[cfg(test)]
mod tests;
