//! The timely operator of a chain that begins at a source: it reads the splits it is given, keeps the watermark, sends
//! what is full, and ends epochs when the coordinator says so.
//!
//! A barrier needs no credit: a source whose gate is closed still ends its epoch. An exhausted source sends its last
//! watermark and keeps its right to send until the coordinator orders the last epoch.

use super::body::{Body, Each, Filtered};
use super::control::{Resumed, SavedPart, ToCoordinator};
use super::graph::{Graph, source_operators};
use super::guard::guarded;
use super::local::{Local, Mailbox, ToSource};
use super::meta::SourceMeta;
use super::pace::TURN;
use super::pace::{Alarm, Pace};
use super::port::{Live, Outs};
use super::time::of_epoch;
use crate::checkpoint::manifest::SplitState;
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
pub fn source<'g, R, S, N, O, F>(
    g: &mut Graph<'g>,
    meta: &'static SourceMeta,
    connector: S,
    counters: N,
    outs: O,
    body: F,
) where
    R: RowType,
    S: Source<R>,
    N: Counters,
    O: Outs<'g>,
    F: for<'a> FnMut(R::Row<'a>, &mut Cx, &mut N, &mut O::Live) + 'static,
{
    build(g, meta, connector, counters, outs, Each(body));
}

/// Builds a chain that begins at a source and has a filter on a straight way behind it: `front` is what stands before the
/// filter, with its answer; `rest` is what stands behind it.
pub fn source_filtered<'g, R, S, N, O, X, P, F>(
    g: &mut Graph<'g>,
    meta: &'static SourceMeta,
    connector: S,
    counters: N,
    outs: O,
    front: P,
    rest: F,
) where
    R: RowType,
    S: Source<R>,
    N: Counters,
    O: Outs<'g>,
    X: 'static,
    P: for<'a> FnMut(R::Row<'a>, &mut Cx, &mut N) -> (bool, X) + 'static,
    F: FnMut(X, &mut Cx, &mut N, &mut O::Live) + 'static,
{
    build(g, meta, connector, counters, outs, Filtered(front, rest));
}

fn build<'g, R, S, N, O, B>(
    g: &mut Graph<'g>,
    meta: &'static SourceMeta,
    mut connector: S,
    counters: N,
    outs: O,
    body: B,
) where
    R: RowType,
    S: Source<R>,
    N: Counters,
    O: Outs<'g>,
    B: Body<R, N, O::Live>,
{
    let operators = source_operators(meta);
    let chain = g.note_chain(operators, Some(connector.describe()), &outs);
    let Some(scope) = g.scope else { return };
    let local = g.local.clone();
    let (number, mailbox) = local.add_source();
    local.add_part();
    let failed = |fault| Error::Source { name: meta.name.to_owned(), fault };
    let mut reader = match connector.reader() {
        Ok(reader) => reader,
        Err(fault) => return g.fail(failed(fault)),
    };
    let mut builder = OperatorBuilder::new(meta.name.to_owned(), scope);
    let live = match outs.open(chain, &mut builder, &local) {
        Ok(live) => live,
        Err(error) => return g.abandon(builder, error),
    };
    if local.worker == 0 {
        // Behind the committers of its sinks, so that no writer is a step ahead of them.
        match connector.enumerator(local.resume.enumerator(meta.name)) {
            Ok(enumerator) => {
                let (name, ordered) = (meta.name, meta.ordered);
                local.tell(ToCoordinator::Source { source: number, name, ordered, enumerator });
            }
            Err(fault) => return g.abandon(builder, failed(fault)),
        }
    }
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
    let cells = local.metrics.add(ChainCells {
        chain,
        is_source: true,
        counted: counters.values().iter().map(|_| Cell::default()).collect(),
        ..ChainCells::default()
    });
    let budget = connector.rate().map(|rate| Budget { rate, workers: local.workers, since: None, taken: 0 });
    let late_by = meta.late_by.map_or(0, |span| span.millis());
    let pace = Pace::new(local.config.frame_rows.map_or(LARGEST_CHUNK, |rows| rows.min(LARGEST_CHUNK)), operators);
    let mut cx = Cx::new(late_by);
    cx.hold = if meta.ordered { i64::MAX } else { i64::MIN };
    let epoch = local.resume.epoch();
    let mut running = Running {
        meta,
        number,
        chain,
        local,
        mailbox,
        activator,
        cells,
        state: State::Waiting,
        asked: false,
        next: None,
        open: None,
        finished: false,
        ask_at: None,
        reached: None,
        latest: i64::MIN,
        epoch,
        all_assigned: false,
        budget,
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
    /// Has no split to read.
    Waiting,
    /// Reads one.
    Open,
    /// Will get no more, and has said so.
    Exhausted,
    /// Has ended its last epoch.
    Ended,
}

/// A split to read when the open one is done: what is known of where to begin, and the watermark to start from.
struct Next {
    split: Split,
    resumed: Option<Resumed>,
    watermark: i64,
}

struct Running<R, S, N, L, F> {
    meta: &'static SourceMeta,
    number: usize,
    chain: usize,
    local: Rc<Local>,
    mailbox: Rc<Mailbox>,
    activator: Activator,
    cells: Arc<ChainCells>,
    state: State,
    /// A question is under way. One is asked ahead, so that no worker waits for an answer between two splits.
    asked: bool,
    /// The answer that came while a split was open.
    next: Option<Next>,
    /// The split that is open.
    open: Option<Split>,
    /// There will be no more.
    finished: bool,
    /// There was none just now: ask again then.
    ask_at: Option<Duration>,
    /// The watermark that the last split ended with, to be told with the next question.
    reached: Option<i64>,
    /// The greatest watermark that a split has ended with.
    latest: i64,
    epoch: u64,
    /// Every split has been handed out to some worker.
    all_assigned: bool,
    /// What it may read, if its rate is limited.
    budget: Option<Budget>,
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

/// A worker's share of a limited rate.
struct Budget {
    /// Records per second of all workers.
    rate: u64,
    workers: usize,
    /// When counting began, and the records since.
    since: Option<Duration>,
    taken: u64,
}

/// A rate is held over such stretches: what was not taken in one is not made up for in the next.
const STRETCH: Duration = Duration::from_secs(1);

impl Budget {
    /// How many records may be read now; if none, when one may.
    fn left(&mut self, now: Duration) -> Result<usize, Duration> {
        let mine = self.rate as f64 / self.workers as f64;
        let since = *self.since.get_or_insert(now);
        if now.saturating_sub(since) >= STRETCH {
            (self.since, self.taken) = (Some(now), 0);
            return Ok(1);
        }
        let due = ((now - since).as_secs_f64() * mine) as u64;
        match due.checked_sub(self.taken) {
            Some(left) if left > 0 => Ok(usize::try_from(left).unwrap_or(usize::MAX)),
            _ if mine > 0.0 => {
                let at = (self.taken + 1) as f64 / mine;
                Err(since + Duration::from_secs_f64(at.min(STRETCH.as_secs_f64())).max(Duration::from_micros(100)))
            }
            _ => Err(now + STRETCH),
        }
    }
}

/// Chunks in one activation while frames leave; then the worker looks at its other operators.
const CHUNKS: usize = 8;
/// Chunks in one activation of a chain from which no frame leaves.
const CHUNKS_ALONE: usize = 64;
/// Rows between two looks at frames where none wait.
const LARGEST_CHUNK: usize = 8 * CHUNK_ROWS;
/// How soon to ask again when there is no split just now.
const ASK_AGAIN: Duration = Duration::from_millis(10);

impl<R, S, N, L, F> Running<R, S, N, L, F>
where
    R: RowType,
    S: Reader<R>,
    N: Counters,
    L: Live,
    F: Body<R, N, L>,
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
        self.ask();
        let room = self.live.open();
        if self.state == State::Open && room {
            let sent = self.live.sent();
            let turn_ends = self.local.now() + TURN;
            for chunk in 1..=CHUNKS_ALONE {
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
                        self.leave_split();
                        self.go_on(caps)?;
                        self.ask();
                        if self.state != State::Open {
                            break;
                        }
                    }
                }
                let turn_is_over = (chunk >= CHUNKS && self.live.sent() != sent) || self.local.now() >= turn_ends;
                if turn_is_over || !self.live.open() {
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

    /// The open split, if there is one, is not read any further.
    fn leave_split(&mut self) {
        if self.state != State::Open {
            return;
        }
        self.bytes += self.reader.bytes_read();
        self.reached = Some(self.cx.watermark);
        if self.meta.late_by.is_some() {
            self.latest = self.latest.max(self.cx.watermark);
        }
        self.state = State::Waiting;
    }

    /// Asks for the next split, unless that is done already or would be of no use.
    fn ask(&mut self) {
        if self.asked || self.finished || self.next.is_some() || self.state == State::Ended {
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
        let ended = self.reached.take();
        self.local.tell(ToCoordinator::Ask { worker: self.local.worker, source: self.number, ended });
    }

    /// Opens the next split if it is here, or says that there will be none.
    fn go_on(&mut self, caps: &[Capability<u64>]) -> Result<(), Error> {
        if self.state != State::Waiting {
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

    fn read_mail(&mut self, caps: &mut [Capability<u64>]) -> Result<(), Error> {
        loop {
            let Some(message) = self.mailbox.messages.borrow_mut().pop_front() else { return Ok(()) };
            match message {
                ToSource::Found(found, resumed, watermark, last) => {
                    self.asked = false;
                    self.all_assigned |= last;
                    match found {
                        Found::Split(split) => self.next = Some(Next { split, resumed, watermark }),
                        Found::Later => self.ask_at = Some(self.local.now() + ASK_AGAIN),
                        Found::Finished => self.finished = true,
                    }
                    self.settle_hold();
                    self.go_on(caps)?;
                }
                ToSource::AllAssigned => {
                    self.all_assigned = true;
                    self.settle_hold();
                }
                ToSource::Drain => {
                    self.leave_split();
                    self.next = None;
                    self.finished = true;
                    self.go_on(caps)?;
                }
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

    /// Tells what is not read to its end, as the barrier has found it.
    fn save(&self, epoch: u64) {
        if self.local.saver.is_none() {
            return;
        }
        let state = |split: &Split, position, watermark, rows| SplitState {
            id: split.id,
            detail: split.detail.clone(),
            bytes: split.bytes,
            position,
            watermark,
            rows,
        };
        let mut splits = Vec::new();
        if let Some(split) = self.open.as_ref().filter(|_| self.state == State::Open) {
            splits.push(state(split, self.reader.position(), self.cx.watermark, self.cx.row));
        }
        if let Some(Next { split, resumed, watermark }) = &self.next {
            splits.push(match resumed {
                None => state(split, Vec::new(), *watermark, 0),
                Some(r) => state(split, r.position.clone(), r.watermark, r.rows),
            });
        }
        let part = SavedPart::Source { source: self.number, splits, reached: self.reached };
        let (worker, chain) = (self.local.worker, self.chain);
        self.local.tell(ToCoordinator::Saved { worker, chain, epoch, part: Ok(part) });
    }

    fn open(&mut self, next: Next) -> Result<(), Error> {
        let Next { split, resumed, watermark } = next;
        let position = resumed.as_ref().map(|resumed| &*resumed.position).filter(|position| !position.is_empty());
        self.reader.open(split.clone(), position).map_err(|fault| self.failed(fault))?;
        self.open = Some(split);
        self.cx.row = resumed.as_ref().map_or(0, |resumed| resumed.rows);
        let before = resumed.map_or(i64::MIN, |resumed| resumed.watermark);
        self.cx.watermark = if self.meta.ordered {
            // Splits are ordered in time up to `late_by`, so what an earlier one has reached holds here too.
            self.cx.watermark.max(watermark).max(before)
        } else {
            before
        };
        self.state = State::Open;
        self.settle_hold();
        Ok(())
    }

    /// No row is judged while a split waits that may hold rows as old as any: one that nobody has, or the next one here.
    fn settle_hold(&mut self) {
        let known = self.meta.ordered || (self.all_assigned && self.next.is_none());
        self.cx.hold = if known { i64::MAX } else { i64::MIN };
    }

    fn failed(&self, fault: Fault) -> Error {
        Error::Source { name: self.meta.name.to_owned(), fault }
    }

    /// The watermark that this worker's part of the source has reached.
    fn promise(&self) -> i64 {
        match self.state {
            State::Exhausted | State::Ended => i64::MAX,
            _ if self.meta.late_by.is_none() => i64::MIN,
            _ if self.meta.ordered || (self.all_assigned && self.state == State::Open && self.next.is_none()) => {
                self.cx.watermark
            }
            _ => i64::MIN,
        }
    }

    fn poll(&mut self) -> Result<Polled, Error> {
        let before = self.cx.row;
        // Where no row waits (rows end here, or are combined) there are no frames to look at, and large chunks cost less.
        let most = if self.live.rows_waiting() == 0 { LARGEST_CHUNK } else { CHUNK_ROWS };
        let (from, written) = (self.local.now(), self.live.written());
        let mut budget = self.pace.rows().min(most);
        if let Some(limit) = &mut self.budget {
            match limit.left(from) {
                Ok(left) => budget = budget.min(left),
                Err(at) => {
                    self.activator.activate_after(at.saturating_sub(from));
                    return Ok(Polled::Dry);
                }
            }
        }
        let Running { reader, cx, counters, live, body, meta, skipped, .. } = self;
        let skip = meta.skip_bad;
        let polled = {
            let mut rows =
                Rows { cx: &mut *cx, counters, live, body, skip, skipped, rows: std::marker::PhantomData::<R> };
            // The counting of rows and the reader's own place survive an unwinding, and are all that is looked at then.
            let run = std::panic::AssertUnwindSafe(|| {
                let polled = reader.poll(budget, &mut rows);
                rows.live.touch(rows.cx);
                polled
            });
            std::panic::catch_unwind(run)
        };
        let polled = match polled {
            Ok(polled) => polled.map_err(|fault| Error::Source { name: meta.name.to_owned(), fault })?,
            Err(payload) => {
                let mut place = reader.place();
                place.record = Some(place.record.map_or(cx.row, |last| last.saturating_sub(u64::from(cx.ahead))));
                let raise = move |_: &mut Cx| std::panic::resume_unwind(payload);
                return guarded(source_operators(meta), cx, raise, |_| place);
            }
        };
        let read = self.cx.row - before;
        self.rows += read;
        if let Some(limit) = &mut self.budget {
            limit.taken += read;
        }
        self.pace.done(self.live.written().saturating_sub(written), self.local.now() - from);
        Ok(polled)
    }

    fn publish(&self) {
        self.cells.rows_in.set(self.rows);
        self.cells.emitted.set(self.rows);
        for (cell, value) in self.cells.counted.iter().zip(self.counters.values()) {
            cell.set(*value);
        }
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
    F: Body<R, N, L>,
{
    #[inline(always)]
    fn row(&mut self, row: R::Row<'_>) {
        self.cx.row += 1;
        if let Some(live) = self.live {
            self.body.row(row, self.cx, self.counters, live);
        }
        // The reader runs again, which is the first operator.
        self.cx.operator = 0;
    }
    #[inline(always)]
    fn rows<'a, I: Iterator<Item = R::Row<'a>>>(&mut self, rows: I) {
        if let Some(live) = self.live.take() {
            *self.live = Some(self.body.rows(rows, self.cx, self.counters, live));
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
