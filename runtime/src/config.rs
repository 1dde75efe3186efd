//! How a job is run: settings of the engine, with their defaults. Checked once at start.

use std::time::Duration;

/// How a job is run. `Config::default()` is one worker per core.
///
/// ```
/// let config = pelton::Config::default().workers(2);
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) workers: usize,
    pub(crate) pin: bool,
    pub(crate) frame_rows: Option<usize>,
    pub(crate) latency: Duration,
    pub(crate) epoch: Duration,
    pub(crate) wire: bool,
    pub(crate) progress: bool,
    pub(crate) stop_timeout: Duration,
    pub(crate) handle_interrupt: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            workers: std::thread::available_parallelism().map_or(1, |n| n.get()),
            pin: false,
            frame_rows: None,
            latency: Duration::from_millis(10),
            epoch: Duration::from_secs(1),
            wire: false,
            progress: false,
            stop_timeout: Duration::from_secs(10),
            handle_interrupt: false,
        }
    }
}

impl Config {
    /// How many worker threads; at least one.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }
    /// Whether each worker is pinned to a core of its own.
    pub fn pin(mut self, pin: bool) -> Self {
        self.pin = pin;
        self
    }
    /// Rows in a full frame. Without it a frame is as many rows as make about 128 KiB, at most 8,192.
    pub fn frame_rows(mut self, rows: usize) -> Self {
        self.frame_rows = Some(rows);
        self
    }
    /// How long a row may wait in a frame that is not full. 10 ms by default.
    pub fn latency(mut self, bound: Duration) -> Self {
        self.latency = bound;
        self
    }
    /// How often a barrier goes through the graph. 1 s by default.
    pub fn epoch(mut self, every: Duration) -> Self {
        self.epoch = every;
        self
    }
    /// Whether rows cross exchanges as bytes even inside one process: slower, for tests of codecs.
    pub fn wire(mut self, wire: bool) -> Self {
        self.wire = wire;
        self
    }
    /// Whether progress is shown on the terminal (standard error).
    pub fn progress(mut self, show: bool) -> Self {
        self.progress = show;
        self
    }
    /// How long the others wait for a worker that is busy in user code when the run must stop.
    pub fn stop_timeout(mut self, timeout: Duration) -> Self {
        self.stop_timeout = timeout;
        self
    }
    /// Whether Ctrl-C ends the run cleanly. The binary's `run` does; an embedded job decides itself.
    pub fn handle_interrupt(mut self, handle: bool) -> Self {
        self.handle_interrupt = handle;
        self
    }
}
