//! [`OpenSplits`]: the splits that a worker reads, whose turn it is, and what their watermarks come to.
//!
//! It knows nothing of readers and rows: `X` is whatever reads a split.

use crate::source::Split;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A split that is being read.
pub struct OpenSplit<X> {
    /// The split.
    pub split: Split,
    /// What reads it.
    pub reader: X,
    /// Its watermark, in ms.
    pub watermark: i64,
    /// Rows read from it, in this attempt and before.
    pub rows: u64,
    /// The reader had nothing more.
    dry: bool,
    /// Nothing has come for so long that the others do not wait for it.
    idle: bool,
    /// When rows were read last, or when it was opened.
    quiet_since: Duration,
    woken: Arc<AtomicBool>,
}

/// The open splits of a worker.
pub struct OpenSplits<X> {
    splits: Vec<OpenSplit<X>>,
    /// Whose turn it is.
    next: usize,
}

impl<X> Default for OpenSplits<X> {
    fn default() -> Self {
        OpenSplits { splits: Vec::new(), next: 0 }
    }
}

impl<X> OpenSplits<X> {
    /// Adds a split that begins at this watermark, behind so many rows. `woken` is what its reader sets when it has rows
    /// again.
    pub fn open(&mut self, split: Split, reader: X, watermark: i64, rows: u64, woken: Arc<AtomicBool>, now: Duration) {
        self.splits.push(OpenSplit {
            split,
            reader,
            watermark,
            rows,
            dry: false,
            idle: false,
            quiet_since: now,
            woken,
        });
    }

    /// Takes a split out that has been read to its end. The others keep their order.
    pub fn close(&mut self, at: usize) -> Option<OpenSplit<X>> {
        let closed = (at < self.splits.len()).then(|| self.splits.remove(at));
        if at < self.next {
            self.next -= 1;
        }
        closed
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.splits.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &OpenSplit<X>> {
        self.splits.iter()
    }

    /// One of them.
    pub fn get_mut(&mut self, at: usize) -> Option<&mut OpenSplit<X>> {
        self.splits.get_mut(at)
    }

    /// Dry readers that have said so, or all of them, may have rows again.
    pub fn wake(&mut self, all: bool) {
        for split in &mut self.splits {
            if split.dry && (all || split.woken.load(Ordering::Acquire)) {
                split.dry = false;
            }
        }
    }

    /// The split whose turn it is, if any may have rows; the next turn is the next one's. Whatever its reader calls out from
    /// now on is heard. One that others did not wait for begins where they have come to, `promised`.
    pub fn turn(&mut self, promised: i64) -> Option<usize> {
        let count = self.splits.len();
        let at = (0..count).map(|n| (self.next + n) % count).find(|at| !self.splits[*at].dry)?;
        self.next = at + 1;
        let split = &mut self.splits[at];
        split.woken.store(false, Ordering::Release);
        if split.idle {
            split.watermark = split.watermark.max(promised);
        }
        Some(at)
    }

    /// Notes what a turn has brought: so many rows up to this watermark, and whether there is nothing more just now.
    pub fn done(&mut self, at: usize, rows: u64, watermark: i64, dry: bool, now: Duration) {
        let Some(split) = self.splits.get_mut(at) else { return };
        split.dry = dry;
        if rows > 0 {
            split.rows += rows;
            split.watermark = watermark;
            (split.idle, split.quiet_since) = (false, now);
        }
    }

    /// Notes which splits are idle: those whose readers have had nothing for so long. Says when the next one will be.
    pub fn note_idle(&mut self, now: Duration, after: Duration) -> Option<Duration> {
        let mut next: Option<Duration> = None;
        for split in self.splits.iter_mut().filter(|split| split.dry && !split.idle) {
            let at = split.quiet_since.saturating_add(after);
            if now >= at {
                split.idle = true;
            } else {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
        }
        next
    }

    /// The least watermark of those that are not idle; `None` if all are, or there is none.
    pub fn least(&self) -> Option<i64> {
        self.splits.iter().filter(|split| !split.idle).map(|split| split.watermark).min()
    }

    /// The same without one of them: what the rows of that one are held to.
    pub fn least_but(&self, at: usize) -> Option<i64> {
        let others = self.splits.iter().enumerate().filter(|(other, split)| *other != at && !split.idle);
        others.map(|(_, split)| split.watermark).min()
    }

    /// The greatest watermark, idle ones included.
    pub fn greatest(&self) -> Option<i64> {
        self.splits.iter().map(|split| split.watermark).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn three() -> OpenSplits<()> {
        let mut open = OpenSplits::default();
        for id in 0..3 {
            open.open(Split { id, detail: Vec::new(), bytes: None }, (), i64::MIN, 0, Arc::default(), ms(0));
        }
        open
    }

    #[test]
    fn splits_take_turns_and_a_dry_one_is_passed_over_until_its_reader_wakes() {
        let mut open = three();
        let mut turns = Vec::new();
        for n in 0..7 {
            let at = open.turn(i64::MIN).expect("one has rows");
            open.done(at, 1, n, at == 1, ms(1));
            turns.push(at);
        }
        assert_eq!(turns, [0, 1, 2, 0, 2, 0, 2]);
        open.done(0, 0, 0, true, ms(1));
        open.done(2, 0, 0, true, ms(1));
        open.wake(false);
        assert_eq!(open.turn(i64::MIN), None);
        open.splits[1].woken.store(true, Ordering::Release);
        open.wake(false);
        assert_eq!(open.turn(i64::MIN), Some(1));
        // What is called out while it reads is not lost, though it then says that it is dry.
        open.splits[1].woken.store(true, Ordering::Release);
        open.done(1, 0, 0, true, ms(2));
        open.wake(false);
        assert_eq!(open.turn(i64::MIN), Some(1));
        open.done(1, 0, 0, true, ms(2));
        open.wake(false);
        assert_eq!(open.turn(i64::MIN), None);
        open.wake(true);
        assert_eq!(open.turn(i64::MIN), Some(2), "behind the one before");
    }

    #[test]
    fn a_split_that_ends_leaves_the_turns_of_the_others_as_they_are() {
        let mut open = three();
        assert_eq!((open.turn(0), open.turn(0)), (Some(0), Some(1)));
        assert_eq!(open.close(1).map(|closed| closed.split.id), Some(1));
        assert_eq!(open.turn(0).map(|at| open.splits[at].split.id), Some(2));
        assert_eq!(open.turn(0).map(|at| open.splits[at].split.id), Some(0));
        assert!(open.close(7).is_none());
    }

    /// What may happen to the splits of a worker.
    #[derive(Clone, Debug)]
    enum Event {
        Opens(i64),
        Closes(usize),
        /// Rows with times up to this one, or none, and whether it is dry then.
        Reads(Option<i64>, bool),
        Wakes(usize),
        Passes(u64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            2 => (0..50i64).prop_map(Event::Opens),
            1 => (0..6usize).prop_map(Event::Closes),
            8 => (proptest::option::of(0..200i64), any::<bool>()).prop_map(|(rows, dry)| Event::Reads(rows, dry)),
            3 => (0..6usize).prop_map(Event::Wakes),
            4 => (1..40u64).prop_map(Event::Passes),
        ]
    }

    /// A split as the model knows it.
    #[derive(Clone, Debug)]
    struct Model {
        id: u64,
        watermark: i64,
        quiet_since: u64,
        dry: bool,
        idle: bool,
    }

    const AFTER: u64 = 50;

    proptest! {
        /// What a worker promises is the least of its splits from which something has come lately, and it never goes back: a
        /// split that was idle or is new begins where the others have come to.
        #[test]
        fn the_watermark_is_the_least_of_the_open_splits(events in proptest::collection::vec(event(), 1..80)) {
            let (mut open, mut model) = (OpenSplits::<()>::default(), Vec::<Model>::new());
            let (mut now, mut promised, mut next) = (0, i64::MIN, 0);
            for event in events {
                match event {
                    Event::Opens(from) => {
                        let watermark = from.max(promised);
                        let split = Split { id: next, detail: Vec::new(), bytes: None };
                        open.open(split, (), watermark, 0, Arc::default(), ms(now));
                        model.push(Model { id: next, watermark, quiet_since: now, dry: false, idle: false });
                        next += 1;
                    }
                    Event::Closes(at) => {
                        prop_assert_eq!(open.close(at).is_some(), at < model.len());
                        if at < model.len() {
                            model.remove(at);
                        }
                    }
                    Event::Reads(rows, dry) => {
                        let Some(at) = open.turn(promised) else {
                            prop_assert!(model.iter().all(|split| split.dry));
                            continue;
                        };
                        let (known, split) = (&mut model[at], &open.splits[at]);
                        prop_assert_eq!(known.id, split.split.id);
                        prop_assert!(!known.dry && split.watermark >= promised);
                        known.watermark = split.watermark.max(rows.unwrap_or(i64::MIN));
                        if rows.is_some() {
                            (known.quiet_since, known.idle) = (now, false);
                        }
                        known.dry = dry;
                        open.done(at, u64::from(rows.is_some()), known.watermark, dry, ms(now));
                    }
                    Event::Wakes(at) => {
                        if let (Some(split), Some(known)) = (open.splits.get(at), model.get_mut(at)) {
                            split.woken.store(true, Ordering::Release);
                            known.dry = false;
                        }
                        open.wake(false);
                    }
                    Event::Passes(time) => now += time,
                }
                let due = open.note_idle(ms(now), ms(AFTER));
                for split in &mut model {
                    split.idle |= split.dry && now >= split.quiet_since + AFTER;
                }
                let waits = model.iter().filter(|split| split.dry && !split.idle);
                prop_assert_eq!(due, waits.map(|split| ms(split.quiet_since + AFTER)).min());
                let active = || model.iter().filter(|split| !split.idle);
                prop_assert_eq!(open.least(), active().map(|split| split.watermark).min());
                for (at, known) in model.iter().enumerate() {
                    let others = active().filter(|split| split.id != known.id);
                    prop_assert_eq!(open.least_but(at), others.map(|split| split.watermark).min());
                }
                let come_to = open.least().unwrap_or(i64::MIN);
                prop_assert!(active().all(|split| split.watermark >= promised), "it never goes back");
                promised = promised.max(come_to);
            }
        }
    }
}
