//! [`Backoff`]: whether a run that has failed goes on from its last checkpoint by itself, and after which pause.

use crate::config::Restart;
use crate::error::Error;
use std::collections::VecDeque;
use std::time::Duration;

/// The pauses between attempts.
pub struct Backoff {
    how: Restart,
    failures: VecDeque<Duration>,
    /// Failures since the last checkpoint.
    in_a_row: u32,
    all: u32,
}

impl Backoff {
    /// As the settings say.
    pub fn new(how: Restart, checkpoints: bool) -> Self {
        let usual = Restart::Exponential { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
        let how = match how {
            Restart::Usual if checkpoints => usual,
            Restart::Usual => Restart::Never,
            // Without a checkpoint to go on from, another attempt would give what the first one gave once more.
            _ if !checkpoints => Restart::Never,
            how => how,
        };
        Backoff { how, failures: VecDeque::new(), in_a_row: 0, all: 0 }
    }

    /// How long to wait before the next attempt, at a failure at this time; `None` if there is to be none. `kept` says
    /// whether a checkpoint was kept since the last one.
    pub fn pause(&mut self, error: &Error, now: Duration, kept: bool) -> Option<Duration> {
        if !may_pass(error) {
            return None;
        }
        self.all += 1;
        self.in_a_row = if kept { 1 } else { self.in_a_row + 1 };
        match self.how {
            Restart::Usual | Restart::Never => None,
            Restart::Fixed { pause, at_most } => (self.all <= at_most).then_some(pause),
            Restart::Exponential { first, longest } => {
                let factor = 1u32.checked_shl(self.in_a_row - 1).unwrap_or(u32::MAX);
                Some(first.saturating_mul(factor).min(longest))
            }
            Restart::FailureRate { at_most, per } => {
                self.failures.push_back(now);
                while self.failures.front().is_some_and(|at| now.saturating_sub(*at) > per) {
                    self.failures.pop_front();
                }
                (self.failures.len() <= at_most as usize).then_some(Duration::from_secs(1))
            }
        }
    }
}

/// Whether it makes sense to try again: not after a wrong setting, an interrupt, or when another run has taken over.
fn may_pass(error: &Error) -> bool {
    !matches!(
        error,
        Error::Setup(_) | Error::Interrupted | Error::State { .. } | Error::Stuck { .. } | Error::Superseded { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Fault, Place};

    fn failure() -> Error {
        let (operator, location, message) = (String::new(), String::new(), String::new());
        Error::Panic { operator, location, place: Place::default(), message }
    }

    #[test]
    fn pauses_double_and_begin_anew_after_a_checkpoint() {
        let mut backoff = Backoff::new(Restart::Usual, true);
        let mut pause = |kept| backoff.pause(&failure(), Duration::ZERO, kept).map(|p| p.as_secs());
        assert_eq!([false; 8].map(&mut pause), [1, 2, 4, 8, 16, 32, 60, 60].map(Some));
        assert_eq!([true, false].map(pause), [Some(1), Some(2)]);
        assert_eq!(backoff.pause(&Error::Interrupted, Duration::ZERO, false), None);
        assert_eq!(backoff.pause(&Error::Setup(Fault::new("x")), Duration::ZERO, false), None);
    }

    #[test]
    fn some_strategies_give_up() {
        let second = Duration::from_secs(1);
        let mut fixed = Backoff::new(Restart::Fixed { pause: second, at_most: 2 }, true);
        let pauses = [0, 1, 2].map(|_| fixed.pause(&failure(), Duration::ZERO, true));
        assert_eq!(pauses, [Some(second), Some(second), None]);
        let mut rate = Backoff::new(Restart::FailureRate { at_most: 2, per: 10 * second }, true);
        let pauses = [0, 1, 20, 21, 22].map(|at| rate.pause(&failure(), at * second, false).is_some());
        assert_eq!(pauses, [true, true, true, true, false]);
        assert!(Backoff::new(Restart::Usual, false).pause(&failure(), Duration::ZERO, false).is_none());
        assert!(
            Backoff::new(Restart::Fixed { pause: second, at_most: 2 }, false)
                .pause(&failure(), second, false)
                .is_none()
        );
    }
}
