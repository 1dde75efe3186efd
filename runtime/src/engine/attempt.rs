//! [`Attempt`]: the coordinator's side of one attempt. It hears what workers and others say, asks the [`Coordinator`] what
//! follows, and carries its orders out: enumerators, committers and the log of checkpoints are here, and no decision.

use super::checkpoints::{self, Checkpoints};
use super::control::{Left, ToCoordinator, ToWorker, WorkerHandle};
use super::coordinator::{Coordinator, Order};
use super::enumerators::Enumerators;
use super::guard;
use super::meta::JobMeta;
use super::requests::{Answer, Given, Requests};
use super::resume::Resume;
use super::summary::summary;
use crate::checkpoint::manifest::SinkState;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Fault};
use crate::metrics::Metrics;
use crate::plan::Plan;
use crate::report::progress::{Progress, Snapshot};
use crate::sink::Committer;
use crate::source::Found;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// One attempt, as the thread that called `run` sees it.
pub struct Attempt<'r> {
    pub job: &'static JobMeta,
    pub plan: &'r Plan,
    pub config: Arc<Config>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub from: Receiver<ToCoordinator>,
    pub handles: Vec<WorkerHandle>,
    pub coordinator: Coordinator,
    pub resume: Resume,
    pub checkpoints: Option<&'r mut Checkpoints>,
    pub requests: Requests,
    /// When the checkpoint under way was begun.
    pub begun: Option<Duration>,
    pub enumerators: Enumerators,
    pub committers: BTreeMap<usize, (&'static str, Box<dyn Committer>)>,
    pub ended: Vec<bool>,
    pub bytes_total: Option<u64>,
    /// There is nothing left to do.
    pub over: bool,
    /// Because somebody has stopped the run before its inputs had ended.
    pub stopped: bool,
}

impl Attempt<'_> {
    /// Until the last commit, or the first failure.
    pub fn run(&mut self, progress: &mut Progress) -> Result<(), Error> {
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
                self.coordinator.prepared((worker, part), sink, epoch, prepared)
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
            ToCoordinator::Passed { worker, epoch, prepared } => self.coordinator.passed(worker, epoch, prepared),
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
                    // Of the last one nobody notes when it was begun.
                    let took = self.begun.filter(|_| !last).map(|begun| self.clock.now().saturating_sub(begun));
                    if let Some(checkpoints) = &mut self.checkpoints {
                        checkpoints.keep(epoch, last, sinks, took)?;
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
                    for (name, committer) in self.committers.values_mut() {
                        guard::on_coordinator(name, || committer.finish())?
                            .map_err(|fault| Error::Sink { name: (*name).to_owned(), fault })?;
                    }
                    if let Some(checkpoints) = &mut self.checkpoints {
                        checkpoints.published()?;
                    }
                    for (name, committer) in self.committers.values_mut() {
                        guard::on_coordinator(name, || committer.finished())?;
                    }
                    // Its last word: whoever is killed before it has something left to do, behind it there is nothing left.
                    if let Some(checkpoints) = &mut self.checkpoints {
                        checkpoints.finished()?;
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
    pub fn stop(&mut self) {
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
