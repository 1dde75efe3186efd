//! The machine's time, injected so that a simulation can own it. Nothing else in the runtime reads a clock.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

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
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Arc::new(MachineClock(Instant::now(), since.as_millis() as i64))
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
