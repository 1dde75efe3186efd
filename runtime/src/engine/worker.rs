//! One worker thread: builds its copy of the graph, steps it, and listens to the coordinator between two steps.

use super::control::{ToCoordinator, ToWorker};
use super::graph::Graph;
use super::guard::{begin_worker, of_building};
use super::local::{Local, ToSource};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};
use timely::communication::Allocator;
use timely::worker::Worker;

/// Builds a job's graph on a worker.
pub type Build = dyn Fn(&mut Graph<'_>) + Send + Sync;

/// How long an idle worker may sleep: messages, frames and timers wake it earlier.
const SLEEP: Duration = Duration::from_millis(100);

/// Runs the worker until its chains have ended or it is told to stop. The last word goes to the coordinator.
pub fn run(allocator: Allocator, local: Rc<Local>, inbox: Receiver<ToWorker>, build: &Build) {
    begin_worker();
    let worker = local.worker;
    let ran = catch_unwind(AssertUnwindSafe(|| drive(allocator, &local, &inbox, build)));
    let error = match ran {
        Ok(()) => local.take_failure(),
        // What had failed before is why it panicked.
        Err(payload) => local.take_failure().or_else(|| Some(of_building(&*payload))),
    };
    if let Some(error) = error {
        local.tell(ToCoordinator::Failed { error });
    }
    local.tell(ToCoordinator::Ended { worker });
}

fn drive(allocator: Allocator, local: &Rc<Local>, inbox: &Receiver<ToWorker>, build: &Build) {
    let config = timely::WorkerConfig::default();
    let mut worker = Worker::new(config, allocator, Some(Instant::now()));
    worker.dataflow::<u64, _, _>(|scope| {
        let mut graph = Graph::new(Some(scope), local.clone());
        build(&mut graph);
        graph.open();
    });
    if local.failed() {
        return;
    }
    let sources = local.sources();
    local.tell(ToCoordinator::Built { worker: local.worker, sources: sources.len(), parts: local.parts() });
    for source in &sources {
        source.put(None);
    }
    let put = |source: usize, message| {
        if let Some(source) = sources.get(source) {
            source.put(Some(message));
        }
    };
    loop {
        loop {
            match inbox.try_recv() {
                Ok(ToWorker::Stop) | Err(TryRecvError::Disconnected) => return,
                Ok(ToWorker::GiveUp { epoch }) => local.give_up(epoch),
                Ok(ToWorker::Found { source, found, resumed, watermark, left }) => {
                    put(source, ToSource::Found(found, resumed, watermark, left));
                }
                Ok(ToWorker::AllAssigned { source, left }) => put(source, ToSource::AllAssigned(left)),
                Ok(ToWorker::Reached { source, watermark }) => put(source, ToSource::Reached(watermark)),
                Ok(ToWorker::Drain) => sources.iter().for_each(|s| s.put(Some(ToSource::Drain))),
                Ok(ToWorker::Barrier { epoch }) => sources.iter().for_each(|s| s.put(Some(ToSource::Barrier(epoch)))),
                Ok(ToWorker::Last { epoch }) => sources.iter().for_each(|s| s.put(Some(ToSource::Last(epoch)))),
                Err(TryRecvError::Empty) => break,
            }
        }
        let more = worker.step_or_park(Some(SLEEP));
        // A worker in which something failed is not stepped again.
        if local.failed() || (!more && local.all_ended()) {
            return;
        }
    }
}
