//! Event time: points ([`Timestamp`]) and distances ([`TimeSpan`]) on it.
//!
//! A point is a whole number of milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted; a distance is a
//! whole number of microseconds. Both are written and read as people write them, and saturate where a sum leaves their
//! range. This file knows nothing of clocks: what reads the machine's time is in `clock`.

mod calendar;
mod error;
mod span;
mod timestamp;

use std::ops::{Add, AddAssign, Sub, SubAssign};

pub use error::{ParseTimeError, TimeRangeError};
pub use span::TimeSpan;
pub use timestamp::Timestamp;

/// The last millisecond at or before the exact point.
impl Add<TimeSpan> for Timestamp {
    type Output = Timestamp;
    #[inline]
    fn add(self, by: TimeSpan) -> Timestamp {
        Timestamp::from_millis(self.millis().saturating_add(by.millis()))
    }
}

/// The last millisecond at or before the exact point.
impl Sub<TimeSpan> for Timestamp {
    type Output = Timestamp;
    #[inline]
    fn sub(self, by: TimeSpan) -> Timestamp {
        self + -by
    }
}

impl AddAssign<TimeSpan> for Timestamp {
    #[inline]
    fn add_assign(&mut self, by: TimeSpan) {
        *self = *self + by;
    }
}

impl SubAssign<TimeSpan> for Timestamp {
    #[inline]
    fn sub_assign(&mut self, by: TimeSpan) {
        *self = *self - by;
    }
}

impl Sub for Timestamp {
    type Output = TimeSpan;
    #[inline]
    fn sub(self, earlier: Timestamp) -> TimeSpan {
        TimeSpan::from_millis(self.millis().saturating_sub(earlier.millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_part_of_a_millisecond_rounds_down_in_both_directions() {
        let at = Timestamp::from_millis(10);
        let little = TimeSpan::from_micros(1);
        assert_eq!(at + little, at);
        assert_eq!(at - little, Timestamp::from_millis(9));
        assert_eq!(at + -little, Timestamp::from_millis(9));
    }

    #[test]
    fn sums_saturate() {
        assert_eq!(Timestamp::MAX + TimeSpan::from_millis(1), Timestamp::MAX);
        assert_eq!(Timestamp::MIN - TimeSpan::from_millis(1), Timestamp::MIN);
        assert_eq!(Timestamp::MAX - Timestamp::MIN, TimeSpan::MAX);
    }

    proptest! {
        #[test]
        fn what_was_added_is_the_difference(at in -1i64 << 50..1 << 50, by in -1i64 << 50..1 << 50) {
            let (at, by) = (Timestamp::from_millis(at), TimeSpan::from_millis(by));
            prop_assert_eq!((at + by) - at, by);
            prop_assert_eq!(at + by - by, at);
        }
    }
}
