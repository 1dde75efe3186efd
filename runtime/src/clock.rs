//! The machine's time, injected so that a simulation can own it. Nothing else in the runtime reads a clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

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
