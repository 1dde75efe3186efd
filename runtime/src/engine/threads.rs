//! The worker threads of an attempt: named, pinned if that is wanted, each with its part of timely's channels.

use super::control::{ToCoordinator, WorkerHandle};
use super::files::Files;
use super::local::Local;
use super::meets::Meets;
use super::resume::Resume;
use super::saver::Saver;
use super::worker;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Fault};
use crate::metrics::Metrics;
use crate::source::Waker;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use timely::communication::Allocator;
use timely::communication::allocator::{ProcessBuilder, Thread};

/// What each worker is told of the attempt.
pub struct Begin {
    pub attempt: u64,
    pub resume: Resume,
    pub saver: Option<Saver>,
    pub files: Arc<Files>,
    pub meets: Arc<Meets>,
}

pub type Threads = Vec<std::thread::JoinHandle<()>>;

/// Starts the workers. Each builds its copy of the graph and runs until it is told to stop, or all has been read.
pub fn spawn(
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
