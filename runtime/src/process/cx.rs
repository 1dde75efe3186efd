//! What a handler does besides its states: emit rows, set timers, ask for the key and the time.

use super::alarms::NONE;
use crate::frame::Timed;
use crate::key::Key;
use crate::time::Timestamp;
use std::marker::PhantomData;

/// A timer that goes by the time of the events: `timer quiet: event_time;`. It fires when all rows before its time are there.
pub enum EventTime {}
/// A timer that goes by the machine's clock: `timer retry: processing_time;`.
pub enum ProcessingTime {}

/// A declared timer, by which handlers name it.
pub struct Timer<C> {
    number: usize,
    clock: PhantomData<C>,
}

impl<C> Timer<C> {
    /// The timer with this number.
    pub const fn number(number: usize) -> Self {
        Timer { number, clock: PhantomData }
    }
}
impl<C> Clone for Timer<C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<C> Copy for Timer<C> {}

/// What a timer can go by.
pub trait TimerClock {
    /// Its place in [`Moment::floor`].
    const BY: usize;
}
impl TimerClock for EventTime {
    const BY: usize = 0;
}
impl TimerClock for ProcessingTime {
    const BY: usize = 1;
}

/// When a handler is called.
#[derive(Clone, Copy)]
pub struct Moment {
    /// The event time of what it is called for, and of what it emits, in ms.
    pub time: i64,
    /// By which states are judged, in ms.
    pub now: i64,
    /// The watermark, in ms.
    pub watermark: i64,
    /// The machine's clock, in ms since 1970.
    pub clock: i64,
    /// No timer is set before this, by either clock.
    pub floor: [i64; 2],
    /// No timer of event time is set behind this.
    pub limit: i64,
}

/// The context of a handler: `on event(row, cx)`.
pub struct Cx<'a, K: Key, O, T> {
    key: K::Ref<'a>,
    emitted: &'a mut Vec<(O, i64)>,
    timers: &'a mut [i64],
    moment: &'a Moment,
    pub(super) set: bool,
    rows: PhantomData<T>,
}

impl<'a, K: Key, O, T> Cx<'a, K, O, T> {
    #[inline(always)]
    pub(super) fn new(
        key: K::Ref<'a>,
        emitted: &'a mut Vec<(O, i64)>,
        timers: &'a mut [i64],
        moment: &'a Moment,
    ) -> Self {
        Cx { key, emitted, timers, moment, set: false, rows: PhantomData }
    }

    #[cfg(test)]
    pub(super) fn moment_time(&self) -> i64 {
        self.moment.time
    }

    /// Gives out a row, with the event time of what the handler was called for.
    #[inline(always)]
    #[rustfmt::skip] // rustc shows the line
    pub fn emit(&mut self, row: O) { // of one type: for other rows declare `output name: Row;`
        self.emitted.push((row, self.moment.time));
    }

    /// The key: an integer by value, a string as `&str`, a derived key as `&K`.
    #[inline(always)]
    pub fn key(&self) -> K::Ref<'a> {
        self.key
    }

    /// Sets a timer of this key. Each has one time per key: one that is set already moves. A time that has passed is as
    /// good as the next moment.
    #[inline(always)]
    pub fn set<C: TimerClock>(&mut self, timer: Timer<C>, at: Timestamp) {
        let at = at.millis().max(self.moment.floor[C::BY]).min(NONE - 1);
        if C::BY == EventTime::BY && at > self.moment.limit {
            return;
        }
        if let Some(kept) = self.timers.get_mut(timer.number) {
            *kept = at;
            self.set = true;
        }
    }

    /// Cancels a timer of this key; one that is not set stays so.
    #[inline(always)]
    pub fn cancel<C: TimerClock>(&mut self, timer: Timer<C>) {
        if let Some(kept) = self.timers.get_mut(timer.number) {
            *kept = NONE;
        }
    }

    /// What a timer of this key is set for.
    pub fn due<C: TimerClock>(&self, timer: Timer<C>) -> Option<Timestamp> {
        self.timers.get(timer.number).filter(|at| **at != NONE).map(|at| Timestamp::from_millis(*at))
    }

    /// The event time of what the handler is called for: of the row, of the timer, or at the end the watermark.
    #[inline(always)]
    pub fn time(&self) -> Timestamp
    where
        T: HasTime,
    {
        Timestamp::from_millis(self.moment.time)
    }

    /// The watermark: no row before this time is waited for any more. `None` if nothing is known yet.
    pub fn watermark(&self) -> Option<Timestamp>
    where
        T: HasTime,
    {
        let watermark = self.moment.watermark;
        (watermark != i64::MIN).then(|| Timestamp::from_millis(watermark))
    }

    /// The machine's clock. It is read once for many rows, a few milliseconds apart.
    #[inline(always)]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.moment.clock)
    }
}

/// Rows with event time.
#[diagnostic::on_unimplemented(
    message = "the rows of this `process` have no event time",
    label = "needs event time",
    note = "write `event_time |r| r.at, late_by 1min` on the source; `cx.now()` is the machine's clock"
)]
pub trait HasTime {}
impl HasTime for Timed {}
