//! How long the values of `aggregate`, `reduce` and `fold` live: what time it is for a row, and the sweep.
//!
//! Age is judged by the greater of a row's event time and the watermark before it, or by the clock where there is no event
//! time. The sweep goes by the watermark, so it takes nothing away that a row could still see.

use crate::clock::Clock;
use crate::frame::{Mark, Time};
use crate::key::Key;
use crate::record::Record;
use crate::state::Backend;
use crate::state::keyed::KeyedState;
use crate::state::sweep::{self, Sweep};
use crate::state::ttl::{Age, Aged};
use std::marker::PhantomData;
use std::sync::Arc;

/// What an operator knows of it.
pub struct Lifetime<G> {
    ttl: i64,
    clock: Arc<dyn Clock>,
    watermark: i64,
    sweep: Sweep,
    age: PhantomData<G>,
}

/// What time it is for each row of a batch.
pub struct Nows<'f, T, G> {
    times: &'f [T],
    marks: std::slice::Iter<'f, Mark>,
    watermark: i64,
    clock: i64,
    age: PhantomData<G>,
}

impl<T: Time, G: Age> Nows<'_, T, G> {
    /// For the row at this place; they are asked for in order.
    #[inline(always)]
    pub fn at(&mut self, at: usize) -> i64 {
        if !G::ENDS {
            return i64::MIN;
        }
        if !T::TIMED {
            return self.clock;
        }
        while let Some(mark) = self.marks.as_slice().first().filter(|mark| mark.row as usize <= at) {
            self.watermark = self.watermark.max(mark.watermark);
            self.marks.next();
        }
        self.times[at].ms().max(self.watermark)
    }
}

impl<G: Age> Lifetime<G> {
    /// So many ms, if age matters.
    pub fn new(ttl: i64, clock: Arc<dyn Clock>) -> Self {
        Lifetime { ttl, clock, watermark: i64::MIN, sweep: Sweep::new(G::ENDS.then_some(ttl)), age: PhantomData }
    }

    /// In ms.
    #[inline(always)]
    pub fn ttl(&self) -> i64 {
        self.ttl
    }

    /// The times of a batch.
    pub fn nows<'f, T: Time>(&mut self, times: &'f [T], marks: &'f [Mark], watermark: i64) -> Nows<'f, T, G> {
        self.watermark = self.watermark.max(watermark);
        let clock = if G::ENDS && !T::TIMED { self.clock() } else { 0 };
        Nows { times, marks: marks.iter(), watermark: self.watermark, clock, age: PhantomData }
    }

    /// What time it is when no row is at hand.
    pub fn now<T: Time>(&self) -> i64 {
        if !G::ENDS || T::TIMED { self.watermark } else { self.clock() }
    }

    /// The watermark has moved.
    pub fn advance<K: Key, X: Record, B: Backend, T: Time>(
        &mut self,
        values: &mut KeyedState<K, Aged<X, G>, B>,
        watermark: i64,
    ) {
        // The end of the input is not a time.
        if watermark != i64::MAX {
            self.watermark = self.watermark.max(watermark);
            self.sweep_after::<K, X, B, T>(values, sweep::IDLE);
        }
    }

    /// Goes on with the sweep, after so many rows.
    pub fn sweep_after<K: Key, X: Record, B: Backend, T: Time>(
        &mut self,
        values: &mut KeyedState<K, Aged<X, G>, B>,
        rows: usize,
    ) {
        if G::ENDS {
            let (ttl, now) = (self.ttl, if T::TIMED { self.watermark } else { self.clock() });
            self.sweep.go_on(values, rows, now, |aged| aged.since.over(ttl, now), |_| true);
        }
    }

    /// The machine's clock, in ms since 1970.
    fn clock(&self) -> i64 {
        self.clock.began().saturating_add(self.clock.now().as_millis() as i64)
    }
}
