//! [`Running`]: the chain while it runs: turns over its open splits, and what its part of the source has come to.

use super::super::body::Body;
use super::super::control::{Left, Stand, ToCoordinator};
use super::super::local::{Local, Mailbox};
use super::super::meta::SourceMeta;
use super::super::pace::{Alarm, Pace, TURN};
use super::super::port::{ASK_SINKS, Live, publish};
use super::Counters;
use super::budget::Budget;
use super::mail::Next;
use super::open::OpenSplits;
use super::read::LARGEST_CHUNK;
use super::wake::Wakers;
use crate::error::{Error, Fault};
use crate::frame::writer::{Cx, Ship};
use crate::metrics::{Cell, ChainCells};
use crate::plan::Operator;
use crate::source::{Polled, Reader, RowType, Source};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use timely::dataflow::operators::Capability;
use timely::scheduling::Activator;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Reads, or waits for something to read.
    Reading,
    /// Will get no more, and has said so.
    Exhausted,
    /// Has ended its last epoch.
    Ended,
}

/// What a chain begins with.
pub(super) struct Begin {
    pub(super) meta: SourceMeta,
    pub(super) operators: Rc<[Operator]>,
    /// How many counters the chain has.
    pub(super) counted: usize,
    pub(super) number: usize,
    pub(super) chain: usize,
    pub(super) endless: bool,
    pub(super) local: Rc<Local>,
    pub(super) mailbox: Rc<Mailbox>,
    pub(super) activator: Activator,
    pub(super) wakers: Wakers,
}

pub(super) struct Running<R: RowType, S: Source<R>, N, L, F> {
    pub(super) meta: SourceMeta,
    pub(super) operators: Rc<[Operator]>,
    pub(super) number: usize,
    pub(super) chain: usize,
    /// Splits do not end: all are open, each with a reader of its own. Else one is read behind the other.
    pub(super) endless: bool,
    pub(super) local: Rc<Local>,
    pub(super) mailbox: Rc<Mailbox>,
    pub(super) activator: Activator,
    pub(super) wakers: Wakers,
    cells: Arc<ChainCells>,
    pub(super) state: State,
    /// A question is under way. One is asked ahead, so that no worker waits for an answer between two splits.
    pub(super) asked: bool,
    /// The answer that came while a split was open.
    pub(super) next: Option<Next>,
    pub(super) open: OpenSplits<S::Reader>,
    /// The reader, while no split is open.
    pub(super) spare: Option<S::Reader>,
    /// There will be no more.
    pub(super) finished: bool,
    /// There was none just now: ask again then.
    pub(super) ask_at: Option<Duration>,
    /// The watermark that the last split ended with, to be told with the next question.
    pub(super) ended: Option<i64>,
    /// The greatest watermark that a split has ended with, in this attempt or before.
    pub(super) latest: i64,
    pub(super) epoch: u64,
    /// What nobody has been given yet, as far as is known here.
    pub(super) left: Left,
    /// No row is judged under an earlier watermark any more. It only goes up.
    pub(super) promised: i64,
    /// What the workers that read have come to.
    pub(super) floor: i64,
    /// Where this part stands, as the coordinator was told last, and when.
    stand: Option<(Stand, Duration)>,
    /// Since when it rests, if it does.
    rests_since: Option<Duration>,
    /// What it may read, if its rate is limited.
    pub(super) budget: Option<Budget>,
    pub(super) pace: Pace,
    pub(super) rows: u64,
    pub(super) skipped: u64,
    /// Bytes of splits that have been read to their end.
    bytes: u64,
    shipped_at: Duration,
    /// The promise when all that are behind were last told of it.
    told: i64,
    alarm: Alarm,
    pub(super) cx: Cx,
    pub(super) connector: S,
    pub(super) counters: N,
    /// Taken out while rows are read.
    pub(super) live: Option<L>,
    pub(super) body: F,
}

/// Chunks in one activation while frames leave; then the worker looks at its other operators.
const CHUNKS: usize = 8;
/// Chunks in one activation of a chain from which no frame leaves.
const CHUNKS_ALONE: usize = 64;

impl<R, S, N, L, F> Running<R, S, N, L, F>
where
    R: RowType,
    S: Source<R>,
    N: Counters,
    L: Live,
    F: Body<R, N, L>,
{
    pub(super) fn new(begin: Begin, connector: S, spare: Option<S::Reader>, counters: N, live: L, body: F) -> Self {
        let Begin { meta, operators, counted, number, chain, endless, local, mailbox, activator, wakers } = begin;
        let cells = local.metrics.add(ChainCells {
            chain,
            is_source: true,
            counted: std::iter::repeat_with(Cell::default).take(counted).collect(),
            ..ChainCells::default()
        });
        let most = local.config.frame_rows.map_or(LARGEST_CHUNK, |rows| rows.min(LARGEST_CHUNK));
        let timed = meta.late_by.is_some();
        Running {
            meta,
            number,
            chain,
            endless,
            mailbox,
            activator,
            wakers,
            cells,
            state: State::Reading,
            asked: false,
            next: None,
            open: OpenSplits::default(),
            spare,
            finished: false,
            ask_at: None,
            ended: None,
            latest: if timed { local.resume.reached(meta.name) } else { i64::MIN },
            epoch: local.resume.epoch(),
            left: Left::Some,
            promised: if timed { local.resume.promised(meta.name) } else { i64::MIN },
            floor: i64::MIN,
            stand: None,
            rests_since: None,
            budget: connector.rate().map(|rate| Budget::new(rate, local.workers)),
            pace: Pace::new(most, &operators),
            operators,
            rows: 0,
            skipped: 0,
            bytes: 0,
            shipped_at: Duration::ZERO,
            told: i64::MIN,
            alarm: Alarm::default(),
            cx: Cx::new(meta.late_by.map_or(0, |span| span.millis())),
            local,
            connector,
            counters,
            live: Some(live),
            body,
        }
    }

    pub(super) fn activate(&mut self, caps: &mut Option<Vec<Capability<u64>>>) -> bool {
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
        if self.live.open() {
            // Of many readers those that have said so may have rows; the only one is asked in any case.
            self.open.wake(!self.endless);
            self.read(caps)?;
        }
        if self.live.must_be_asked() {
            self.activator.activate_after(ASK_SINKS);
        }
        self.settle();
        self.tell_stand();
        let (now, due) = (self.local.now(), self.shipped_at + self.local.config.latency);
        // A watermark that moves is news too: rows that do not pass a filter move it.
        if self.live.waiting() > 0 || self.promise() > self.told {
            if now >= due {
                self.ship(Ship::Aged, caps);
            } else {
                self.alarm.set(due, now, &self.activator);
            }
        }
        self.live.check()
    }

    /// Reads until it is the turn of others, or there is nothing more just now.
    fn read(&mut self, caps: &[Capability<u64>]) -> Result<(), Error> {
        let sent = self.live.sent();
        let turn_ends = self.local.now() + TURN;
        for chunk in 1..=CHUNKS_ALONE {
            let polled = match self.open.turn(self.promised) {
                Some(at) => self.poll(at)?.map(|polled| (at, polled)),
                None => None,
            };
            self.live.check()?;
            let Some((at, polled)) = polled else {
                // Nothing to read just now, so nothing may wait.
                self.settle();
                self.ship(Ship::Urgent, caps);
                return Ok(());
            };
            self.settle();
            self.live.ship(Ship::Full, self.promise(), caps);
            if polled == Polled::SplitDone {
                self.close(at);
                self.go_on(caps)?;
                self.ask();
            }
            let turn_is_over = (chunk >= CHUNKS && self.live.sent() != sent) || self.local.now() >= turn_ends;
            if turn_is_over || !self.live.open() {
                break;
            }
        }
        if !self.open.is_empty() {
            self.activator.activate();
        }
        Ok(())
    }

    /// A split has been read to its end.
    fn close(&mut self, at: usize) {
        let Some(closed) = self.open.close(at) else { return };
        self.bytes += closed.reader.bytes_read();
        if self.meta.late_by.is_some() {
            self.latest = self.latest.max(closed.watermark);
        }
        if self.endless {
            let (worker, source, ended) = (self.local.worker, self.number, closed.watermark);
            self.local.tell(ToCoordinator::Closed { worker, source, ended });
        } else {
            self.ended = Some(closed.watermark);
            self.spare = Some(closed.reader);
        }
    }

    /// It reads no more, as if its input had ended: open splits are left where they are.
    pub(super) fn drain(&mut self) {
        while !self.open.is_empty() {
            self.close(0);
        }
        (self.next, self.finished, self.left) = (None, true, Left::None);
    }

    /// Whether it has nothing to read that others should wait for, until more is found.
    fn rests(&self) -> bool {
        self.open_ended() && self.next.is_none() && self.open.least().is_none()
    }

    /// Whether all is handed out that there was to read, and yet this part may not come to its end.
    fn open_ended(&self) -> bool {
        match self.left {
            Left::Some => false,
            Left::Later => true,
            Left::None => self.endless && !self.open.is_empty(),
        }
    }

    /// What this part has come to: the least of the splits that are open and of the one that waits, those left aside that have
    /// been idle for long. Nothing, as long as there may be splits that nobody has and that are as old as any.
    fn settle(&mut self) {
        let Some(_) = self.meta.late_by else { return };
        if self.endless
            && self.open_ended()
            && let Some(after) = self.meta.idle_after
        {
            let now = self.local.now();
            let after = Duration::from_micros(after.micros().max(0).unsigned_abs());
            if let Some(at) = self.open.note_idle(now, after) {
                self.alarm.set(at, now, &self.activator);
            }
        }
        let come_to = match (self.open.least(), &self.next) {
            // What comes behind it begins where it ends.
            (Some(open), _) if self.meta.ordered => Some(open),
            (Some(open), None) => Some(open),
            (open, Some(next)) if !self.meta.ordered => Some(open.unwrap_or(i64::MAX).min(next.watermark())),
            _ if self.rests() => Some(self.floor),
            _ => None,
        };
        if let Some(come_to) = come_to.filter(|_| self.all_known()) {
            self.promised = self.promised.max(come_to);
        }
    }

    /// Whether no split that nobody has may be as old as any.
    fn all_known(&self) -> bool {
        self.meta.ordered || self.left != Left::Some
    }

    /// The most that a row of the split at this place may be judged by: what the others have come to, those that wait
    /// included.
    pub(super) fn hold(&self, at: usize) -> i64 {
        let hold = match &self.next {
            _ if self.meta.ordered => i64::MAX,
            _ if self.left == Left::Some => i64::MIN,
            None => i64::MAX,
            Some(next) => next.watermark(),
        };
        hold.min(self.open.least_but(at).unwrap_or(i64::MAX)).max(self.promised)
    }

    /// Tells where this part stands, if there may be more splits later, or if another source meets this one: whoever rests follows
    /// those who read.
    fn tell_stand(&mut self) {
        let asked = self.open_ended() || self.local.meets.has(self.number);
        if self.meta.late_by.is_none() || !asked || self.state != State::Reading {
            return;
        }
        let now = self.local.now();
        let rests = self.open_ended() && self.rests();
        self.rests_since = rests.then(|| self.rests_since.unwrap_or(now));
        let stand = match self.rests_since {
            Some(since) => {
                let latest = self.latest.max(self.open.greatest().unwrap_or(i64::MIN));
                if self.is_idle(since, now) { Stand::Idle(latest) } else { Stand::Rests(latest) }
            }
            None if self.open_ended() => Stand::Reads(self.promised),
            None => Stand::Passes(self.promised),
        };
        match self.stand {
            Some((told, _)) if told == stand => return,
            // Moving on is told now and then, all else at once.
            Some((before, at))
                if std::mem::discriminant(&before) == std::mem::discriminant(&stand)
                    && !rests
                    && now < at + self.local.config.latency =>
            {
                return self.alarm.set(at + self.local.config.latency, now, &self.activator);
            }
            _ => {}
        }
        self.stand = Some((stand, now));
        self.local.tell(ToCoordinator::Stands { worker: self.local.worker, source: self.number, stand });
    }

    /// Whether this part, which rests, has done so for as long as a split does that is idle.
    fn is_idle(&mut self, since: Duration, now: Duration) -> bool {
        let Some(after) = self.meta.idle_after else { return false };
        // Those that are open would not rest otherwise.
        let at = since + Duration::from_micros(after.micros().max(0).unsigned_abs());
        if !self.open.is_empty() || now >= at {
            return true;
        }
        if self.local.meets.has(self.number) {
            self.alarm.set(at, now, &self.activator);
        }
        false
    }

    /// Sends what must go and tells all that are behind how far this is.
    fn ship(&mut self, what: Ship, caps: &[Capability<u64>]) {
        self.told = self.promise();
        self.live.ship(what, self.told, caps);
        self.shipped_at = self.local.now();
    }

    pub(super) fn failed(&self, fault: Fault) -> Error {
        Error::Source { name: self.meta.name.to_owned(), fault }
    }

    /// The watermark that this worker's part of the source has reached.
    pub(super) fn promise(&self) -> i64 {
        match self.state {
            State::Reading => self.promised,
            State::Exhausted | State::Ended => i64::MAX,
        }
    }

    fn publish(&self) {
        self.cells.rows_in.set(self.rows);
        self.cells.emitted.set(self.rows);
        publish(&self.cells, self.counters.values(), &self.live);
        self.cells.skipped.set(self.skipped);
        let open: u64 = self.open.iter().map(|split| split.reader.bytes_read()).sum();
        self.cells.bytes.set(self.bytes + open);
    }
}
