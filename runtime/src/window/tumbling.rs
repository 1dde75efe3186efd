//! Tumbling windows: one after the other, all of one size.

use crate::error::Fault;
use crate::time::TimeSpan;

/// Windows of one size, aligned to 1970-01-01T00:00:00Z plus an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tumbling {
    size: i64,
    offset: i64,
    allow_late: i64,
    refire: bool,
}

impl Tumbling {
    /// Windows of `size`, shifted by `offset`, each kept for rows that come up to `allow_late` after its end, with a new
    /// result for each such row if `refire`, else with one result when that time is over.
    ///
    /// # Errors
    /// If the size is below 1 ms, the offset is not smaller than the size, or a span is negative.
    pub fn new(size: TimeSpan, offset: TimeSpan, allow_late: TimeSpan, refire: bool) -> Result<Self, Fault> {
        let (size, offset, allow_late) = (size.millis(), offset.millis(), allow_late.millis());
        if size < 1 {
            return Err(
                Fault::new("a window is at least 1ms long").help("give `tumbling` a positive span such as `1h`")
            );
        }
        if !(0..size).contains(&offset) {
            return Err(Fault::new("a window's offset lies between 0 and its size"));
        }
        if allow_late < 0 {
            return Err(Fault::new("`allow_late` is not negative"));
        }
        Ok(Tumbling { size, offset, allow_late, refire })
    }

    /// What stands in for a window that could not be made, until the attempt ends.
    pub(crate) const DAY: Tumbling = Tumbling { size: 86_400_000, offset: 0, allow_late: 0, refire: false };

    /// The size in ms.
    #[inline(always)]
    pub fn size_ms(self) -> i64 {
        self.size
    }
    /// By how much it is shifted, in ms.
    pub fn offset_ms(self) -> i64 {
        self.offset
    }
    /// How long it is kept for rows that come after its end, in ms.
    pub fn lateness(self) -> i64 {
        self.allow_late
    }
    /// Where the window of this time begins.
    #[inline(always)]
    pub fn start_of(self, time: i64) -> i64 {
        let into = time.wrapping_sub(self.offset).rem_euclid(self.size);
        time.saturating_sub(into)
    }
    /// Where the window that begins at `start` ends.
    #[inline(always)]
    pub fn end_of(self, start: i64) -> i64 {
        start.saturating_add(self.size)
    }
    /// The watermark at which the window is forgotten.
    #[inline(always)]
    pub fn gone(self, start: i64) -> i64 {
        self.end_of(start).saturating_add(self.allow_late)
    }
    /// The event time of its results.
    #[inline(always)]
    pub fn time_of(self, start: i64) -> i64 {
        self.end_of(start).saturating_sub(1)
    }
    /// Whether the window has closed under this watermark and each further row makes a new result. Without `refire` a
    /// window speaks once, when its allowed lateness is over.
    pub fn speaks_again(self, start: i64, watermark: i64) -> bool {
        self.refire && self.end_of(start) <= watermark
    }
    /// How far results lie behind the watermark that made them, in ms: what the output's watermark is held back by.
    pub fn lag(self) -> i64 {
        if self.refire { 0 } else { self.allow_late }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_lies_in_the_window_that_begins_before_it() {
        let hours =
            Tumbling::new(TimeSpan::from_millis(3_600_000), TimeSpan::from_millis(900_000), TimeSpan::ZERO, false);
        let hours = hours.expect("a good window");
        assert_eq!(hours.start_of(900_000), 900_000);
        assert_eq!(hours.start_of(899_999), 900_000 - 3_600_000);
        assert_eq!(hours.start_of(-1), 900_000 - 3_600_000);
        assert_eq!(hours.end_of(hours.start_of(0)), 900_000);
        assert!(Tumbling::new(TimeSpan::ZERO, TimeSpan::ZERO, TimeSpan::ZERO, false).is_err());
    }
}
