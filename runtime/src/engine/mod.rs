//! The engine: one attempt at running a job. The only folder that names timely, which moves frames between the chains,
//! schedules them and tells when all of an epoch has arrived.
//!
//! An attempt is worker threads, each with its copy of the graph, and the coordinator on the calling thread. They
//! talk by messages alone. Whatever fails anywhere ends the attempt everywhere.

mod backoff;
mod body;
mod checkpoints;
mod control;
mod coordinator;
mod enumerators;
mod files;
mod former;
mod graph;
mod guard;
mod interrupt;
mod local;
mod meets;
mod meta;
mod pace;
mod pact;
mod port;
mod requests;
mod resume;
mod saver;
mod source;
mod stage;
mod start;
mod time;
mod underneath;
mod worker;

pub use graph::{EdgeIn, Graph, StoredOperator, combined_edge, keyed_edge, local_edge, sink};
pub use local::Local;
pub use meta::{ChainMeta, EdgeMeta, IDLE_AFTER, JobMeta, OnError, OperatorMeta, SinkMeta, SourceMeta};
pub use port::{EdgeOut, EdgePort, SinkPort};
pub use source::{no_errors, source, source_filtered};
pub use stage::{no_late, stage};

use crate::checkpoint::manifest::SinkState;
use crate::clock::{Clock, MachineClock};
use crate::config::{Config, Control};
use crate::error::{Error, Fault};
use crate::lock::StateMeta;
use crate::metrics::Metrics;
use crate::plan::Plan;
use crate::report::progress::{Progress, Snapshot};
use crate::report::{self, OperatorSummary, Summary};
use crate::sink::Committer;
use crate::socket::Listener;
use crate::source::{Found, Waker};
use backoff::Backoff;
use checkpoints::Checkpoints;
use control::{Left, ToCoordinator, ToWorker, WorkerHandle};
use coordinator::{Coordinator, Order};
use enumerators::Enumerators;
use files::Files;
use former::Former;
use meets::Meets;
use requests::{Answer, Answering, Desk, Given, Requests, Savepoints};
use resume::Resume;
use saver::Saver;
use start::Start;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use timely::communication::Allocator;
use timely::communication::allocator::{ProcessBuilder, Thread};

/// The plan of a job with these settings: what `build` would build, without opening anything.
///
/// # Errors
/// If a setting is wrong, or `build` finds an error.
pub fn plan(
    job: &'static JobMeta,
    config: &Config,
    backend: &str,
    build: impl Fn(&mut Graph<'_>),
) -> Result<Plan, Error> {
    noted(config, build).map(|graph| graph.plan(job, backend))
}

/// The states of a job, with their types. Like [`plan`] it opens nothing.
///
/// # Errors
/// As [`plan`].
pub fn states(config: &Config, build: impl Fn(&mut Graph<'_>)) -> Result<Vec<StateMeta>, Error> {
    noted(config, build).map(|graph| graph.notes.states)
}

/// What the operators of a job store, as its checkpoints name it. Like [`plan`] it opens nothing.
///
/// # Errors
/// As [`plan`].
pub fn stored(config: &Config, build: impl Fn(&mut Graph<'_>)) -> Result<Vec<StoredOperator>, Error> {
    noted(config, build).map(|graph| graph.notes.stored)
}

/// The graph as `build` notes it down.
fn noted(config: &Config, build: impl Fn(&mut Graph<'_>)) -> Result<Graph<'static>, Error> {
    check(config)?;
    let (to, _from) = channel();
    let clock = MachineClock::start();
    let local = Rc::new(Local::new(
        0,
        config.workers,
        1,
        Arc::new(config.clone()),
        clock,
        Arc::default(),
        Arc::new(|| ()),
        Resume::default(),
        None,
        Files::new(config, 0),
        Arc::default(),
        to,
    ));
    let mut graph = Graph::new(None, local.clone());
    build(&mut graph);
    match local.take_failure() {
        Some(error) => Err(error),
        None => Ok(graph),
    }
}

fn check(config: &Config) -> Result<(), Error> {
    let wrong = |what: &str, help: &str| Err(Error::Setup(Fault::new(what).help(help)));
    if config.workers == 0 {
        return wrong("a job needs at least one worker", "give `--workers 1` or more");
    }
    if config.workers > 4096 {
        return wrong("more than 4096 workers in one process", "a worker is a thread; one per core is enough");
    }
    if config.frame_rows == Some(0) {
        return wrong("a frame holds at least one row", "leave `frame_rows` out, or give 1 or more");
    }
    if config.epoch.is_zero() {
        return wrong("an epoch lasts longer than nothing", "give `epoch` a duration above zero");
    }
    let chosen = config.from.is_some() || config.fork || config.must_resume || config.fresh;
    if chosen && config.checkpoints.is_none() {
        return wrong("nothing is kept of a run without checkpoints, so none can go on from it", "say where they are");
    }
    if config.fresh && (config.from.is_some() || config.fork || config.must_resume) {
        return wrong("a run begins anew or goes on from a checkpoint, not both", "leave `fresh` out, or the others");
    }
    Ok(())
}

/// Runs a job: as many attempts as it takes, as far as the settings allow.
///
/// # Errors
/// Whatever ends the last attempt before its inputs have ended.
pub fn execute(
    job: &'static JobMeta,
    config: Config,
    backend: &str,
    build: impl Fn(&mut Graph<'_>) + Send + Sync + 'static,
) -> Result<Summary, Error> {
    let config = config.with_defaults(&job.defaults);
    let graph = noted(&config, &build)?;
    let take_back = graph.local.takes_back();
    let former = Former::of(&graph.notes, job.given_up);
    let plan = graph.plan(job, backend);
    let mut run = Run {
        job,
        backoff: Backoff::new(config.restart, config.checkpoints.is_some()),
        checkpoints: match &config.checkpoints {
            Some(settings) => {
                // Who only wants to go on is not to leave an empty place behind, where there was nothing.
                let make = !(config.must_resume && config.from.is_none());
                let (entry, former) = (checkpoints::entry(job, &config, &plan), former);
                Some(Checkpoints::open(settings, make, entry, former, take_back)?)
            }
            None => None,
        },
        plan,
        start: Start::of(&config),
        config: Arc::new(config),
        clock: MachineClock::start(),
        build: Arc::new(build),
        attempts: 0,
        desk: Desk::default(),
        listener: None,
    };
    let outcome = run.until_it_ends();
    // Those who wait are told that there is no run any more; then they are waited for.
    run.desk.end();
    outcome
}

/// A job over all of its attempts in this process.
struct Run {
    job: &'static JobMeta,
    plan: Plan,
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    build: Arc<worker::Build>,
    backoff: Backoff,
    checkpoints: Option<Checkpoints>,
    attempts: u64,
    start: Start,
    /// Where requests come in.
    desk: Desk,
    /// What hears them. Beside the checkpoints it begins when the run owns them.
    listener: Option<Listener>,
}

impl Run {
    fn until_it_ends(&mut self) -> Result<Summary, Error> {
        if matches!(self.config.control, Control::At(_)) {
            // If somebody else listens there, nothing has been touched yet.
            self.listen()?;
        }
        loop {
            let error = match self.attempt() {
                Ok(summary) => return Ok(summary),
                Err(error) => error,
            };
            let kept = self.checkpoints.as_mut().is_some_and(Checkpoints::take_kept);
            let (error, pause) = self.backoff.pause(error, self.clock.now(), kept)?;
            report::say(&format!("{error}\npelton: going on from the last checkpoint in {} ms", pause.as_millis()));
            std::thread::sleep(pause);
        }
    }

    /// Begins to listen, if the settings want it and it has not begun yet.
    fn listen(&mut self) -> Result<(), Error> {
        if self.listener.is_none() {
            let savepoints = self.checkpoints.as_ref().zip(self.config.checkpoints.as_ref());
            let savepoints = savepoints.map(|(checkpoints, settings)| Savepoints {
                place: settings.place.clone(),
                store: checkpoints.store(),
                entry: checkpoints.entry().clone(),
                scratch: self.config.state_dir.clone().unwrap_or_else(std::env::temp_dir),
                one: std::sync::Mutex::default(),
            });
            let answering = Answering { job: self.job.name, desk: self.desk.clone(), savepoints };
            self.listener = answering.listen(&self.config)?;
        }
        Ok(())
    }

    fn attempt(&mut self) -> Result<Summary, Error> {
        let (config, clock) = (self.config.clone(), self.clock.clone());
        let metrics = Arc::new(Metrics::default());
        let (to, from) = channel();
        let interrupts = interrupt::listen(config.handle_interrupt, &to)?;
        self.attempts += 1;
        let (number, resume, saver) = match &mut self.checkpoints {
            None => (self.attempts, Resume::default(), None),
            Some(checkpoints) => {
                let (number, resume) = checkpoints.begin(&self.start)?;
                self.start = std::mem::take(&mut self.start).again();
                let saver = Saver::start(checkpoints.store(), number, to.clone());
                (number, resume, Some(saver.map_err(|fault| Error::Checkpoint { fault })?))
            }
        };
        self.listen()?;
        if self.listener.is_some() {
            self.desk.open(&to);
        }
        let files = Files::new(&config, number);
        let meets = Arc::new(Meets::of(&self.plan));
        let begin = Begin { attempt: number, resume: resume.clone(), saver, files, meets: meets.clone() };
        let (handles, threads) = spawn(&config, &clock, &metrics, &self.build, &to, &begin)?;
        drop((to, begin));
        let kept = self.checkpoints.is_some();
        let mut attempt = Attempt {
            job: self.job,
            plan: &self.plan,
            config: config.clone(),
            clock: clock.clone(),
            metrics: metrics.clone(),
            from,
            handles,
            coordinator: Coordinator::new(config.workers, resume.epoch(), kept).with_meets(meets),
            resume,
            checkpoints: self.checkpoints.as_mut(),
            requests: Requests::default(),
            begun: None,
            enumerators: Enumerators::default(),
            committers: BTreeMap::new(),
            ended: vec![false; config.workers],
            bytes_total: None,
            over: false,
            stopped: false,
        };
        let mut progress = Progress::start(config.progress, self.job.name);
        let begun = clock.now();
        let outcome = attempt.run(&mut progress);
        progress.finish();
        drop(interrupts);
        self.desk.close();
        if outcome.is_err() {
            attempt.stop();
            if !kept {
                attempt.committers.values_mut().for_each(|(name, committer)| {
                    // It ends badly anyhow, and the other sinks are to be cleaned up too.
                    let _ = guard::on_coordinator(name, || committer.abort());
                });
            }
        }
        let stuck = attempt.ended.iter().position(|ended| !ended);
        for (worker, thread) in threads.into_iter().enumerate() {
            if attempt.ended.get(worker) == Some(&true) {
                // Its last word has been heard; what may still unwind is the dropping of its dataflow.
                let _ = thread.join();
            }
        }
        if outcome.is_ok() {
            attempt.requests.ended();
        }
        let stopped = attempt.stopped;
        match (outcome, stuck) {
            (Err(error), None) => Err(error),
            (Err(error), Some(worker)) => Err(Error::Stuck { worker, after: Box::new(error) }),
            (Ok(()), _) => {
                let summary = summary(self.job, &config, clock.now() - begun, &metrics, &self.plan);
                Ok(Summary { stopped, ..summary })
            }
        }
    }
}

/// What each worker is told of the attempt.
struct Begin {
    attempt: u64,
    resume: Resume,
    saver: Option<Saver>,
    files: Arc<Files>,
    meets: Arc<Meets>,
}

type Threads = Vec<std::thread::JoinHandle<()>>;

fn spawn(
    config: &Arc<Config>,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
    build: &Arc<worker::Build>,
    to: &Sender<ToCoordinator>,
    begin: &Begin,
) -> Result<(Vec<WorkerHandle>, Threads), Error> {
    let workers = config.workers;
    let refill = timely::communication::allocator::zero_copy::bytes_slab::BytesRefill {
        logic: Arc::new(|size| Box::new(vec![0u8; size]) as Box<dyn std::ops::DerefMut<Target = [u8]> + Send>),
        limit: None,
    };
    let mut builders: Vec<Option<ProcessBuilder>> = match (workers, config.wire) {
        (1, _) => vec![None],
        (_, false) => ProcessBuilder::new_typed_vector(workers, refill, None).into_iter().map(Some).collect(),
        (_, true) => ProcessBuilder::new_bytes_vector(workers, refill, None).into_iter().map(Some).collect(),
    };
    let cores = if config.pin { core_affinity::get_core_ids().unwrap_or_default() } else { Vec::new() };
    let (mut handles, mut threads) = (Vec::new(), Vec::new());
    for (index, builder) in builders.drain(..).enumerate() {
        let (config, clock, metrics, build, to) =
            (config.clone(), clock.clone(), metrics.clone(), build.clone(), to.clone());
        let (attempt, resume, saver) = (begin.attempt, begin.resume.clone(), begin.saver.clone());
        let (files, meets) = (begin.files.clone(), begin.meets.clone());
        let core = cores.get(index % cores.len().max(1)).copied();
        let (inbox_to, inbox_from) = channel();
        let thread = std::thread::Builder::new().name(format!("pelton-{index}")).spawn(move || {
            if let Some(core) = core {
                core_affinity::set_for_current(core);
            }
            let me = std::thread::current();
            let waker: Waker = Arc::new(move || me.unpark());
            let workers = config.workers;
            let local =
                Local::new(index, workers, attempt, config, clock, metrics, waker, resume, saver, files, meets, to);
            let local = Rc::new(local);
            let Ok(inbox) = inbox_from.recv() else { return };
            let allocator = match builder {
                None => Allocator::Thread(Thread::default()),
                Some(builder) => Allocator::Process(builder.build()),
            };
            worker::run(allocator, local, inbox, &*build);
        });
        let failed = |e: std::io::Error| {
            Error::Setup(
                Fault::new(format!("cannot start worker thread {index}")).because(e).help("give fewer `--workers`"),
            )
        };
        let thread = thread.map_err(failed)?;
        let (handle, inbox) = WorkerHandle::new(thread.thread().clone());
        // The thread waits for its inbox; if it is gone already, so is the run, and that is noticed below.
        let _ = inbox_to.send(inbox);
        handles.push(handle);
        threads.push(thread);
    }
    Ok((handles, threads))
}

struct Attempt<'r> {
    job: &'static JobMeta,
    plan: &'r Plan,
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    from: Receiver<ToCoordinator>,
    handles: Vec<WorkerHandle>,
    coordinator: Coordinator,
    resume: Resume,
    checkpoints: Option<&'r mut Checkpoints>,
    requests: Requests,
    /// When the checkpoint under way was begun.
    begun: Option<Duration>,
    enumerators: Enumerators,
    committers: BTreeMap<usize, (&'static str, Box<dyn Committer>)>,
    ended: Vec<bool>,
    bytes_total: Option<u64>,
    /// There is nothing left to do.
    over: bool,
    /// Because somebody has stopped the run before its inputs had ended.
    stopped: bool,
}

impl Attempt<'_> {
    /// Until the last commit, or the first failure.
    fn run(&mut self, progress: &mut Progress) -> Result<(), Error> {
        let mut next_epoch = self.clock.now() + self.config.epoch;
        loop {
            if self.over {
                return Ok(());
            }
            let now = self.clock.now();
            if now >= next_epoch {
                next_epoch = now + self.config.epoch;
                let orders = self.tick(now);
                self.carry_out(orders)?;
            }
            self.look(now)?;
            let next = self.enumerators.look_at().unwrap_or(Duration::MAX).min(next_epoch);
            let most = Duration::from_millis(if self.config.progress { 200 } else { 1000 });
            let wait = next.saturating_sub(now).min(most);
            match self.from.recv_timeout(wait) {
                Ok(message) => self.hear(message)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::Setup(Fault::new("all workers have gone without a word")));
                }
            }
            if self.coordinator.finished() && self.ended.iter().all(|ended| *ended) {
                return Ok(());
            }
            if self.config.progress {
                progress.update(&self.snapshot());
            }
        }
    }

    /// It is time for a barrier, unless the checkpoint before is still under way, or has just ended.
    fn tick(&mut self, now: Duration) -> Vec<Order> {
        let Some(settings) = &self.config.checkpoints else { return self.coordinator.tick() };
        match (self.coordinator.ending(), self.begun) {
            (Some(epoch), Some(begun)) if now > begun + settings.timeout() => self.coordinator.give_up(epoch),
            (Some(_), _) => Vec::new(),
            (None, Some(ended)) if now < ended + settings.pause() => Vec::new(),
            (None, _) => self.coordinator.tick(),
        }
    }

    fn hear(&mut self, message: ToCoordinator) -> Result<(), Error> {
        let orders = match message {
            ToCoordinator::Source { source, name, ordered, endless, enumerator } => {
                self.bytes_total = match (self.bytes_total, enumerator.total_bytes()) {
                    (known, Some(more)) => Some(known.unwrap_or(0) + more),
                    (known, None) => known,
                };
                self.enumerators.add(source, name, endless, enumerator, self.resume.source(name));
                let (reached, floor) = (self.resume.reached(name), self.resume.promised(name));
                self.coordinator.source(source, ordered, reached, floor)
            }
            ToCoordinator::Sink { sink, name, mut committer } => {
                // What the checkpoint had still to commit comes first.
                let pending = self.resume.sink_state(name).map(checkpoints::pending_of).unwrap_or_default();
                guard::on_coordinator(name, || {
                    pending.into_iter().try_for_each(|(epoch, prepared)| committer.commit(epoch, prepared))?;
                    committer.begin()
                })?
                .map_err(|fault| Error::Sink { name: name.to_owned(), fault })?;
                self.committers.insert(sink, (name, committer));
                Vec::new()
            }
            ToCoordinator::Built { worker, sources, parts } => {
                let orders = self.coordinator.built(worker, sources, parts);
                if self.coordinator.all_built() && self.resume.manifest().is_some_and(|manifest| manifest.last) {
                    // The run before had ended, but for what is done now. Nobody reads and writes meanwhile.
                    self.over = true;
                    self.stop();
                    vec![Order::Finish]
                } else {
                    orders
                }
            }
            ToCoordinator::Ask { worker, source, ended } => self.coordinator.ask(worker, source, ended),
            ToCoordinator::Closed { worker, source, ended } => {
                self.coordinator.closed(worker, source, ended);
                Vec::new()
            }
            ToCoordinator::Stands { worker, source, stand } => self.coordinator.stands(worker, source, stand),
            ToCoordinator::Exhausted { worker, source } => self.coordinator.exhausted(worker, source),
            ToCoordinator::Prepared { worker, sink, part, epoch, prepared } => {
                self.coordinator.prepared((worker, part), sink, epoch, prepared);
                Vec::new()
            }
            ToCoordinator::Saved { worker, chain, epoch, part } => {
                let well = part.is_ok();
                if let Some(checkpoints) = &mut self.checkpoints {
                    match part {
                        Ok(part) => checkpoints.add(epoch, part),
                        Err(fault) => checkpoints.lost(epoch, fault)?,
                    }
                }
                self.coordinator.saved((worker, chain), epoch, well)
            }
            ToCoordinator::Passed { worker, epoch } => self.coordinator.passed(worker, epoch),
            ToCoordinator::Asked { wish, answers } => {
                let request = self.requests.add(wish, answers);
                self.coordinator.asked(request, wish)
            }
            ToCoordinator::Written { request, well } => self.coordinator.written(request, well),
            ToCoordinator::Failed { error } => return Err(error),
            ToCoordinator::Interrupt => return Err(Error::Interrupted),
            ToCoordinator::Ended { worker } => {
                if let Some(ended) = self.ended.get_mut(worker) {
                    *ended = true;
                }
                Vec::new()
            }
        };
        self.carry_out(orders)
    }

    fn carry_out(&mut self, orders: Vec<Order>) -> Result<(), Error> {
        for order in orders {
            match order {
                Order::Find { source, worker, watermark } => {
                    let Some((found, resumed, left)) = self.enumerators.find(source)? else { continue };
                    self.handles[worker].send(ToWorker::Found { source, found, resumed, watermark, left });
                    let more = self.coordinator.all_found(source, left);
                    self.carry_out(more)?;
                }
                Order::AllAssigned(source, left) => self.tell_all(|| ToWorker::AllAssigned { source, left }),
                Order::Reached { source, worker, watermark } => {
                    self.handles[worker].send(ToWorker::Reached { source, watermark });
                }
                Order::Barrier(epoch) => {
                    self.begin_checkpoint(epoch)?;
                    self.tell_all(|| ToWorker::Barrier { epoch });
                }
                Order::Last(epoch) => self.tell_all(|| ToWorker::Last { epoch }),
                Order::Drain => self.tell_all(|| ToWorker::Drain),
                Order::Give(request, _) => {
                    let newest = self.checkpoints.as_mut().and_then(|checkpoints| checkpoints.lend_newest());
                    if let Some((number, manifest, lent)) = newest {
                        let given = Given { request, number, manifest, lent };
                        self.requests.tell(request, Answer::Given(Box::new(given)));
                    }
                }
                Order::Refuse(request, no) => self.requests.tell(request, Answer::No(no)),
                Order::Stop => (self.over, self.stopped) = (true, true),
                Order::GiveUp(epoch) => self.tell_all(|| ToWorker::GiveUp { epoch }),
                Order::Lost(epoch) => {
                    let fault = Fault::new(format!("the last epoch, {epoch}, could not be kept"));
                    return Err(Error::Checkpoint { fault });
                }
                Order::Keep(epoch, last) => {
                    let sinks = self.sink_states();
                    if let Some(checkpoints) = &mut self.checkpoints {
                        checkpoints.keep(epoch, last, sinks)?;
                    }
                    self.begun = Some(self.clock.now());
                    let orders = self.coordinator.kept(epoch);
                    self.carry_out(orders)?;
                    if let Some(checkpoints) = self.checkpoints.as_mut().filter(|_| !last) {
                        checkpoints.committed()?;
                        checkpoints.retain();
                    }
                }
                Order::Commit(epoch, sinks) => {
                    for (sink, prepared) in sinks {
                        if let Some((name, committer)) = self.committers.get_mut(&sink) {
                            let name = *name;
                            guard::on_coordinator(name, || committer.commit(epoch, prepared))?
                                .map_err(|fault| Error::Sink { name: name.to_owned(), fault })?;
                        }
                    }
                }
                Order::Finish => {
                    if let Some(checkpoints) = &mut self.checkpoints {
                        checkpoints.committed()?;
                    }
                    for (name, committer) in self.committers.values_mut() {
                        guard::on_coordinator(name, || committer.finish())?
                            .map_err(|fault| Error::Sink { name: (*name).to_owned(), fault })?;
                    }
                    if let Some(checkpoints) = &mut self.checkpoints {
                        checkpoints.finished()?;
                    }
                    for (name, committer) in self.committers.values_mut() {
                        guard::on_coordinator(name, || committer.finished())?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Hands out what has been found of endless sources.
    fn look(&mut self, now: Duration) -> Result<(), Error> {
        if self.enumerators.look_at().is_none_or(|at| now < at) {
            return Ok(());
        }
        for (source, splits, left) in self.enumerators.look(now)? {
            for (split, resumed) in splits {
                let Some((worker, watermark)) = self.coordinator.place(source) else { continue };
                let (found, left) = (Found::Split(split), Left::Some);
                self.handles[worker].send(ToWorker::Found { source, found, resumed, watermark, left });
            }
            if left == Left::None {
                let watermark = i64::MIN;
                self.tell_all(|| ToWorker::Found { source, found: Found::Finished, resumed: None, watermark, left });
            }
            let orders = self.coordinator.all_found(source, left);
            self.carry_out(orders)?;
        }
        Ok(())
    }

    /// Notes what the enumerators have found so far.
    fn begin_checkpoint(&mut self, epoch: u64) -> Result<(), Error> {
        let Some(checkpoints) = &mut self.checkpoints else { return Ok(()) };
        self.begun = Some(self.clock.now());
        let coordinator = &self.coordinator;
        let sources = self.enumerators.states(|source| coordinator.reached(source), |source| coordinator.floor(source));
        checkpoints.barrier(epoch, sources?);
        Ok(())
    }

    /// What each sink has committed, and what it will commit once the checkpoint is kept.
    fn sink_states(&self) -> Vec<SinkState> {
        let pending = self.coordinator.pending();
        let states = self.committers.iter().map(|(sink, (name, committer))| {
            let of_sink = pending.iter().flat_map(|(epoch, sinks)| {
                let prepared = sinks.get(sink).into_iter().flatten();
                prepared.map(|((worker, _), prepared)| (*epoch, *worker, prepared.0.clone()))
            });
            checkpoints::sink_state(name, &**committer, of_sink)
        });
        states.collect()
    }

    fn tell_all(&self, message: impl Fn() -> ToWorker) {
        self.handles.iter().for_each(|handle| handle.send(message()));
    }

    /// Stops all workers, and waits for them as long as the settings say.
    fn stop(&mut self) {
        self.tell_all(|| ToWorker::Stop);
        let until = self.clock.now() + self.config.stop_timeout;
        while !self.ended.iter().all(|ended| *ended) {
            let left = until.saturating_sub(self.clock.now());
            if left.is_zero() {
                return;
            }
            match self.from.recv_timeout(left) {
                Ok(ToCoordinator::Ended { worker }) => {
                    if let Some(ended) = self.ended.get_mut(worker) {
                        *ended = true;
                    }
                }
                // A sink that was opened while the run was ending is cleaned up with the others.
                Ok(ToCoordinator::Sink { sink, name, committer }) => {
                    self.committers.insert(sink, (name, committer));
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    fn snapshot(&self) -> Snapshot {
        let so_far = summary(self.job, &self.config, Duration::ZERO, &self.metrics, self.plan);
        Snapshot {
            records_in: so_far.records_in,
            records_out: so_far.records_out,
            late: so_far.late,
            skipped: so_far.skipped,
            bytes_read: self.metrics.all().iter().map(|cells| cells.bytes.get()).sum(),
            bytes_total: self.bytes_total,
        }
    }
}

/// What the counters say, in the order of the plan.
fn summary(job: &JobMeta, config: &Config, elapsed: Duration, metrics: &Metrics, plan: &Plan) -> Summary {
    let mut summary = Summary {
        job: job.name.to_owned(),
        workers: config.workers,
        elapsed,
        records_in: 0,
        records_out: 0,
        late: 0,
        skipped: 0,
        operators: Vec::new(),
        stopped: false,
    };
    let cells = metrics.all();
    for (number, chain) in plan.chains.iter().enumerate() {
        let of_chain: Vec<_> = cells.iter().filter(|c| c.chain == number).collect();
        let sum = |of: &dyn Fn(&crate::metrics::ChainCells) -> u64| of_chain.iter().map(|c| of(c)).sum::<u64>();
        let rows_in = sum(&|c| c.rows_in.get());
        let late = sum(&|c| c.late.get());
        let mut outs: Vec<u64> = Vec::new();
        for (at, operator) in chain.operators.iter().enumerate() {
            let rows_in = match operator.input {
                _ if at == 0 => rows_in,
                port::LATE => late,
                input => outs.get(input).copied().unwrap_or(0),
            };
            let rows_out = match operator.counted {
                Some(i) => sum(&|c| c.counted.get(i).map_or(0, |cell| cell.get())),
                None if at == 0 => sum(&|c| c.emitted.get()),
                None => rows_in,
            };
            outs.push(rows_out);
            summary.records_out += if operator.sink { rows_out } else { 0 };
            let (name, what) = (operator.name.clone(), operator.what.clone());
            summary.operators.push(OperatorSummary { chain: number, name, what, rows_in, rows_out });
        }
        summary.late += late;
        summary.skipped += sum(&|c| c.skipped.get());
        if of_chain.iter().any(|c| c.is_source) {
            summary.records_in += rows_in;
        }
    }
    summary
}
