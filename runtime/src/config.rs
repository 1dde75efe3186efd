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
    pub(crate) checkpoints: Option<Checkpoints>,
    /// Where backends with files keep them.
    pub(crate) state_dir: Option<std::path::PathBuf>,
    /// Memory for the tables of backends that have files.
    pub(crate) state_memory: u64,
    pub(crate) restart: Restart,
    pub(crate) fresh: bool,
}

/// A store, of which this layer knows nothing.
#[derive(Clone)]
pub(crate) struct Store(pub(crate) std::sync::Arc<dyn std::any::Any + Send + Sync>);

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

/// Where and how often a job keeps checkpoints.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoints {
    /// A directory or a URL.
    pub(crate) place: String,
    /// A store that is there already, instead of the place.
    pub(crate) store: Option<Store>,
    /// From the start of one to the start of the next.
    pub(crate) every: Duration,
    /// A checkpoint that takes longer is given up.
    pub(crate) timeout: Duration,
    /// The least time from the end of one to the start of the next.
    pub(crate) pause: Duration,
    /// How many are kept.
    pub(crate) keep: usize,
    /// How many in a row may fail.
    pub(crate) tolerate: u32,
}

/// Whether a run that has failed goes on from its last checkpoint by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// With checkpoints like [`Exponential`](Restart::Exponential) from 1 s to 1 min; without them not at all.
    #[default]
    Usual,
    /// It does not.
    Never,
    /// After a pause, so many times at most.
    Fixed {
        /// The pause.
        pause: Duration,
        /// How many times.
        at_most: u32,
    },
    /// After pauses that double from `first` to `longest`, and begin anew when a checkpoint has been kept meanwhile.
    Exponential {
        /// The first pause.
        first: Duration,
        /// The longest.
        longest: Duration,
    },
    /// After a second each time, unless it has failed more often than so many times within `per`.
    FailureRate {
        /// How many times.
        at_most: u32,
        /// Within which time.
        per: Duration,
    },
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
            checkpoints: None,
            state_dir: None,
            state_memory: 2 << 30,
            restart: Restart::Usual,
            fresh: false,
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
    /// Where a backend with files (`FileSystem`) keeps them while the job runs; the system's folder for temporary files if not given.
    /// A checkpoint in a directory on the same disk links them and copies nothing. Nothing there is needed after the run.
    pub fn state_dir(mut self, folder: impl Into<std::path::PathBuf>) -> Self {
        self.state_dir = Some(folder.into());
        self
    }
    /// About how many bytes of memory a backend with files may use for what is in use, over all workers; 2 GiB if not given. Beyond
    /// that, what is on disk already is dropped from memory. What keys and values own on the heap is not counted.
    pub fn state_memory(mut self, bytes: u64) -> Self {
        self.state_memory = bytes;
        self
    }
    /// Keeps checkpoints in a directory or at a URL, and goes on from the newest one that is there. `memory://name` is for tests.
    pub fn checkpoints(mut self, place: impl Into<String>) -> Self {
        let place = place.into();
        self.checkpoints = Some(Checkpoints {
            place,
            store: None,
            every: self.epoch,
            timeout: Duration::from_secs(600),
            pause: Duration::ZERO,
            keep: 2,
            tolerate: 2,
        });
        self
    }
    /// Keeps checkpoints in a store that is there already: one in which things go wrong, say.
    #[doc(hidden)]
    pub fn checkpoint_store(self, store: std::sync::Arc<dyn std::any::Any + Send + Sync>) -> Self {
        self.checkpoints("memory://given").with_checkpoints(|c| c.store = Some(Store(store.clone())))
    }
    /// How often a checkpoint is begun. Call [`checkpoints`](Config::checkpoints) first.
    pub fn checkpoint_every(mut self, every: Duration) -> Self {
        self.epoch = every;
        self.with_checkpoints(|c| c.every = every)
    }
    /// A checkpoint that takes longer is given up. 10 minutes by default.
    pub fn checkpoint_timeout(self, timeout: Duration) -> Self {
        self.with_checkpoints(|c| c.timeout = timeout)
    }
    /// The least time between the end of a checkpoint and the start of the next. None by default.
    pub fn checkpoint_pause(self, pause: Duration) -> Self {
        self.with_checkpoints(|c| c.pause = pause)
    }
    /// How many checkpoints are kept: 1 or more, 2 by default.
    pub fn keep_checkpoints(self, keep: usize) -> Self {
        self.with_checkpoints(|c| c.keep = keep)
    }
    /// How many checkpoints in a row may fail before the attempt does. 2 by default.
    pub fn tolerate_checkpoints(self, failures: u32) -> Self {
        self.with_checkpoints(|c| c.tolerate = failures)
    }
    fn with_checkpoints(mut self, change: impl FnMut(&mut Checkpoints)) -> Self {
        self.checkpoints.iter_mut().for_each(change);
        self
    }
    /// Whether a run that has failed goes on from its last checkpoint by itself.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }
    /// Begins anew, though there is a checkpoint to go on from.
    pub fn fresh(mut self, fresh: bool) -> Self {
        self.fresh = fresh;
        self
    }
    /// Whether Ctrl-C ends the run cleanly. The binary's `run` does; an embedded job decides itself.
    pub fn handle_interrupt(mut self, handle: bool) -> Self {
        self.handle_interrupt = handle;
        self
    }
}
