//! The engine: one attempt at running a job. The only folder that names timely, which moves frames between the chains,
//! schedules them and tells when all of an epoch has arrived.
//!
//! An attempt is worker threads, each with its copy of the graph, and the coordinator on the calling thread. They
//! talk by messages alone. Whatever fails anywhere ends the attempt everywhere.

mod attempt;
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
mod piece;
mod port;
mod requests;
mod resume;
mod run;
mod saver;
mod source;
mod stage;
mod start;
mod summary;
mod threads;
mod time;
mod underneath;
mod worker;

pub use graph::{EdgeIn, Graph, StoredOperator, combined_edge, keyed_edge, local_edge, sink, spread_edge};
pub use guard::{Made, makes};
pub use local::Local;
pub use meta::{ChainMeta, EdgeMeta, IDLE_AFTER, JobMeta, OnError, OperatorMeta, SinkMeta, SourceMeta};
pub use piece::{
    Asked, Asks, At, Behind, BothTimed, Brings, ByKey, Deep, Depth, EitherTimed, Enter, EnterKeyed, Entered,
    EnteredKeyed, EventTimed, Here, IsFlow, Keyed, KeyedLink, Link, Nested, Next, NoFlow, Open, Output, Piece, Place,
    Plain, Stream, Taken, ThenMore, ThenNone, ThenOne, There, Used, When, entry, entry_filtered, entry_keyed,
    entry_through, followed, keyed_link, link, used,
};
pub use port::{EdgeOut, EdgePort, Outs, SinkPort};
pub use run::execute;
pub use source::{Counters, no_errors, source, source_filtered, source_through};
pub use stage::{no_late, stage};

use crate::clock::MachineClock;
use crate::config::Config;
use crate::error::{Error, Fault};
use crate::lock::StateMeta;
use crate::plan::Plan;
use files::Files;
use resume::Resume;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::channel;

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
    let built = guard::building(|| {
        build(&mut graph);
        graph.open();
    });
    // What had failed before is why it panicked.
    match local.take_failure().or(built.err()) {
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
