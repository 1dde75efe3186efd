//! The machine's time, injected so that a simulation can own it. Nothing else in the runtime reads a clock.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970 as the machine has it; for what is kept, never for how long something takes.
pub fn unix_millis() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Tells how long ago the run began.
pub trait Clock: Send + Sync {
    /// Time since some fixed point before the run; never goes back.
    fn now(&self) -> Duration;
    /// When that point was, in ms since 1970: what is kept from one run to the next counts from there.
    fn began(&self) -> i64;
}

/// The machine's monotonic clock.
pub struct MachineClock(Instant, i64);

impl MachineClock {
    /// A clock that begins now.
    pub fn start() -> Arc<dyn Clock> {
        Arc::new(MachineClock(Instant::now(), unix_millis()))
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
    fn began(&self) -> i64 {
        self.1
    }
}
