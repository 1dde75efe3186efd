//! What the coordinator decides, without I/O: who gets which split, when epochs end, when the run is over.
//!
//! It is told events and gives back orders; the caller carries them out. So it can be tested in any order of events.

use crate::sink::Prepared;
use std::collections::BTreeMap;

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
    /// Tell all workers that every split of the source is handed out.
    AllAssigned(usize),
    /// Tell all sources to end this epoch.
    Barrier(u64),
    /// Tell all sources to end this epoch, the last.
    Last(u64),
    /// Commit what was prepared in an epoch: per sink, what each worker's writers made.
    Commit(u64, Vec<(usize, Vec<(usize, Prepared)>)>),
    /// All is committed: publish, and say so.
    Finish,
}

struct SourceState {
    /// The greatest watermark that a finished split has reached.
    reached: i64,
    exhausted: Vec<bool>,
    all_assigned: bool,
    /// Who has asked for a split.
    asked: Vec<bool>,
    /// Who asks for a second one before the others have asked for their first: they come first.
    early: Vec<usize>,
}

/// The coordinator's state.
pub struct Coordinator {
    workers: usize,
    built: usize,
    sources: BTreeMap<usize, SourceState>,
    expected_sources: Option<usize>,
    /// Questions about sources whose enumerator has not arrived yet.
    waiting: Vec<(usize, usize)>,
    epoch: u64,
    /// The epoch that is ending, and how many workers have passed it.
    ending: Option<(u64, usize)>,
    last: bool,
    finished: bool,
    prepared: BTreeMap<u64, BTreeMap<usize, Vec<(usize, Prepared)>>>,
}

impl Coordinator {
    /// For so many workers.
    pub fn new(workers: usize) -> Self {
        Coordinator {
            workers,
            built: 0,
            sources: BTreeMap::new(),
            expected_sources: None,
            waiting: Vec::new(),
            epoch: 0,
            ending: None,
            last: false,
            finished: false,
            prepared: BTreeMap::new(),
        }
    }

    /// A source's enumerator is there.
    pub fn source(&mut self, source: usize) -> Vec<Order> {
        let (exhausted, asked) = (vec![false; self.workers], vec![false; self.workers]);
        let state = SourceState { reached: i64::MIN, exhausted, all_assigned: false, asked, early: Vec::new() };
        self.sources.insert(source, state);
        let (now, later) = std::mem::take(&mut self.waiting).into_iter().partition(|w| w.0 == source);
        self.waiting = later;
        let now: Vec<(usize, usize)> = now;
        now.into_iter().flat_map(|(source, worker)| self.ask(worker, source, None)).collect()
    }

    /// A worker has built its graph.
    pub fn built(&mut self, sources: usize) -> Vec<Order> {
        self.built += 1;
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
        let watermark = state.reached;
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

    /// The enumerator has no more splits.
    pub fn all_found(&mut self, source: usize) -> Vec<Order> {
        match self.sources.get_mut(&source) {
            Some(state) if !state.all_assigned => {
                state.all_assigned = true;
                vec![Order::AllAssigned(source)]
            }
            _ => Vec::new(),
        }
    }

    /// A source has nothing more on a worker.
    pub fn exhausted(&mut self, worker: usize, source: usize) -> Vec<Order> {
        if let Some(exhausted) = self.sources.get_mut(&source).and_then(|s| s.exhausted.get_mut(worker)) {
            *exhausted = true;
        }
        self.check_exhausted()
    }

    fn all_exhausted(&self) -> bool {
        self.built == self.workers
            && self.expected_sources == Some(self.sources.len())
            && self.sources.values().all(|s| s.exhausted.iter().all(|e| *e))
    }

    fn check_exhausted(&mut self) -> Vec<Order> {
        if self.last || self.ending.is_some() || !self.all_exhausted() {
            return Vec::new();
        }
        self.last = true;
        self.ending = Some((self.epoch, 0));
        vec![Order::Last(self.epoch)]
    }

    /// It is time for a barrier. Nothing happens while one is under way.
    pub fn tick(&mut self) -> Vec<Order> {
        if self.built < self.workers || self.ending.is_some() || self.last {
            return Vec::new();
        }
        self.ending = Some((self.epoch, 0));
        vec![Order::Barrier(self.epoch)]
    }

    /// A writer has prepared an epoch.
    pub fn prepared(&mut self, worker: usize, sink: usize, epoch: u64, prepared: Prepared) {
        self.prepared.entry(epoch).or_default().entry(sink).or_default().push((worker, prepared));
    }

    /// All chains of a worker have passed the barrier of an epoch.
    pub fn passed(&mut self, epoch: u64) -> Vec<Order> {
        let Some((ending, count)) = self.ending.as_mut().filter(|(ending, _)| *ending == epoch) else {
            return Vec::new();
        };
        let ending = *ending;
        *count += 1;
        if *count < self.workers {
            return Vec::new();
        }
        self.ending = None;
        self.epoch = ending + 1;
        let mut sinks: Vec<_> = self.prepared.remove(&ending).unwrap_or_default().into_iter().collect();
        sinks.iter_mut().for_each(|(_, list)| list.sort_by_key(|(worker, _)| *worker));
        let mut orders = vec![Order::Commit(ending, sinks)];
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
        let mut c = Coordinator::new(3);
        assert_eq!((c.ask(1, 0, None), c.ask(1, 0, None)), (vec![], vec![]));
        assert_eq!(c.source(0), [find(1)]);
        assert_eq!(c.ask(0, 0, None), [find(0)]);
        assert_eq!(c.ask(0, 0, None), []);
        assert_eq!(c.ask(2, 0, None), [find(2), find(1), find(0)]);
        assert_eq!(c.ask(0, 0, None), [find(0)]);
    }

    #[test]
    fn a_run_ends_with_one_last_epoch_after_every_source_is_exhausted_everywhere() {
        let mut c = Coordinator::new(2);
        assert_eq!(c.ask(0, 0, None), []);
        assert_eq!(c.source(0), [Order::Find { source: 0, worker: 0, watermark: i64::MIN }]);
        assert_eq!((c.built(1), c.tick(), c.built(1)), (vec![], vec![], vec![]));
        assert_eq!(c.ask(1, 0, Some(7)), [Order::Find { source: 0, worker: 1, watermark: 7 }]);
        assert_eq!(c.tick(), [Order::Barrier(0)]);
        assert_eq!(c.tick(), []);
        assert_eq!((c.all_found(0), c.all_found(0)), (vec![Order::AllAssigned(0)], vec![]));
        assert_eq!((c.exhausted(0, 0), c.exhausted(1, 0)), (vec![], vec![]));
        c.prepared(1, 0, 0, Prepared(vec![1]));
        c.prepared(0, 0, 0, Prepared(vec![0]));
        assert_eq!(c.passed(0), []);
        let sinks = vec![(0, vec![(0, Prepared(vec![0])), (1, Prepared(vec![1]))])];
        assert_eq!(c.passed(0), [Order::Commit(0, sinks), Order::Last(1)]);
        assert_eq!((c.passed(1), c.tick()), (vec![], vec![]));
        assert_eq!(c.passed(1), [Order::Commit(1, vec![]), Order::Finish]);
        assert!(c.finished());
    }
}
