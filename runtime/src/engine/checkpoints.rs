//! The coordinator's hand in checkpoints: puts the parts of a snapshot together, and keeps them in the store's log.
//!
//! What is decided (when a snapshot is whole, what is committed when) is decided in `coordinator`; this file carries it out.

use super::control::{Resumed, SavedPart};
use super::meta::JobMeta;
use super::resume::Resume;
use crate::checkpoint::log::{Appended, AttemptEntry, Log};
use crate::checkpoint::manifest::{Manifest, OperatorState, Pending, SinkState, SourceState, SplitState};
use crate::checkpoint::store::Store;
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
    log: Log,
    keep: usize,
    tolerate: u32,
    /// Checkpoints in a row that could not be kept.
    failed: u32,
    /// One was kept since somebody asked.
    kept: bool,
    /// The attempt that runs.
    attempt: AttemptEntry,
    building: BTreeMap<u64, Building>,
}

/// A snapshot whose parts come in.
#[derive(Default)]
struct Building {
    sources: BTreeMap<usize, SourceState>,
    operators: BTreeMap<String, OperatorState>,
}

impl Checkpoints {
    /// Opens the store.
    pub fn open(settings: &Settings, attempt: AttemptEntry) -> Result<Self, Error> {
        let store = crate::checkpoint::store::open(&settings.place).map_err(Error::Setup)?;
        let log = Log::open(store.clone()).map_err(Error::Setup)?;
        let (keep, tolerate) = (settings.keep, settings.tolerate);
        Ok(Checkpoints { store, log, keep, tolerate, failed: 0, kept: false, attempt, building: BTreeMap::new() })
    }

    /// The store.
    pub fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Begins an attempt: takes its number, and finds what it goes on from.
    pub fn begin(&mut self, fresh: bool) -> Result<(u64, Resume), Error> {
        self.building.clear();
        self.failed = 0;
        let (number, manifest) = self.log.begin(&self.attempt, fresh).map_err(Error::Setup)?;
        let resume = manifest.map_or_else(Resume::default, |manifest| Resume::from(manifest, self.store.clone()));
        Ok((number, resume))
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
                    state.reached = state.reached.max(reached.unwrap_or(i64::MIN));
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

    /// Keeps an epoch. `Ok(false)` if that failed and is tolerated.
    pub fn keep(&mut self, epoch: u64, last: bool, sinks: Vec<SinkState>) -> Result<bool, Error> {
        let Building { sources, operators } = self.building.remove(&epoch).unwrap_or_default();
        let mut sources: Vec<SourceState> = sources.into_values().collect();
        sources.iter_mut().for_each(|source| source.splits.sort_by_key(|split| split.id));
        let manifest = Manifest {
            attempt: self.log.attempt(),
            time: now_ms(),
            last,
            operators: operators.into_values().collect(),
            sources,
            sinks,
            ..Manifest::new(&*self.attempt.job, self.attempt.width, epoch)
        };
        match self.log.append(manifest) {
            Ok(Appended::Kept) => {
                self.failed = 0;
                self.kept = true;
                Ok(true)
            }
            Ok(Appended::Taken(fault)) => Err(Error::Superseded { fault }),
            Err(fault) if last => Err(Error::Checkpoint { fault }),
            Err(fault) => self.lost(epoch, fault).map(|()| false),
        }
    }

    /// Whether a checkpoint was kept since the last question.
    pub fn take_kept(&mut self) -> bool {
        std::mem::take(&mut self.kept)
    }

    /// What was prepared up to an epoch has been committed: older checkpoints may go.
    pub fn committed(&mut self, epoch: u64) {
        if let Err(fault) = self.log.committed(epoch, self.keep) {
            // The next one cleans up behind both.
            crate::report::say(&format!("old checkpoints could not be removed: {fault}"));
        }
    }

    /// The run is over, and what it was to give is there.
    pub fn finished(&mut self) -> Result<(), Error> {
        self.log.finished().map_err(|fault| Error::Checkpoint { fault })
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// What the log says of an attempt.
pub fn entry(job: &JobMeta, config: &Config, plan: &Plan) -> AttemptEntry {
    let operators = plan.chains.iter().flat_map(|chain| &chain.operators);
    let names: Vec<String> = operators.map(|operator| format!("{} {}", operator.what, operator.name)).collect();
    let plan = crate::hash::bytes(names.join("\n").as_bytes());
    AttemptEntry { job: job.name.to_owned(), width: config.workers as u32, plan, params: Vec::new(), time: now_ms() }
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

/// A split as a checkpoint keeps it, when nobody has begun it in this attempt.
pub fn unread(split: &Split, resumed: Option<&Resumed>) -> SplitState {
    SplitState {
        id: split.id,
        detail: split.detail.clone(),
        bytes: split.bytes,
        position: resumed.map_or_else(Vec::new, |resumed| resumed.position.clone()),
        watermark: resumed.map_or(i64::MIN, |resumed| resumed.watermark),
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
