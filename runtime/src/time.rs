//! Event time: points ([`Timestamp`]) and distances ([`TimeSpan`]) on it.
//!
//! A point is a whole number of milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted. This file knows
//! nothing of clocks: what reads the machine's time is in `clock`.

use std::ops::{Add, Sub};

/// A point in event time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Before every event: the watermark of an input that has said nothing yet.
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    /// After every event: the watermark of an input that has ended.
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// The point `ms` milliseconds after (or, if negative, before) 1970-01-01T00:00:00Z.
    #[inline(always)]
    pub const fn from_millis(ms: i64) -> Self {
        Timestamp(ms)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[inline(always)]
    pub const fn millis(self) -> i64 {
        self.0
    }
}

/// A signed distance between two points in time, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TimeSpan(i64);

impl TimeSpan {
    /// No distance.
    pub const ZERO: TimeSpan = TimeSpan(0);

    /// `us` microseconds.
    pub const fn from_micros(us: i64) -> Self {
        TimeSpan(us)
    }

    /// `ms` milliseconds; saturates at about 292,000 years.
    pub const fn from_millis(ms: i64) -> Self {
        TimeSpan(ms.saturating_mul(1000))
    }

    /// Microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

impl Add<TimeSpan> for Timestamp {
    type Output = Timestamp;
    fn add(self, by: TimeSpan) -> Timestamp {
        Timestamp(self.0.saturating_add(by.millis()))
    }
}
impl Sub<TimeSpan> for Timestamp {
    type Output = Timestamp;
    fn sub(self, by: TimeSpan) -> Timestamp {
        Timestamp(self.0.saturating_sub(by.millis()))
    }
}
impl Sub for Timestamp {
    type Output = TimeSpan;
    fn sub(self, earlier: Timestamp) -> TimeSpan {
        TimeSpan::from_millis(self.0.saturating_sub(earlier.0))
    }
}
