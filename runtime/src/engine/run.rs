//! [`Run`]: a job over all of its attempts in this process: what comes in front of them, and what happens between two.

use super::attempt::Attempt;
use super::backoff::Backoff;
use super::checkpoints::{self, Checkpoints};
use super::coordinator::Coordinator;
use super::enumerators::Enumerators;
use super::files::Files;
use super::former::Former;
use super::graph::Graph;
use super::meets::Meets;
use super::meta::JobMeta;
use super::requests::{Answering, Desk, Requests, Savepoints};
use super::resume::Resume;
use super::saver::{Saver, Saving};
use super::start::Start;
use super::summary::summary;
use super::threads::{Begin, spawn};
use super::{guard, interrupt, noted, worker};
use crate::clock::{Clock, MachineClock};
use crate::config::{Config, Control};
use crate::error::Error;
use crate::metrics::Metrics;
use crate::plan::Plan;
use crate::report::progress::Progress;
use crate::report::{Event, EventLog, Level, Summary};
use crate::socket::Listener;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;

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
                let log = EventLog::of(&config, job.name);
                Some(Checkpoints::open(settings, make, entry, former, take_back, log)?)
            }
            None => None,
        },
        plan,
        start: Start::of(&config),
        log: EventLog::of(&config, job.name),
        config: Arc::new(config),
        clock: MachineClock::start(),
        build: Arc::new(build),
        attempts: 0,
        named: None,
        desk: Desk::default(),
        listener: None,
        saving: Vec::new(),
        told: Told::default(),
    };
    let outcome = run.until_it_ends();
    if !matches!(outcome, Err(Error::Stuck { .. })) {
        // What a worker has that is stuck is not given back.
        run.saving.drain(..).for_each(Saving::wait);
    }
    // Those who wait are told that there is no run any more; then they are waited for.
    run.desk.end();
    outcome
}

/// A job over all of its attempts in this process.
struct Run {
    job: &'static JobMeta,
    plan: Plan,
    config: Arc<Config>,
    log: EventLog,
    clock: Arc<dyn Clock>,
    build: Arc<worker::Build>,
    backoff: Backoff,
    checkpoints: Option<Checkpoints>,
    attempts: u64,
    start: Start,
    /// The checkpoint that somebody has named for it.
    named: Option<u64>,
    /// Where requests come in.
    desk: Desk,
    /// What hears them. Beside the checkpoints it begins when the run owns them.
    listener: Option<Listener>,
    /// What writes the checkpoints of each attempt, or did.
    saving: Vec<Saving>,
    told: Told,
}

/// What was told last of an error, without where it was.
#[derive(Default)]
struct Told(String);

impl Told {
    /// All of an error, and only what it is called when it comes again, wherever that is: a disk stays full for many attempts.
    fn once(&mut self, error: &Error) -> String {
        let text = error.to_string();
        let gist: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("at ")).collect();
        let gist = gist.join("\n");
        match text.lines().next() {
            Some(first) if self.0 == gist => format!("{first}, once more"),
            _ => {
                self.0 = gist;
                text
            }
        }
    }
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
            let damaged = self.damaged(&error);
            let from = self.checkpoints.as_ref().and_then(Checkpoints::from);
            let is_damaged = |number: Option<u64>| number.is_some_and(|number| damaged.contains_key(&number));
            // Who has named a checkpoint has chosen himself.
            if is_damaged(self.named) {
                return Err(error);
            }
            // Nothing was won since the attempt began: that is no restart, but a better choice. There are only so many of them.
            let chooses = is_damaged(from) && !kept;
            self.start.pass_over(damaged);
            if chooses {
                continue;
            }
            let (error, pause) = self.backoff.pause(error, self.clock.now(), kept)?;
            let text =
                format!("{}\ngoing on from the last checkpoint in {} ms", self.told.once(&error), pause.as_millis());
            let event = Event::new(Level::Warning, "restarting")
                .number("attempt", self.attempts)
                .number("pause_ms", pause.as_millis())
                .error(&error);
            self.log.tell(event.text(text));
            std::thread::sleep(pause);
        }
    }

    /// The checkpoints that what was met is in: only the indexes of the one that the attempt went on from were read before. If all of it is
    /// whole, files that were made of it are not.
    fn damaged(&self, error: &Error) -> BTreeMap<u64, String> {
        let Some(checkpoints) = self.checkpoints.as_ref().filter(|_| error.is_damage()) else { return BTreeMap::new() };
        let event = Event::new(Level::Warning, "verifying").error(error);
        self.log.tell(event.text(format!("{error}\nreading all of the newest checkpoint, for one that is whole")));
        checkpoints.at().inside(&self.start).unwrap_or_else(|error| {
            // A store that cannot be read says nothing of what is in it.
            let error = Error::Checkpoint { fault: error };
            let event = Event::new(Level::Warning, "verifying").error(&error);
            self.log.tell(event.text(format!("{error}\nthe newest checkpoint cannot be read, and is taken for whole")));
            BTreeMap::new()
        })
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
            self.listener = answering.listen(&self.config, &self.log)?;
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
                if self.start.is_named() {
                    self.named = checkpoints.from();
                }
                self.start = std::mem::take(&mut self.start).again();
                let started = Saver::start(
                    checkpoints.store(),
                    (checkpoints.identity(), number),
                    self.config.workers,
                    to.clone(),
                );
                let (saver, saving) = started.map_err(|fault| Error::Checkpoint { fault })?;
                self.saving.retain(|saving| !saving.has_ended());
                self.saving.push(saving);
                (number, resume, Some(saver))
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
        let mut progress = Progress::start(config.progress, self.job.name, &self.log);
        self.log.tell(
            Event::new(Level::Info, "started").number("attempt", self.attempts).number("workers", config.workers),
        );
        let begun = clock.now();
        let outcome = attempt.run(&mut progress);
        progress.finish();
        drop(interrupts);
        self.desk.close();
        self.saving.iter().for_each(Saving::stop);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Fault;

    #[test]
    fn an_error_is_told_in_full_once() {
        let full = |file: &str, what: &str| {
            let fault = Fault::new(what).in_file(file).help("free some room there, or write elsewhere");
            Error::Sink { name: "file".to_owned(), fault }
        };
        let mut told = Told::default();
        assert!(told.once(&full("a", "cannot write the file")).contains("free some room"));
        let again = told.once(&full("b", "cannot write the file"));
        assert_eq!(again, "sink `file`: cannot write the file, once more");
        assert!(told.once(&full("b", "cannot read the file")).contains("free some room"));
        assert!(told.once(&full("b", "cannot write the file")).contains("free some room"), "another came between");
    }
}
