//! The machine's time, injected so that a simulation can own it. Nothing else in the runtime reads a clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// Milliseconds since 1970 as the machine has it; for what is kept, never for how long something takes.
#[cfg(feature = "log")]
pub fn unix_millis() -> i64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Tells how long ago the run began.
pub trait Clock: Send + Sync {
    /// Time since some fixed point before the run; never goes back.
    fn now(&self) -> Duration;
}

/// The machine's monotonic clock.
pub struct MachineClock(Instant);

impl MachineClock {
    /// A clock that begins now.
    pub fn start() -> Arc<dyn Clock> {
        Arc::new(MachineClock(Instant::now()))
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}
