//! Who gets which split, and what the parts of a source have come to.

use super::super::control::{Left, Stand};
use super::{Coordinator, Order, Stopping};
use std::collections::BTreeSet;

/// What is known of a source.
#[derive(Clone)]
pub(super) struct SourceState {
    /// The greatest watermark that a finished split has reached.
    reached: i64,
    pub(super) exhausted: Vec<bool>,
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

/// Where a source stands with all of its parts (ms).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whole {
    /// A part has not said yet: it may stand anywhere.
    Unknown,
    /// The least of those that read. `true` if parts that rest follow them.
    Reads(i64, bool),
    /// All rest: where the latest has been. `true` if others are not to wait for them.
    Rests(i64, bool),
    /// Nothing comes any more.
    Over,
}

impl SourceState {
    fn whole(&self) -> Whole {
        let (mut reads, mut rests, mut follow, mut idle) = (None, None, true, true);
        for (stand, _) in self.stands.iter().zip(&self.exhausted).filter(|(_, exhausted)| !**exhausted) {
            match *stand {
                None => return Whole::Unknown,
                Some(Stand::Reads(at)) => reads = Some(reads.unwrap_or(i64::MAX).min(at)),
                Some(Stand::Passes(at)) => (reads, follow) = (Some(reads.unwrap_or(i64::MAX).min(at)), false),
                Some(Stand::Rests(at)) => (rests, idle) = (rests.max(Some(at)), false),
                Some(Stand::Idle(at)) => rests = rests.max(Some(at)),
            }
        }
        match (reads, rests) {
            (Some(at), _) => Whole::Reads(at, follow),
            (None, Some(at)) => Whole::Rests(at.max(self.floor), idle),
            (None, None) => Whole::Over,
        }
    }

    /// The watermark that a split begins with which is handed out now.
    fn begin(&self) -> i64 {
        if self.ordered { self.reached.max(self.floor) } else { self.floor }
    }

    /// What all parts have come to: the least of those that read. If all rest, nobody is waited for, and it is where the
    /// latest has been, or what `others` have come to. Those who rest are told.
    pub(super) fn follow(&mut self, source: usize, others: Option<i64>) -> Vec<Order> {
        let come_to = match self.whole() {
            Whole::Unknown | Whole::Reads(_, false) => return Vec::new(),
            Whole::Reads(at, true) => at,
            Whole::Rests(at, _) => at.max(others.unwrap_or(i64::MIN)),
            Whole::Over => i64::MIN,
        };
        self.floor = self.floor.max(come_to);
        let mut orders = Vec::new();
        for (worker, (stand, told)) in self.stands.iter().zip(&mut self.told).enumerate() {
            if matches!(stand, Some(Stand::Rests(_) | Stand::Idle(_))) && *told < self.floor && !self.exhausted[worker]
            {
                *told = self.floor;
                orders.push(Order::Reached { source, worker, watermark: self.floor });
            }
        }
        orders
    }
}

impl Coordinator {
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
        let mut orders = state.follow(source, None);
        orders.extend(self.follow_others());
        orders
    }

    /// Sources that are idle follow those that they meet, so that they do not hold them back.
    pub(super) fn follow_others(&mut self) -> Vec<Order> {
        let meets = self.meets.clone();
        let mut orders = Vec::new();
        for (source, groups) in meets.all() {
            if !self.sources.get(&source).is_some_and(|state| matches!(state.whole(), Whole::Rests(_, true))) {
                continue;
            }
            // In front of each operator there are others, and none of these operators is to come to more than they have.
            let others: Option<Vec<i64>> = groups.iter().map(|group| self.come_to(group)).collect();
            let others = others.and_then(|others| others.into_iter().min());
            if let (Some(state), Some(_)) = (self.sources.get_mut(&source), others) {
                orders.extend(state.follow(source, others));
            }
        }
        orders
    }

    /// What these sources have come to: the least of those that read. If all rest, where the latest has been. Nothing, if they are over,
    /// or if one of them may stand anywhere.
    fn come_to(&self, sources: &BTreeSet<usize>) -> Option<i64> {
        let (mut reads, mut rests) = (None, None);
        for source in sources {
            match self.sources.get(source).map_or(Whole::Unknown, SourceState::whole) {
                Whole::Unknown => return None,
                Whole::Reads(at, _) => reads = Some(reads.unwrap_or(i64::MAX).min(at)),
                Whole::Rests(at, _) => rests = rests.max(Some(at)),
                Whole::Over => {}
            }
        }
        reads.or(rests)
    }

    /// A worker wants a split of a source; its last one ended with this watermark.
    pub fn ask(&mut self, worker: usize, source: usize, ended: Option<i64>) -> Vec<Order> {
        let Some(state) = self.sources.get_mut(&source) else {
            self.waiting.push((source, worker));
            return Vec::new();
        };
        state.reached = state.reached.max(ended.unwrap_or(i64::MIN));
        if self.stopping == Some(Stopping::Draining) {
            return Vec::new();
        }
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

    /// The watermark that finished splits of a source have reached.
    pub fn reached(&self, source: usize) -> i64 {
        self.sources.get(&source).map_or(i64::MIN, |state| state.reached)
    }

    /// The watermark that all parts of a source have come to.
    pub fn floor(&self, source: usize) -> i64 {
        self.sources.get(&source).map_or(i64::MIN, |state| state.floor)
    }
}
