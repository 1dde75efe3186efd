//! [`Run`]: an enumerator and readers driven by hand, as the engine drives them, with nothing else in between. It can be
//! stopped anywhere and gone on with elsewhere.

use crate::clock::MachineClock;
use crate::error::Fault;
use crate::source::{Emit, Enumerator, Found, Polled, Reader, RowType, Source, Split};
use std::collections::VecDeque;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Polls without a row, one behind the other, after which a reader counts as one that keeps its worker busy.
const BUSY: usize = 10_000;
/// How often to ask an enumerator that has no split just now.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// How a source is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    /// How many workers: each has one reader or, if splits are endless, one for each split that it has open.
    pub(super) readers: usize,
    pub(super) budget: usize,
    /// Whether the source ends.
    pub(super) ends: bool,
    /// How long to wait for rows that are to come.
    pub(super) patience: Duration,
}

/// Rings when a reader wakes its worker.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<Vec<bool>>,
    told: Condvar,
}

impl Bell {
    /// What lane `lane` calls.
    fn waker(self: &Arc<Self>, lane: usize) -> crate::source::Waker {
        let bell = Arc::clone(self);
        bell.with(|rung| rung.resize(rung.len().max(lane + 1), false));
        Arc::new(move || {
            bell.with(|rung| rung.iter_mut().skip(lane).take(1).for_each(|rung| *rung = true));
            bell.told.notify_all();
        })
    }

    fn with<T>(&self, f: impl FnOnce(&mut Vec<bool>) -> T) -> T {
        f(&mut self.rung.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it rang for this lane since the last time.
    fn take(&self, lane: usize) -> bool {
        self.with(|rung| rung.get_mut(lane).is_some_and(std::mem::take))
    }

    /// Waits until it rings for anybody.
    fn wait(&self, time: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        if !rung.contains(&true) {
            drop(self.told.wait_timeout(rung, time));
        }
    }
}

/// Where a run was stopped.
#[derive(Clone, Debug)]
pub(super) struct Stopped {
    pub(super) state: Vec<u8>,
    pub(super) open: Vec<(Split, Vec<u8>)>,
    /// Rows that had come by then.
    pub(super) rows: Vec<String>,
}

struct Lane<D> {
    reader: D,
    open: Option<Split>,
    dry: bool,
    /// Polls without a row since the last row.
    empty: usize,
}

/// A source that is being read.
pub(super) struct Run<'m, R: RowType, S: Source<R>> {
    how: How,
    /// The connector as each worker has it.
    workers: Vec<S>,
    endless: bool,
    enumerator: Box<dyn Enumerator>,
    lanes: Vec<Lane<S::Reader>>,
    bell: Arc<Bell>,
    /// Splits that were open where another run stopped.
    pending: VecDeque<(Split, Vec<u8>)>,
    finished: bool,
    later: bool,
    /// Splits in the order in which they were found.
    pub(super) splits: Vec<Split>,
    /// Each row with its split's number.
    pub(super) rows: Vec<(u64, String)>,
    rows_of: PhantomData<&'m R>,
}

/// What one turn brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Something happened.
    On,
    /// There is nothing to do just now.
    Idle,
    /// Everything has been read.
    Done,
}

pub(super) fn told(fault: Fault) -> String {
    format!("an error: {fault}")
}

impl<'m, R: RowType, S: Source<R>> Run<'m, R, S>
where
    for<'a> R::Row<'a>: Debug,
{
    pub(super) fn new(make: &'m dyn Fn() -> S, how: How, from: Option<&Stopped>) -> Result<Self, String> {
        let mut run = Run {
            how,
            workers: (0..how.readers).map(|_| make()).collect(),
            endless: make().endless(),
            enumerator: make().enumerator(from.map(|from| &*from.state)).map_err(told)?,
            lanes: Vec::new(),
            bell: Arc::default(),
            pending: from.map(|from| from.open.clone()).unwrap_or_default().into(),
            finished: false,
            later: false,
            splits: Vec::new(),
            rows: Vec::new(),
            rows_of: PhantomData,
        };
        if !run.endless {
            (0..how.readers).try_for_each(|_| run.add_lane())?;
        }
        Ok(run)
    }

    fn add_lane(&mut self) -> Result<(), String> {
        let worker = self.lanes.len() % self.workers.len().max(1);
        let Some(connector) = self.workers.get_mut(worker) else { return Err("no worker reads".to_owned()) };
        let mut reader = connector.reader().map_err(told)?;
        reader.wake_with(self.bell.waker(self.lanes.len()));
        self.lanes.push(Lane { reader, open: None, dry: false, empty: 0 });
        Ok(())
    }

    /// Asks for splits and polls each reader once.
    pub(super) fn turn(&mut self) -> Result<Turn, String> {
        let mut on = self.hand_out()?;
        for number in 0..self.lanes.len() {
            on |= self.poll(number, false)?;
        }
        let open = self.lanes.iter().any(|lane| lane.open.is_some());
        Ok(match (on, self.finished && !open && self.pending.is_empty()) {
            (_, true) => Turn::Done,
            (true, _) => Turn::On,
            (false, _) => Turn::Idle,
        })
    }

    fn hand_out(&mut self) -> Result<bool, String> {
        let mut on = false;
        loop {
            let free = self.lanes.iter().position(|lane| lane.open.is_none());
            if free.is_none() && !self.endless {
                return Ok(on);
            }
            let (split, from) = match self.pending.pop_front() {
                Some((split, from)) => (split, Some(from)),
                None if self.finished => return Ok(on),
                None => match self.enumerator.next().map_err(told)? {
                    Found::Split(split) => {
                        self.splits.push(split.clone());
                        (split, None)
                    }
                    Found::Later => {
                        self.later = true;
                        return Ok(on);
                    }
                    Found::Finished => {
                        self.finished = true;
                        return Ok(true);
                    }
                },
            };
            let free = match free {
                Some(free) => free,
                None => {
                    self.add_lane()?;
                    self.lanes.len() - 1
                }
            };
            if let Some(lane) = self.lanes.get_mut(free) {
                let at = format!("split {}", split.id);
                lane.reader.open(split.clone(), from.as_deref()).map_err(|e| format!("{at}: {}", told(e)))?;
                (lane.open, lane.dry, lane.empty) = (Some(split), false, 0);
            }
            on = true;
        }
    }

    /// Polls a reader that has something to say, or one that does not think so.
    fn poll(&mut self, number: usize, anyway: bool) -> Result<bool, String> {
        let rang = self.bell.take(number);
        let Some(lane) = self.lanes.get_mut(number) else { return Ok(false) };
        let Some(split) = &lane.open else { return Ok(false) };
        if lane.dry && !rang && !anyway {
            return Ok(false);
        }
        let mut kept = Kept { rows: &mut self.rows, split: split.id };
        let before = kept.rows.len();
        let polled = lane.reader.poll(self.how.budget, &mut kept).map_err(told)?;
        let got = self.rows.len() - before;
        if got > 2 * self.how.budget + 64 {
            return Err(format!("a poll with a budget of {} gave {got} rows", self.how.budget));
        }
        lane.empty = if got == 0 { lane.empty + 1 } else { 0 };
        lane.dry = polled == Polled::Dry;
        match polled {
            Polled::SplitDone => lane.open = None,
            Polled::More if lane.empty > BUSY => {
                return Err(format!(
                    "split {}: the reader has said `More` {BUSY} times without a row: it keeps a worker busy; say `Dry`",
                    split.id
                ));
            }
            _ => {}
        }
        Ok(got > 0 || polled != Polled::Dry)
    }

    /// Reads on until everything is read or, if the source does not end, until `want` rows have come and there is nothing
    /// more for now.
    pub(super) fn read(&mut self, want: usize) -> Result<(), String> {
        let clock = MachineClock::start();
        let mut idle_since = None;
        loop {
            match self.turn()? {
                Turn::Done => return Ok(()),
                Turn::On => idle_since = None,
                Turn::Idle if !self.how.ends && self.rows.len() >= want => return Ok(()),
                Turn::Idle => {
                    let now = clock.now();
                    if now - *idle_since.get_or_insert(now) >= self.how.patience {
                        return self.why_idle();
                    }
                    self.bell.wait(ASK_AGAIN);
                }
            }
        }
    }

    /// Nothing comes any more, though it should.
    fn why_idle(&mut self) -> Result<(), String> {
        for number in 0..self.lanes.len() {
            let before = self.rows.len();
            self.poll(number, true)?;
            if self.rows.len() > before {
                return Err("a reader that was `Dry` has rows, and has not called its waker".to_owned());
            }
        }
        if !self.how.ends {
            let waits = !self.pending.is_empty() || matches!(self.ask()?, Found::Split(_));
            let dry = self.lanes.iter().find(|lane| lane.dry).and_then(|lane| lane.open.as_ref());
            if let (false, true, Some(split)) = (self.endless, waits, dry) {
                return Err(format!(
                    "split {} is `Dry` and keeps its reader while other splits wait for one; a source whose splits do not end says so: `endless`",
                    split.id
                ));
            }
            // What is missing is told by whoever compares.
            return Ok(());
        }
        let open: Vec<String> =
            self.lanes.iter().filter_map(|lane| lane.open.as_ref()).map(|split| split.id.to_string()).collect();
        Err(match open.is_empty() {
            true => "the enumerator says `Later` for ever; a source that ends says `Finished`".to_owned(),
            false => format!("split {} is `Dry` for ever; a split that ends says `SplitDone`", open.join(", ")),
        })
    }

    /// What the enumerator says now.
    pub(super) fn ask(&mut self) -> Result<Found, String> {
        self.enumerator.next().map_err(told)
    }

    /// Whether the enumerator has said `Later`.
    pub(super) fn said_later(&self) -> bool {
        self.later
    }

    /// What a checkpoint would hold here.
    pub(super) fn stop(&self) -> Stopped {
        let open = self.lanes.iter().filter_map(|lane| Some((lane.open.clone()?, lane.reader.position())));
        Stopped {
            state: self.enumerator.state(),
            open: open.chain(self.pending.iter().cloned()).collect(),
            rows: self.rows.iter().map(|(_, row)| row.clone()).collect(),
        }
    }

    /// The position in the first split that is open.
    pub(super) fn position(&self) -> Option<Vec<u8>> {
        self.lanes.iter().find(|lane| lane.open.is_some()).map(|lane| lane.reader.position())
    }

    /// The rows so far, split by split in the order of their numbers.
    pub(super) fn by_split(&self) -> Vec<String> {
        let mut rows = self.rows.clone();
        rows.sort_by_key(|(split, _)| *split);
        rows.into_iter().map(|(_, row)| row).collect()
    }
}

/// Keeps what a reader emits.
struct Kept<'k> {
    rows: &'k mut Vec<(u64, String)>,
    split: u64,
}

impl<R: RowType> Emit<R> for Kept<'_>
where
    for<'a> R::Row<'a>: Debug,
{
    fn row(&mut self, row: R::Row<'_>) {
        self.rows.push((self.split, format!("{row:?}")));
    }
    fn bad(&mut self, _: &[u8], fault: Fault) -> Result<(), Fault> {
        Err(fault)
    }
}
