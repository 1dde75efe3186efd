//! What the coordinator decides, without I/O: who gets which split, when epochs end, when the run is over.
//!
//! It is told events and gives back orders; the caller carries them out. So it can be tested in any order of events. An event
//! that is told twice counts once, and one that speaks of another epoch than the one that is ending counts for nothing.

mod splits;

use super::control::Left;
use crate::sink::Prepared;
use splits::SourceState;
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
mod tests;
