//! The coordinator's hand in checkpoints: puts the parts of a snapshot together, and keeps them in the store's log.
//!
//! What is decided (when a snapshot is whole, what is committed when) is decided in `coordinator`; this file carries it out.

use super::control::{Resumed, SavedPart};
use super::meta::JobMeta;
use super::resume::Resume;
use crate::checkpoint::entry::Attempt as AttemptEntry;
use crate::checkpoint::log::{Log, NotAppended};
use crate::checkpoint::manifest::{Manifest, OperatorState, Pending, SinkState, SourceState, SplitState};
use crate::checkpoint::resume::check_params;
use crate::checkpoint::store::Store;
use crate::checkpoint::verify::{Depth, check_objects};
use crate::config::{Checkpoints as Settings, Config};
use crate::error::{Error, Fault};
use crate::plan::Plan;
use crate::sink::{Committer, Prepared};
use crate::source::{Found, Split};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a job keeps its checkpoints in, over all of its attempts.
pub struct Checkpoints {
    store: Arc<dyn Store>,
    keep: usize,
    tolerate: u32,
    /// Every sink can take back what it has published.
    take_back: bool,
    /// What the log says of each attempt.
    entry: AttemptEntry,
    /// The log, as the attempt that runs owns it.
    log: Option<Log>,
    /// Checkpoints in a row that could not be kept.
    failed: u32,
    /// One was kept since somebody asked.
    kept: bool,
    /// The checkpoint of which commits have begun.
    committing: Option<u64>,
    building: BTreeMap<u64, Building>,
}

/// A snapshot whose parts come in.
#[derive(Default)]
struct Building {
    sources: BTreeMap<usize, SourceState>,
    operators: BTreeMap<String, OperatorState>,
}

impl From<NotAppended> for Error {
    fn from(not: NotAppended) -> Error {
        match not {
            NotAppended::Taken { .. } => Error::Superseded { fault: not.into() },
            NotAppended::Failed(fault) => Error::Checkpoint { fault },
        }
    }
}

impl Checkpoints {
    /// Opens the store.
    pub fn open(settings: &Settings, entry: AttemptEntry, take_back: bool) -> Result<Self, Error> {
        let given = settings.store.as_ref().and_then(|store| store.0.clone().downcast::<Arc<dyn Store>>().ok());
        let store = match given {
            Some(store) => store.as_ref().clone(),
            None => crate::checkpoint::store::open(&settings.place).map_err(Error::Setup)?,
        };
        Ok(Checkpoints {
            store,
            keep: settings.keep.max(1),
            tolerate: settings.tolerate,
            take_back,
            entry,
            log: None,
            failed: 0,
            kept: false,
            committing: None,
            building: BTreeMap::new(),
        })
    }

    /// The store.
    pub fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Begins an attempt: takes the log over, and finds what to go on from.
    pub fn begin(&mut self, fresh: bool) -> Result<(u64, Resume), Error> {
        self.building.clear();
        (self.failed, self.committing) = (0, None);
        self.entry.time = now_ms();
        let mut log = Log::begin(self.store.clone(), self.entry.clone()).map_err(Error::Setup)?;
        let number = log.attempt();
        let from = if fresh {
            log.rewind(None, "`--fresh`")?;
            None
        } else {
            self.start(&mut log)?
        };
        let resume = match from {
            None => Resume::default(),
            Some((checkpoint, manifest)) => {
                if manifest.has_pending() && !log.history().is_committed(checkpoint) {
                    log.committing(checkpoint)?;
                    self.committing = Some(checkpoint);
                }
                Resume::from(manifest, self.store.clone())
            }
        };
        self.log = Some(log);
        Ok((number, resume))
    }

    /// The newest checkpoint that is good, or an older one if nothing is lost or told twice by that.
    fn start(&self, log: &mut Log) -> Result<Option<(u64, Manifest)>, Error> {
        let mut damaged = BTreeMap::new();
        let start = loop {
            let start = log.history().newest(&damaged, self.take_back).map_err(Error::Setup)?;
            let Some((number, manifest)) = &start.from else { break start };
            let found = check_objects(&*self.store, manifest, Depth::Index).map_err(Error::Setup)?;
            match found.into_iter().next() {
                None => break start,
                Some(damage) => damaged.insert(*number, damage.to_string()),
            };
        };
        let to = start.from.as_ref().map(|(number, _)| *number);
        if let Some((number, manifest)) = &start.from {
            let before = log.history().attempt(manifest.attempt).cloned();
            if let Some(mut before) = before {
                if !manifest.has_run() {
                    // Nothing in it depends on them.
                    before.params.clone_from(&self.entry.params);
                }
                check_params(&before, &self.entry, &self.store.place()).map_err(Error::Setup)?;
            }
            crate::report::say(&format!("going on from checkpoint {number} (epoch {})", manifest.epoch));
        }
        for passed in &start.passed {
            let why = &passed.why;
            crate::report::say(&format!("CHECKPOINT {} IS DAMAGED and passed over: {why}", passed.number));
        }
        if let Some(passed) = start.passed.first() {
            log.rewind(to, format!("checkpoint {} is damaged: {}", passed.number, passed.why))?;
        }
        Ok(start.from)
    }

    /// A barrier is about to be sent: what the enumerators have found so far, and nobody has begun, is noted.
    pub fn barrier(&mut self, epoch: u64, sources: BTreeMap<usize, SourceState>) {
        self.building.insert(epoch, Building { sources, ..Building::default() });
    }

    /// Adds a part.
    pub fn add(&mut self, epoch: u64, part: SavedPart) {
        let Some(building) = self.building.get_mut(&epoch) else { return };
        match part {
            SavedPart::Source { source, splits, reached } => {
                if let Some(state) = building.sources.get_mut(&source) {
                    state.splits.extend(splits);
                    state.reached = state.reached.max(reached);
                }
            }
            SavedPart::Operator(part) => match building.operators.get_mut(&part.id) {
                Some(known) => {
                    known.heads.extend(part.heads);
                    known.objects.extend(part.objects);
                }
                None => {
                    building.operators.insert(part.id.clone(), part);
                }
            },
        }
    }

    /// A snapshot could not be taken or kept. An error if that has happened more often than is tolerated.
    pub fn lost(&mut self, epoch: u64, fault: Fault) -> Result<(), Error> {
        self.building.remove(&epoch);
        self.failed += 1;
        if self.failed > self.tolerate {
            return Err(Error::Checkpoint { fault });
        }
        crate::report::say(&format!("checkpoint {epoch} could not be kept: {fault}"));
        Ok(())
    }

    /// Keeps an epoch: from then on it is what a restart goes on from, and what it has pending may be committed.
    pub fn keep(&mut self, epoch: u64, last: bool, sinks: Vec<SinkState>) -> Result<(), Error> {
        // What the attempt before had still to commit has been, since all sinks are there.
        self.committed()?;
        let Some(log) = &mut self.log else { return Ok(()) };
        let Building { sources, operators } = self.building.remove(&epoch).unwrap_or_default();
        let mut sources: Vec<SourceState> = sources.into_values().collect();
        sources.iter_mut().for_each(|source| source.splits.sort_by_key(|split| split.id));
        let manifest = Manifest {
            time: now_ms(),
            last,
            operators: operators.into_values().collect(),
            sources,
            sinks,
            ..Manifest::new(&*self.entry.job, self.entry.width, epoch)
        };
        let pending = manifest.has_pending();
        let number = log.complete(manifest, self.keep)?;
        // Objects were read back one by one, when they were put.
        log.read_back(number, Depth::Index).map_err(|problem| Error::Checkpoint { fault: problem.into() })?;
        if pending {
            log.committing(number)?;
            self.committing = Some(number);
        }
        (self.failed, self.kept) = (0, true);
        Ok(())
    }

    /// What a checkpoint had pending has been committed.
    pub fn committed(&mut self) -> Result<(), Error> {
        match (&mut self.log, self.committing.take()) {
            (Some(log), Some(number)) => Ok(log.committed(number)?),
            _ => Ok(()),
        }
    }

    /// Removes what no checkpoint needs that is kept.
    pub fn retain(&mut self) {
        if let Some(Err(fault)) = self.log.as_mut().map(Log::retain) {
            // The next one cleans up behind both.
            crate::report::say(&format!("old checkpoints could not be removed: {fault}"));
        }
    }

    /// The run is over, and what it was to give is there.
    pub fn finished(&mut self) -> Result<(), Error> {
        self.log.as_mut().map_or(Ok(()), |log| Ok(log.finished(now_ms())?))
    }

    /// Whether a checkpoint was kept since the last question.
    pub fn take_kept(&mut self) -> bool {
        std::mem::take(&mut self.kept)
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// What the log says of an attempt.
pub fn entry(job: &JobMeta, config: &Config, plan: &Plan) -> AttemptEntry {
    let (mut params, mut names) = (Vec::new(), String::new());
    for (number, chain) in plan.chains.iter().enumerate() {
        let is_source = plan.edges.iter().all(|edge| edge.to != number);
        for (at, operator) in chain.operators.iter().enumerate() {
            if operator.sink || (is_source && at == 0) {
                params.push((operator.name.clone(), operator.what.clone()));
            } else {
                names += &format!("{} {}\n", operator.what, operator.name);
            }
        }
    }
    let plan = crate::hash::bytes(names.as_bytes());
    AttemptEntry { job: job.name.to_owned(), width: config.workers as u32, plan, params, time: now_ms() }
}

/// A split of an earlier attempt, and how to read on with it.
pub fn resumed(state: &SplitState) -> (Found, Option<Resumed>) {
    let split = Split { id: state.id, detail: state.detail.clone(), bytes: state.bytes };
    let resumed = Resumed { position: state.position.clone(), watermark: state.watermark, rows: state.rows };
    (Found::Split(split), Some(resumed))
}

/// What a checkpoint had still to commit, epoch by epoch.
pub fn pending_of(state: &SinkState) -> Vec<(u64, Vec<(usize, Prepared)>)> {
    let mut epochs: BTreeMap<u64, Vec<(usize, Prepared)>> = BTreeMap::new();
    for pending in &state.pending {
        epochs.entry(pending.epoch).or_default().push((pending.worker as usize, Prepared(pending.bytes.clone())));
    }
    epochs.into_iter().collect()
}

/// A split as a checkpoint keeps it, when nobody has begun it in this attempt; it begins at `watermark` or behind it.
pub fn unread(split: &Split, resumed: Option<&Resumed>, watermark: i64) -> SplitState {
    SplitState {
        id: split.id,
        detail: split.detail.clone(),
        bytes: split.bytes,
        position: resumed.map_or_else(Vec::new, |resumed| resumed.position.clone()),
        watermark: resumed.map_or(watermark, |resumed| resumed.watermark.max(watermark)),
        rows: resumed.map_or(0, |resumed| resumed.rows),
    }
}

/// A sink's part: what is committed, and what is to be once the manifest is there.
pub fn sink_state(
    name: &str,
    committer: &dyn Committer,
    pending: impl Iterator<Item = (u64, usize, Vec<u8>)>,
) -> SinkState {
    let pending = pending.map(|(epoch, worker, bytes)| Pending { epoch, worker: worker as u32, bytes }).collect();
    SinkState { id: name.to_owned(), state: committer.state(), pending }
}
