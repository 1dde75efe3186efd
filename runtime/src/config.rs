//! How a job is run: settings of the engine, with their defaults. Checked once at start.

use std::path::PathBuf;
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
    pub(crate) log: LogForm,
    pub(crate) stop_timeout: Duration,
    pub(crate) handle_interrupt: bool,
    pub(crate) checkpoints: Option<Checkpoints>,
    /// Where backends with files keep them.
    pub(crate) state_dir: Option<PathBuf>,
    /// Memory for the tables of backends that have files.
    pub(crate) state_memory: u64,
    pub(crate) restart: Restart,
    pub(crate) fresh: bool,
    pub(crate) from: Option<String>,
    pub(crate) fork: bool,
    pub(crate) must_resume: bool,
    pub(crate) control: Control,
}

/// How what happens during a run is told on standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogForm {
    /// In lines for people.
    #[default]
    Text,
    /// In lines of JSON for programs, each with `time`, `level`, `event` and `job`: `docs/command-line.md` has them all.
    Json,
}

/// Where a running job can be told something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Control {
    /// Nowhere.
    #[default]
    Off,
    /// In the directory of its checkpoints, if they are in one.
    Beside,
    /// At this path.
    At(PathBuf),
}

/// What a job's block says of checkpoints and restarts. Settings of a run come before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// From the start of one checkpoint to the start of the next.
    pub every: Option<Duration>,
    /// The param that says it.
    pub every_param: Option<&'static str>,
    /// A checkpoint that takes longer is given up.
    pub timeout: Option<Duration>,
    /// The least time from the end of one to the start of the next.
    pub pause: Option<Duration>,
    /// How many are kept.
    pub keep: Option<usize>,
    /// How many in a row may fail.
    pub tolerate: Option<u32>,
    /// Whether a run that has failed goes on by itself.
    pub restart: Restart,
}

impl Defaults {
    /// Of a block that says nothing.
    pub const NONE: Defaults = Defaults {
        every: None,
        every_param: None,
        timeout: None,
        pause: None,
        keep: None,
        tolerate: None,
        restart: Restart::Usual,
    };
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
    pub(crate) every: Option<Duration>,
    /// A checkpoint that takes longer is given up.
    pub(crate) timeout: Option<Duration>,
    /// The least time from the end of one to the start of the next.
    pub(crate) pause: Option<Duration>,
    /// How many are kept.
    pub(crate) keep: Option<usize>,
    /// How many in a row may fail.
    pub(crate) tolerate: Option<u32>,
}

impl Checkpoints {
    /// A checkpoint that takes longer is given up.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(Duration::from_secs(600))
    }
    /// The least time from the end of one to the start of the next.
    pub(crate) fn pause(&self) -> Duration {
        self.pause.unwrap_or_default()
    }
    /// How many are kept.
    pub(crate) fn keep(&self) -> usize {
        self.keep.unwrap_or(2).max(1)
    }
    /// How many in a row may fail.
    pub(crate) fn tolerate(&self) -> u32 {
        self.tolerate.unwrap_or(2)
    }
}

/// Whether a run that has failed goes on from its last checkpoint by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// As the job's block says. If it has no `restart`: with checkpoints like [`Exponential`](Restart::Exponential) from 1 s to 1 min,
    /// without them not at all.
    #[default]
    Usual,
    /// It does not. A run that finds its checkpoint damaged before it has kept one of its own still looks for an older one.
    Never,
    /// After a pause, so many times at most.
    Fixed {
        /// The pause.
        pause: Duration,
        /// How many times.
        at_most: u32,
    },
    /// After pauses that double from `first` to `longest`, and begin anew when a checkpoint has been kept meanwhile. Code that fails
    /// eight times in a row in the same way, with no checkpoint between, ends the run; what lasts
    /// ([`Fault::lasting`](crate::error::Fault::lasting)) ends it at once, whichever way is chosen.
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
            log: LogForm::Text,
            stop_timeout: Duration::from_secs(10),
            handle_interrupt: false,
            checkpoints: None,
            state_dir: None,
            state_memory: 2 << 30,
            restart: Restart::Usual,
            fresh: false,
            from: None,
            fork: false,
            must_resume: false,
            control: Control::Off,
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
    /// Whether progress is told on standard error: as a line on a terminal, or as lines of JSON with [`LogForm::Json`].
    pub fn progress(mut self, show: bool) -> Self {
        self.progress = show;
        self
    }
    /// In which form restarts, warnings, checkpoints and progress are told.
    pub fn log(mut self, form: LogForm) -> Self {
        self.log = form;
        self
    }
    /// How long the others wait for a worker that is busy in user code when the run must stop.
    pub fn stop_timeout(mut self, timeout: Duration) -> Self {
        self.stop_timeout = timeout;
        self
    }
    /// Where a backend with files (`FileSystem`, `RocksDb`) keeps them while the job runs; the system's folder for temporary files if not given.
    /// A checkpoint in a directory on the same disk links them and copies nothing. Nothing there is needed after the run.
    pub fn state_dir(mut self, folder: impl Into<PathBuf>) -> Self {
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
            every: None,
            timeout: None,
            pause: None,
            keep: None,
            tolerate: None,
        });
        self
    }
    /// Keeps checkpoints in a store that is there already: one in which things go wrong, say.
    #[doc(hidden)]
    pub fn checkpoint_store(self, store: std::sync::Arc<dyn std::any::Any + Send + Sync>) -> Self {
        self.checkpoints("memory://given").with_checkpoints(|c| c.store = Some(Store(store.clone())))
    }
    /// How often a checkpoint is begun; if the job's block does not say it either, as often as [`epoch`](Config::epoch) says. Call
    /// [`checkpoints`](Config::checkpoints) first.
    pub fn checkpoint_every(self, every: Duration) -> Self {
        self.with_checkpoints(|c| c.every = Some(every))
    }
    /// A checkpoint that takes longer is given up. 10 minutes by default.
    pub fn checkpoint_timeout(self, timeout: Duration) -> Self {
        self.with_checkpoints(|c| c.timeout = Some(timeout))
    }
    /// The least time between the end of a checkpoint and the start of the next. None by default.
    pub fn checkpoint_pause(self, pause: Duration) -> Self {
        self.with_checkpoints(|c| c.pause = Some(pause))
    }
    /// How many checkpoints are kept: 1 or more, 2 by default.
    pub fn keep_checkpoints(self, keep: usize) -> Self {
        self.with_checkpoints(|c| c.keep = Some(keep))
    }
    /// How many checkpoints in a row may fail before the attempt does. 2 by default.
    pub fn tolerate_checkpoints(self, failures: u32) -> Self {
        self.with_checkpoints(|c| c.tolerate = Some(failures))
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
    /// Goes on from this checkpoint: its number, as `state list` shows it, or the place of a savepoint. The run is refused if results of a
    /// newer one are published, unless it is a [`fork`](Config::fork).
    pub fn from(mut self, checkpoint: impl Into<String>) -> Self {
        self.from = Some(checkpoint.into());
        self
    }
    /// Begins a new branch of history: from an older checkpoint than the newest, or with other params of sources and sinks.
    /// What sinks cannot take back of the former branch stays published.
    pub fn fork(mut self, fork: bool) -> Self {
        self.fork = fork;
        self
    }
    /// Refuses to begin at the beginning of the inputs: there must be a checkpoint to go on from.
    pub fn must_resume(mut self, must: bool) -> Self {
        self.must_resume = must;
        self
    }
    /// Listens at a socket of this path, where `savepoint --control` and `stop --control` of the job's binary can reach the run. The
    /// binary's `run` listens in the directory of its checkpoints without being told; an embedded job decides itself.
    pub fn control(mut self, path: impl Into<PathBuf>) -> Self {
        self.control = Control::At(path.into());
        self
    }
    /// Listens in the directory of the checkpoints, if they are in one.
    pub(crate) fn control_beside(mut self) -> Self {
        self.control = Control::Beside;
        self
    }
    /// With what the block says where nothing else was said.
    pub(crate) fn with_defaults(mut self, block: &Defaults) -> Self {
        if let Some(checkpoints) = &mut self.checkpoints {
            checkpoints.every = checkpoints.every.or(block.every);
            checkpoints.timeout = checkpoints.timeout.or(block.timeout);
            checkpoints.pause = checkpoints.pause.or(block.pause);
            checkpoints.keep = checkpoints.keep.or(block.keep);
            checkpoints.tolerate = checkpoints.tolerate.or(block.tolerate);
            self.epoch = checkpoints.every.unwrap_or(self.epoch);
        }
        if self.restart == Restart::Usual {
            self.restart = block.restart;
        }
        self
    }
    /// Whether Ctrl-C ends the run cleanly. The binary's `run` does; an embedded job decides itself.
    pub fn handle_interrupt(mut self, handle: bool) -> Self {
        self.handle_interrupt = handle;
        self
    }
}
