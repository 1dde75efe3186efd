//! The timely operator of a chain that begins at a source: it reads the splits it is given, keeps the watermark, sends
//! what is full, and ends epochs when the coordinator says so.
//!
//! A barrier needs no credit: a source whose gate is closed still ends its epoch. An exhausted source sends its last
//! watermark and keeps its right to send until the coordinator orders the last epoch.

use super::control::ToCoordinator;
use super::graph::{Graph, source_operators};
use super::guard::guarded;
use super::local::{Local, Mailbox, ToSource};
use super::meta::SourceMeta;
use super::pace::{Alarm, Pace};
use super::port::{Live, Outs};
use super::time::of_epoch;
use crate::error::{Error, Fault};
use crate::frame::writer::{CHUNK_ROWS, Cx, Ship};
use crate::metrics::{Cell, ChainCells};
use crate::source::{Emit, Found, Polled, Reader, RowType, Source, Split};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::scheduling::Activator;

/// Counters of a body: one per operator that changes the number of rows.
pub trait Counters: Copy + 'static {
    /// Their values.
    fn values(&self) -> &[u64];
}
impl<const N: usize> Counters for [u64; N] {
    fn values(&self) -> &[u64] {
        self
    }
}

/// Builds a chain that begins at a source.
pub fn source<'g, R, S, N, O, F>(g: &mut Graph<'g>, meta: &'static SourceMeta, mut connector: S, counters: N, outs: O, body: F)
where
    R: RowType,
    S: Source<R>,
    N: Counters,
    O: Outs<'g>,
    F: for<'a> FnMut(R::Row<'a>, &mut Cx, &mut N, &mut O::Live) + 'static,
{
    let operators = source_operators(meta);
    let chain = g.note_chain(operators, Some(connector.describe()), &outs);
    let Some(scope) = g.scope else { return };
    let local = g.local.clone();
    let (number, mailbox) = local.add_source();
    let failed = |fault| Error::Source { name: meta.name.to_owned(), fault };
    if local.worker == 0 {
        match connector.enumerator() {
            Ok(enumerator) => {
                let (name, ordered) = (meta.name, meta.ordered);
                local.tell(ToCoordinator::Source { source: number, name, ordered, enumerator });
            }
            Err(fault) => return g.fail(failed(fault)),
        }
    }
    let mut reader = match connector.reader() {
        Ok(reader) => reader,
        Err(fault) => return g.fail(failed(fault)),
    };
    let mut builder = OperatorBuilder::new(meta.name.to_owned(), scope);
    let live = match outs.open(chain, &mut builder, &local) {
        Ok(live) => live,
        Err(error) => return g.abandon(builder, error),
    };
    let address = builder.operator_info().address;
    mailbox.wake_with(scope.activator_for(address.clone()));
    let activator = scope.activator_for(address.clone());
    // A reader that has run dry is woken from another thread.
    let sync = scope.worker().sync_activator_for(address.to_vec());
    let waker = local.waker.clone();
    let sync = std::sync::Mutex::new(sync);
    reader.wake_with(Arc::new(move || {
        let sync = sync.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // It fails when the worker has gone, and then there is nobody to wake.
        let _ = sync.activate();
        waker();
    }));
    let mut sunk = Vec::new();
    live.counts(&mut sunk);
    let cells = local.metrics.add(ChainCells {
        chain,
        is_source: true,
        counted: counters.values().iter().map(|_| Cell::default()).collect(),
        sunk: sunk.iter().map(|_| Cell::default()).collect(),
        ..ChainCells::default()
    });
    let late_by = meta.late_by.map_or(0, |span| span.millis());
    let pace = Pace::new(local.config.frame_rows.map_or(CHUNK_ROWS, |rows| rows.min(CHUNK_ROWS)), operators);
    let mut cx = Cx::new(late_by);
    cx.hold = if meta.ordered { i64::MAX } else { i64::MIN };
    let mut running = Running {
        meta,
        number,
        local,
        mailbox,
        activator,
        cells,
        state: State::Start,
        epoch: 0,
        all_assigned: false,
        pace,
        rows: 0,
        skipped: 0,
        bytes: 0,
        shipped_at: Duration::ZERO,
        told: i64::MIN,
        alarm: Alarm::default(),
        cx,
        reader,
        counters,
        live: Some(live),
        body,
        rows_of: std::marker::PhantomData,
    };
    builder.build_reschedule(move |caps| {
        let mut caps = Some(caps);
        move |_| running.activate(&mut caps)
    });
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Has not asked for a split yet.
    Start,
    /// Waits for the answer.
    Asked,
    /// Reads one.
    Open,
    /// Was told that there is none just now, and asks again.
    Later,
    /// Will get no more, and has said so.
    Exhausted,
    /// Has ended its last epoch.
    Ended,
}

struct Running<R, S, N, L, F> {
    meta: &'static SourceMeta,
    number: usize,
    local: Rc<Local>,
    mailbox: Rc<Mailbox>,
    activator: Activator,
    cells: Arc<ChainCells>,
    state: State,
    epoch: u64,
    /// Every split has been handed out to some worker.
    all_assigned: bool,
    pace: Pace,
    rows: u64,
    skipped: u64,
    /// Bytes of splits that have been read to their end.
    bytes: u64,
    shipped_at: Duration,
    /// The promise when all that are behind were last told of it.
    told: i64,
    alarm: Alarm,
    cx: Cx,
    reader: S,
    counters: N,
    /// Taken out while rows are read.
    live: Option<L>,
    body: F,
    rows_of: std::marker::PhantomData<R>,
}

/// Chunks in one activation; then the worker looks at its other operators.
const CHUNKS: usize = 8;
/// How soon to ask again when there is no split just now.
const ASK_AGAIN: Duration = Duration::from_millis(10);

impl<R, S, N, L, F> Running<R, S, N, L, F>
where
    R: RowType,
    S: Reader<R>,
    N: Counters,
    L: Live,
    F: for<'a> FnMut(R::Row<'a>, &mut Cx, &mut N, &mut L) + 'static,
{
    fn activate(&mut self, caps: &mut Option<Vec<Capability<u64>>>) -> bool {
        if self.local.failed() || self.state == State::Ended {
            return self.state != State::Ended;
        }
        if let Err(error) = self.work(caps) {
            self.local.fail(error);
        }
        self.publish();
        if self.state == State::Ended {
            *caps = None;
            self.local.ended();
            return false;
        }
        true
    }

    fn work(&mut self, caps: &mut Option<Vec<Capability<u64>>>) -> Result<(), Error> {
        let Some(caps) = caps else { return Ok(()) };
        self.read_mail(caps)?;
        if self.state == State::Start {
            self.ask(None);
        }
        let room = self.live.open();
        if self.state == State::Open && room {
            for _ in 0..CHUNKS {
                let polled = self.poll()?;
                self.live.check()?;
                match polled {
                    Polled::More => self.live.ship(Ship::Full, self.promise(), caps),
                    Polled::Dry => {
                        self.live.ship(Ship::Urgent, self.promise(), caps);
                        self.shipped_at = self.local.now();
                        self.told = self.promise();
                        return self.live.check();
                    }
                    Polled::SplitDone => {
                        self.live.ship(Ship::Full, self.promise(), caps);
                        self.bytes += self.reader.bytes_read();
                        self.ask(Some(self.cx.watermark));
                        break;
                    }
                }
                if !self.live.open() {
                    break;
                }
            }
            if self.state == State::Open {
                self.activator.activate();
            }
        } else if room {
            // Nothing to read just now, so nothing may wait.
            self.live.ship(Ship::Urgent, self.promise(), caps);
        }
        let (now, due) = (self.local.now(), self.shipped_at + self.local.config.latency);
        // A watermark that moves is news too: rows that do not pass a filter move it.
        if self.live.waiting() > 0 || self.promise() > self.told {
            if now >= due {
                self.told = self.promise();
                self.live.ship(Ship::Aged, self.told, caps);
                self.shipped_at = now;
            } else {
                self.alarm.set(due, now, &self.activator);
            }
        }
        self.live.check()
    }

    fn ask(&mut self, ended: Option<i64>) {
        self.state = State::Asked;
        self.local.tell(ToCoordinator::Ask { worker: self.local.worker, source: self.number, ended });
    }

    fn read_mail(&mut self, caps: &mut Vec<Capability<u64>>) -> Result<(), Error> {
        loop {
            let Some(message) = self.mailbox.messages.borrow_mut().pop_front() else { return Ok(()) };
            match message {
                ToSource::Found(Found::Split(split), watermark, last) => {
                    if last {
                        self.all_assigned = true;
                        self.cx.hold = i64::MAX;
                    }
                    self.open(split, watermark)?;
                }
                ToSource::Found(Found::Later, ..) => {
                    self.state = State::Later;
                    self.activator.activate_after(ASK_AGAIN);
                }
                ToSource::Found(Found::Finished, ..) => {
                    self.state = State::Exhausted;
                    self.live.ship(Ship::Urgent, i64::MAX, caps);
                    self.local.tell(ToCoordinator::Exhausted { worker: self.local.worker, source: self.number });
                }
                ToSource::AllAssigned => {
                    self.all_assigned = true;
                    self.cx.hold = i64::MAX;
                }
                ToSource::Barrier(epoch) => self.barrier(epoch, caps)?,
                ToSource::Last(epoch) => {
                    self.live.ship(Ship::All, i64::MAX, caps);
                    self.barrier(epoch, caps)?;
                    self.state = State::Ended;
                }
            }
            if self.state == State::Later && self.mailbox.messages.borrow().is_empty() {
                self.ask(None);
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

    fn open(&mut self, split: Split, watermark: i64) -> Result<(), Error> {
        self.reader.open(split).map_err(|fault| self.failed(fault))?;
        self.cx.row = 0;
        if self.meta.ordered {
            // Splits are ordered in time up to `late_by`, so what an earlier one has reached holds here too.
            self.cx.watermark = self.cx.watermark.max(watermark);
        } else {
            self.cx.watermark = i64::MIN;
        }
        self.state = State::Open;
        Ok(())
    }

    fn failed(&self, fault: Fault) -> Error {
        Error::Source { name: self.meta.name.to_owned(), fault }
    }

    /// The watermark that this worker's part of the source has reached.
    fn promise(&self) -> i64 {
        match self.state {
            State::Exhausted | State::Ended => i64::MAX,
            _ if self.meta.late_by.is_none() => i64::MIN,
            _ if self.meta.ordered || (self.all_assigned && self.state == State::Open) => self.cx.watermark,
            _ => i64::MIN,
        }
    }

    fn poll(&mut self) -> Result<Polled, Error> {
        let before = self.cx.row;
        let (from, written, budget) = (self.local.now(), self.live.written(), self.pace.rows());
        let Running { reader, cx, counters, live, body, meta, skipped, .. } = self;
        let skip = meta.skip_bad;
        let polled = {
            let mut rows = Rows { cx: &mut *cx, counters, live, body, skip, skipped, rows: std::marker::PhantomData::<R> };
            // The counting of rows and the reader's own place survive an unwinding, and are all that is looked at then.
            let run = std::panic::AssertUnwindSafe(|| reader.poll(budget, &mut rows));
            std::panic::catch_unwind(run)
        };
        let polled = match polled {
            Ok(polled) => polled.map_err(|fault| Error::Source { name: meta.name.to_owned(), fault })?,
            Err(payload) => {
                let mut place = reader.place();
                place.record.get_or_insert(cx.row);
                let raise = move |_: &mut Cx| std::panic::resume_unwind(payload);
                return guarded(source_operators(meta), cx, raise, |_| place);
            }
        };
        let read = self.cx.row - before;
        self.rows += read;
        self.pace.done(self.live.written().saturating_sub(written), self.local.now() - from);
        Ok(polled)
    }

    fn publish(&self) {
        self.cells.rows_in.set(self.rows);
        self.cells.emitted.set(self.rows);
        for (cell, value) in self.cells.counted.iter().zip(self.counters.values()) {
            cell.set(*value);
        }
        let mut sunk = Vec::new();
        self.live.counts(&mut sunk);
        self.cells.sunk.iter().zip(sunk).for_each(|(cell, value)| cell.set(value));
        self.cells.skipped.set(self.skipped);
        let open = if self.state == State::Open { self.reader.bytes_read() } else { 0 };
        self.cells.bytes.set(self.bytes + open);
    }
}

/// Where a reader's rows go: into the body.
struct Rows<'x, R, N, L, F> {
    cx: &'x mut Cx,
    counters: &'x mut N,
    live: &'x mut Option<L>,
    body: &'x mut F,
    skip: bool,
    skipped: &'x mut u64,
    rows: std::marker::PhantomData<R>,
}

impl<R, N, L, F> Emit<R> for Rows<'_, R, N, L, F>
where
    R: RowType,
    N: Copy,
    F: for<'a> FnMut(R::Row<'a>, &mut Cx, &mut N, &mut L),
{
    #[inline(always)]
    fn row(&mut self, row: R::Row<'_>) {
        self.cx.row += 1;
        if let Some(live) = self.live {
            (self.body)(row, self.cx, self.counters, live);
        }
        // The reader runs again, which is the first operator.
        self.cx.operator = 0;
    }
    #[inline(always)]
    fn rows<'a, I: Iterator<Item = R::Row<'a>>>(&mut self, rows: I) {
        if let Some(live) = self.live.take() {
            *self.live = Some(each::<R, N, L, F, I>(rows, self.cx, self.counters, live, self.body));
        }
    }
    fn bad(&mut self, fault: Fault) -> Result<(), Fault> {
        if !self.skip {
            return Err(fault);
        }
        *self.skipped += 1;
        Ok(())
    }
}

/// The loop over rows that lie side by side. It owns what the body counts and writes into while it runs, so that sums
/// stay in registers and the loop vectorizes: behind a reference they would be stored at each row.
#[inline(never)]
fn each<'a, R, N, L, F, I>(rows: I, cx: &mut Cx, counters: &mut N, live: L, body: &mut F) -> L
where
    R: RowType,
    N: Copy,
    F: for<'b> FnMut(R::Row<'b>, &mut Cx, &mut N, &mut L),
    I: Iterator<Item = R::Row<'a>>,
{
    /// Says where the loop was when it ends, also by a panic.
    struct Here<'x> {
        told: &'x mut Cx,
        cx: Cx,
    }
    impl Drop for Here<'_> {
        fn drop(&mut self) {
            *self.told = self.cx;
        }
    }
    let mut here = Here { cx: *cx, told: cx };
    let (mut counted, mut live) = (*counters, live);
    for row in rows {
        here.cx.row += 1;
        body(row, &mut here.cx, &mut counted, &mut live);
    }
    // Which operator ran last is of use only to a panic; to keep it would keep the loop from being vectorized.
    here.cx.operator = 0;
    *counters = counted;
    live
}
