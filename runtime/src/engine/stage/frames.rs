//! A frame on its way through the operator: all of it, or as much as the pace allows, guarded against panics.

use super::Running;
use super::next::{Next, Turn};
use crate::engine::guard::guarded;
use crate::engine::pact::Return;
use crate::engine::port::Live;
use crate::engine::source::Counters;
use crate::error::{Error, Fault, Place};
use crate::frame::writer::{Cx, Ship};
use crate::frame::{Frame, Payload, Rows, Time, wire};
use crate::key::Key;
use crate::keyed::{Batch, Operator, Out};
use crate::record::Record;
use std::cell::Cell as Plain;
use timely::dataflow::operators::Capability;

impl<K, V, T, A, Op, N, L, F, D> Running<K, V, T, A, Op, N, L, F, D>
where
    K: Key,
    V: Record,
    T: Time,
    A: Record,
    Op: Operator<K, V, A, T>,
    N: Counters,
    L: Live,
    F: for<'a> FnMut(<Op as Out>::Row<'a>, i64, &mut Cx, &mut N, &mut L) + 'static,
    D: FnMut(V, i64, &mut Cx, &mut N, &mut L) + 'static,
{
    /// Applies a frame, or as much of it as the pace allows; `applied` rows of it are done already.
    pub(super) fn apply(
        &mut self,
        feed: usize,
        mut frame: Frame<K, V, T, A>,
        applied: usize,
        caps: &[Capability<u64>],
    ) -> Result<(), Error> {
        if let Payload::Wire(bytes) = &frame.payload {
            frame.payload = wire::unpack(bytes).map_err(|fault| self.broken(fault))?;
        }
        let sender = frame.sender as usize;
        let left = Plain::new(0);
        match &mut frame.payload {
            Payload::Rows(rows) => {
                if applied == 0 {
                    self.senders.settle_marks(feed, sender, rows);
                }
                let now = self.pace.of_frame(rows.len() - applied);
                let written = self.live.written();
                let from = if now == rows.len() {
                    let from = self.local.now();
                    self.run_rows(rows, caps)?;
                    from
                } else {
                    let mut slice = std::mem::take(&mut self.slice);
                    rows.move_to(&mut slice, applied, now);
                    let from = self.local.now();
                    self.run_rows(&mut slice, caps)?;
                    self.slice = slice;
                    from
                };
                self.rows += now as u64;
                self.pace.done(self.live.written().saturating_sub(written), self.local.now() - from);
                if applied + now < rows.len() {
                    self.part = Some((feed, frame, applied + now));
                    self.live.ship(Ship::Full, self.watermark, caps);
                    return self.live.check();
                }
                rows.clear();
            }
            Payload::Partials(rows) => {
                let (all, begun) = (rows.len(), self.rows);
                left.set(all);
                let place = || record(begun + (all - left.get()) as u64);
                self.run(caps, place, |op, watermark, next| op.partials(Batch::of(rows, watermark, &left), next))?;
                rows.clear();
                self.rows += all as u64;
            }
            Payload::Table(..) => {
                if let Payload::Table(start, table) = std::mem::replace(&mut frame.payload, Payload::Empty) {
                    self.rows += table.len() as u64;
                    let begun = self.rows;
                    self.run(caps, || record(begun), |op, _, next| op.table(start, *table, next))?;
                }
            }
            Payload::Empty => {}
            Payload::Broken(fault) => {
                let fault = fault.clone();
                return Err(self.broken(fault));
            }
            Payload::Wire(_) => {}
        }
        self.urgent |= frame.urgent;
        self.senders.heard(feed, sender, frame.watermark);
        if frame.watermark != i64::MAX {
            self.latest = self.latest.max(frame.watermark);
        }
        self.target = self.target.max(self.senders.least());
        if let Some(back) = self.returns[feed].borrow_mut().get_mut(sender) {
            let target = self.local.worker as u32;
            back.push(&mut Some(Return { target, bytes: frame.bytes, emptied: frame.payload }));
            back.push(&mut None);
        }
        self.live.ship(Ship::Full, self.watermark, caps);
        self.live.check()
    }

    fn run_rows(&mut self, rows: &mut Rows<K, V, T>, caps: &[Capability<u64>]) -> Result<(), Error> {
        let (all, begun, left) = (rows.len(), self.rows, Plain::new(rows.len()));
        let place = || record(begun + (all - left.get()) as u64);
        self.run(caps, place, |op, watermark, next| op.rows(Batch::of(rows, watermark, &left), next))
    }

    fn broken(&self, fault: crate::codec::CodecError) -> Error {
        let fault = Fault::new("bytes from another worker are no frame").because(fault);
        Error::Wire { edge: self.name.to_owned(), fault }
    }

    /// Runs a step of the operator with what follows it. `place` tells the record if it panics.
    pub(super) fn run<X>(
        &mut self,
        caps: &[Capability<u64>],
        place: impl FnOnce() -> Place,
        step: impl FnOnce(&mut Op, i64, &mut Next<'_, N, L, F, D>) -> X,
    ) -> Result<X, Error> {
        let Running { op, cx, counters, live, main, late, watermark, emitted, operators, local, activator, .. } = self;
        let (watermark, turn_ends) = (*watermark, self.turn_ends);
        cx.before = watermark;
        cx.watermark = watermark;
        cx.operator = 0;
        let mut place = Some(place);
        let mut place = || place.take().map(|place| place()).unwrap_or_default();
        let done = guarded(
            operators,
            cx,
            |cx| {
                let turn = Turn { ends: turn_ends, local, activator };
                let mut next = Next { cx, counters, live, main, late, caps, watermark, emitted: 0, turn };
                let done = step(op, watermark, &mut next);
                *emitted += next.emitted;
                next.live.touch(next.cx);
                done
            },
            |_| place(),
        )?;
        match self.op.failure() {
            None => Ok(done),
            Some(mut fault) => {
                fault.place = place();
                Err(Error::Operator { operator: self.name.to_owned(), fault })
            }
        }
    }
}

/// The number of a record on its edge.
fn record(number: u64) -> Place {
    Place { record: Some(number), ..Place::default() }
}
