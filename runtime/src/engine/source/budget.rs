//! [`Budget`]: a worker's share of a limited rate.

use std::time::Duration;

/// What a worker may read.
pub struct Budget {
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
    /// For one of so many workers, which together take `rate` records in a second.
    pub fn new(rate: u64, workers: usize) -> Self {
        Budget { rate, workers, since: None, taken: 0 }
    }

    /// How many records may be read now; if none, when one may.
    pub fn left(&mut self, now: Duration) -> Result<usize, Duration> {
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

    /// So many records were read.
    pub fn take(&mut self, records: u64) {
        self.taken += records;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_held_and_what_was_not_taken_is_not_made_up_for() {
        let at = Duration::from_millis;
        let mut budget = Budget::new(1000, 2);
        assert_eq!(budget.left(at(0)), Err(at(2)), "the first is due after 2 ms");
        assert_eq!(budget.left(at(10)), Ok(5));
        budget.take(5);
        assert_eq!(budget.left(at(10)), Err(at(12)));
        assert_eq!(budget.left(at(5_000)), Ok(1), "a new stretch");
        assert_eq!(Budget::new(0, 1).left(at(3)), Err(at(1_003)));
    }
}
