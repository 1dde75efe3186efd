//! What the coordinator tells a source's chain, and what it asks: splits, barriers, the end.

use super::super::body::Body;
use super::super::control::{Left, Resumed, SavedPart, ToCoordinator};
use super::super::local::ToSource;
use super::super::port::Live;
use super::super::time::of_epoch;
use super::Counters;
use super::running::{Running, State};
use crate::checkpoint::manifest::SplitState;
use crate::error::Error;
use crate::frame::writer::Ship;
use crate::source::{Found, Reader, RowType, Source, Split};
use std::sync::Arc;
use std::time::Duration;
use timely::dataflow::operators::Capability;

/// A split to read when the open one is done: what is known of where to begin, and the watermark to start from.
pub(super) struct Next {
    split: Split,
    resumed: Option<Resumed>,
    from: i64,
}

impl Next {
    /// The watermark that it will begin with, in ms. One that is gone on with has its own: of an ordered source later ones may have
    /// been read to their end before it.
    pub(super) fn watermark(&self) -> i64 {
        self.resumed.as_ref().map_or(self.from, |resumed| resumed.watermark)
    }
}

/// How soon to ask again when there is no split just now.
const ASK_AGAIN: Duration = Duration::from_millis(10);

impl<R, S, N, L, F> Running<R, S, N, L, F>
where
    R: RowType,
    S: Source<R>,
    N: Counters,
    L: Live,
    F: Body<R, N, L>,
{
    /// Asks for the next split, unless that is done already or would be of no use.
    pub(super) fn ask(&mut self) {
        if self.endless || self.asked || self.finished || self.next.is_some() || self.state == State::Ended {
            return;
        }
        if self.left == Left::Later && !self.open.is_empty() {
            // What is found from now on is for those that have nothing to read.
            return;
        }
        if let Some(at) = self.ask_at {
            let now = self.local.now();
            if now < at {
                return self.activator.activate_after(at - now);
            }
            self.ask_at = None;
        }
        self.asked = true;
        let ended = self.ended.take();
        self.local.tell(ToCoordinator::Ask { worker: self.local.worker, source: self.number, ended });
    }

    /// Opens the next split if it is here, or says that there will be none.
    pub(super) fn go_on(&mut self, caps: &[Capability<u64>]) -> Result<(), Error> {
        if self.state != State::Reading || !self.open.is_empty() {
            return Ok(());
        }
        if let Some(next) = self.next.take() {
            return self.open(next);
        }
        if self.finished {
            self.state = State::Exhausted;
            // First the latest that this part has been at: the greatest of these, over all parts, is where event time ends.
            self.live.ship(Ship::Urgent, self.latest, caps);
            self.live.ship(Ship::Urgent, i64::MAX, caps);
            self.local.tell(ToCoordinator::Exhausted { worker: self.local.worker, source: self.number });
        }
        Ok(())
    }

    pub(super) fn read_mail(&mut self, caps: &mut [Capability<u64>]) -> Result<(), Error> {
        loop {
            let Some(message) = self.mailbox.messages.borrow_mut().pop_front() else { return Ok(()) };
            match message {
                ToSource::Found(found, resumed, watermark, left) => {
                    self.asked = false;
                    self.left = self.left.max(left);
                    match found {
                        // It was on its way when the source was told to read no more.
                        Found::Split(_) if self.finished => {}
                        Found::Split(split) => {
                            let from = watermark.max(self.promised);
                            let next = Next { split, resumed, from };
                            match self.endless {
                                true => self.open(next)?,
                                false => self.next = Some(next),
                            }
                        }
                        Found::Later => self.ask_at = Some(self.local.now() + ASK_AGAIN),
                        Found::Finished => self.finished = true,
                    }
                    self.go_on(caps)?;
                }
                ToSource::AllAssigned(left) => self.left = self.left.max(left),
                ToSource::Drain => {
                    self.drain();
                    self.go_on(caps)?;
                }
                ToSource::Reached(watermark) => self.floor = self.floor.max(watermark),
                ToSource::Barrier(epoch) => {
                    self.barrier(epoch, caps)?;
                    self.save(epoch);
                }
                ToSource::Last(epoch) => {
                    self.live.ship(Ship::All, i64::MAX, caps);
                    self.barrier(epoch, caps)?;
                    self.state = State::Ended;
                }
            }
        }
    }

    fn barrier(&mut self, epoch: u64, caps: &mut [Capability<u64>]) -> Result<(), Error> {
        self.live.ship(Ship::All, self.promise(), caps);
        self.live.barrier(epoch, &self.local)?;
        self.epoch = epoch + 1;
        for cap in caps {
            cap.downgrade(&of_epoch(self.epoch));
        }
        self.local.passed(epoch);
        Ok(())
    }

    /// Tells what is not read to its end, as the barrier has found it. What was promised holds behind a restart, too.
    fn save(&self, epoch: u64) {
        if self.local.saver.is_none() {
            return;
        }
        let state = |split: &Split, position, watermark: i64, rows| SplitState {
            id: split.id,
            detail: split.detail.clone(),
            bytes: split.bytes,
            position,
            watermark: watermark.max(self.promised),
            rows,
        };
        let mut splits = Vec::new();
        for open in self.open.iter() {
            splits.push(state(&open.split, open.reader.position(), open.watermark, open.rows));
        }
        if let Some(next) = &self.next {
            let (position, rows) = match &next.resumed {
                None => (Vec::new(), 0),
                Some(resumed) => (resumed.position.clone(), resumed.rows),
            };
            splits.push(state(&next.split, position, next.watermark(), rows));
        }
        let part = SavedPart::Source { source: self.number, splits, reached: self.latest, promised: self.promised };
        let (worker, chain) = (self.local.worker, self.chain);
        self.local.tell(ToCoordinator::Saved { worker, chain, epoch, part: Ok(part) });
    }

    fn open(&mut self, next: Next) -> Result<(), Error> {
        // In an ordered source what an earlier split has reached here is promised, and holds for this one too.
        let watermark = next.watermark().max(self.promised);
        let Next { split, resumed, .. } = next;
        let woken = Arc::default();
        let mut reader = match self.spare.take() {
            Some(reader) => reader,
            None => {
                let mut reader = self.connector.reader().map_err(|fault| self.failed(fault))?;
                reader.wake_with(self.wakers.waker(Arc::clone(&woken)));
                reader
            }
        };
        let (position, rows) = resumed.map_or((Vec::new(), 0), |resumed| (resumed.position, resumed.rows));
        let position = Some(&*position).filter(|position| !position.is_empty());
        reader.open(split.clone(), position).map_err(|fault| self.failed(fault))?;
        self.open.open(split, reader, watermark, rows, woken, self.local.now());
        Ok(())
    }
}
