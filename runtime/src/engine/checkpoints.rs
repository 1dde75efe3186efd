//! The coordinator's hand in checkpoints: puts the parts of a snapshot together, and keeps them in the store's log.
//!
//! What is decided (when a snapshot is whole, what is committed when) is decided in `coordinator`; this file carries it out.

use super::control::{Resumed, SavedPart};
use super::former::Former;
use super::meta::JobMeta;
use super::resume::Resume;
use super::start::{At, Choice, Start};
use crate::background::{self, Wish};
use crate::checkpoint::entry::Attempt as AttemptEntry;
use crate::checkpoint::history::{History, Passed};
use crate::checkpoint::log::{Log, NotAppended};
use crate::checkpoint::manifest::{Manifest, OperatorState, Pending, SinkState, SourceState, SplitState};
use crate::checkpoint::retain::Garbage;
use crate::checkpoint::store::Store;
use crate::checkpoint::verify::Depth;
use crate::config::{Checkpoints as Settings, Config};
use crate::error::{Error, Fault};
use crate::json::Json;
use crate::plan::Plan;
use crate::report::{Event, EventLog, Level};
use crate::sink::{Committer, Prepared};
use crate::source::{Found, Split};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a job keeps its checkpoints in, over all of its attempts.
pub struct Checkpoints {
    store: Arc<dyn Store>,
    keep: usize,
    tolerate: u32,
    /// Every sink can take back what it has published.
    take_back: bool,
    /// Which operators of today the stored ones are.
    former: Former,
    /// Where it is told what becomes of them.
    told: EventLog,
    /// What the log says of each attempt.
    entry: AttemptEntry,
    /// The number of the last attempt, and when attempts of this run have begun, or have tried to.
    attempt: u64,
    begun: BTreeSet<i64>,
    /// The log, as the attempt that runs owns it.
    log: Option<Log>,
    /// Checkpoints in a row that could not be kept.
    failed: u32,
    /// One was kept since somebody asked.
    kept: bool,
    /// The checkpoint that this attempt went on from.
    from: Option<u64>,
    /// The checkpoint of which commits have begun.
    committing: Option<u64>,
    /// The last checkpoint of the run, until it is noted that all of it is published.
    last: Option<u64>,
    building: BTreeMap<u64, Building>,
    /// The newest checkpoint of this attempt, by its number.
    newest: Option<(u64, Manifest)>,
    /// Checkpoints that somebody is reading, as long as he has the other end.
    read: Vec<(u64, Weak<()>)>,
    /// Removes what nobody needs.
    sweeping: Option<JoinHandle<Result<(), Fault>>>,
}

/// A snapshot whose parts come in.
#[derive(Default)]
struct Building {
    sources: BTreeMap<usize, SourceState>,
    operators: BTreeMap<String, OperatorState>,
    /// What workers have of each source.
    parts: BTreeMap<usize, Parts>,
}

/// What workers have of a source.
struct Parts {
    /// The splits that are not read to their end.
    splits: Vec<SplitState>,
    /// No row is judged under an earlier watermark any more, on whatever worker.
    promised: i64,
}

impl Parts {
    /// Adds them to what the enumerator has found and nobody had begun.
    fn join(self, source: &mut SourceState) {
        let Parts { splits, promised } = self;
        // That was noted before the barrier came to the workers, who have read on since.
        source.splits.iter_mut().for_each(|unread| unread.watermark = unread.watermark.max(promised));
        source.splits.extend(splits);
        source.splits.sort_by_key(|split| split.id);
    }
}

impl From<NotAppended> for Error {
    fn from(not: NotAppended) -> Error {
        match not {
            NotAppended::Taken { .. } => Error::Superseded { fault: not.into() },
            // Of what is copied, which no time mends.
            NotAppended::Failed(fault) if fault.is_damage() => Error::Setup(fault),
            NotAppended::Failed(fault) => Error::Checkpoint { fault },
        }
    }
}

impl Checkpoints {
    /// Opens the store; `make` says whether a directory is made that is not there.
    pub fn open(
        settings: &Settings,
        make: bool,
        entry: AttemptEntry,
        former: Former,
        take_back: bool,
        told: EventLog,
    ) -> Result<Self, Error> {
        let given = settings.store.as_ref().and_then(|store| store.0.clone().downcast::<Arc<dyn Store>>().ok());
        let store = match given {
            Some(store) => store.as_ref().clone(),
            None if make => crate::checkpoint::store::open(&settings.place).map_err(Error::Setup)?,
            None => crate::checkpoint::store::open_existing(&settings.place).map_err(Error::Setup)?,
        };
        Ok(Checkpoints {
            store,
            keep: settings.keep(),
            tolerate: settings.tolerate(),
            take_back,
            former,
            told,
            entry,
            attempt: 0,
            begun: BTreeSet::new(),
            log: None,
            failed: 0,
            kept: false,
            from: None,
            committing: None,
            last: None,
            building: BTreeMap::new(),
            newest: None,
            read: Vec::new(),
            sweeping: None,
        })
    }

    /// What the log says of an attempt of this run.
    pub fn entry(&self) -> &AttemptEntry {
        &self.entry
    }

    /// The store.
    pub fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// The checkpoint that the last attempt went on from.
    pub fn from(&self) -> Option<u64> {
        self.from
    }

    /// What tells the log of this store from all others, once an attempt has begun.
    pub fn identity(&self) -> Option<u64> {
        self.log.as_ref()?.history().identity()
    }

    /// Where it is chosen what an attempt goes on from.
    pub fn at(&self) -> At<'_> {
        At { store: &self.store, entry: &self.entry, former: &self.former, take_back: self.take_back }
    }

    /// Begins an attempt: takes the log over, and finds what to go on from.
    pub fn begin(&mut self, how: &Start) -> Result<(u64, Resume), Error> {
        self.building.clear();
        (self.failed, self.from, self.committing, self.last, self.newest) = (0, None, None, None, None);
        self.swept();
        if how.is_again() {
            self.still_ours()?;
        }
        self.entry.time = now_ms();
        self.begun.insert(self.entry.time);
        // A store that cannot be reached can be later. To begin with, that is told at once; behind a failure it is one more.
        let again = how.is_again();
        let failed =
            |fault: Fault| if again && !fault.lasting { Error::Checkpoint { fault } } else { Error::Setup(fault) };
        let looked = if again { None } else { Some(self.at().look(how).map_err(failed)?) };
        let mut log = Log::begin(self.store.clone(), self.entry.clone()).map_err(failed)?;
        let number = log.attempt();
        self.attempt = number;
        let choice = match looked {
            // Nobody has written between, so nothing is different.
            Some((end, choice)) if end + 1 == number && !how.is_named() => choice,
            _ => self.at().choose(log.history(), how).map_err(failed)?,
        };
        let from = match choice {
            Choice::Nothing { rewind, passed } => {
                tell(&self.told, &passed);
                if let Some(why) = rewind {
                    log.rewind(None, why)?;
                }
                None
            }
            Choice::Own { number, manifest, rewind, passed } => {
                tell(&self.told, &passed);
                if let Some(why) = rewind {
                    log.rewind(Some(number), why)?;
                }
                Some((number, manifest))
            }
            Choice::Other { store, manifest } => {
                // One entry, so that no crash comes between leaving the former branch and beginning the new one. As the only one
                // that is kept, it hides all that are older: nobody falls back from it into the former branch.
                let number = log.import(&*store, &manifest, 1, None)?;
                log.read_back(number, Depth::Index).map_err(|problem| Error::Checkpoint { fault: problem.into() })?;
                Some((number, log.history().checkpoint(number).map_err(Error::Setup)?.clone()))
            }
        };
        self.from = from.as_ref().map(|(number, _)| *number);
        let resume = match from {
            None => Resume::default(),
            Some((checkpoint, manifest)) => {
                let event = Event::new(Level::Info, "resumed")
                    .number("checkpoint", checkpoint)
                    .number("epoch", manifest.epoch)
                    .text(format!("going on from checkpoint {checkpoint} (epoch {})", manifest.epoch));
                self.told.tell(event);
                if manifest.has_pending() && !log.history().is_committed(checkpoint) {
                    log.committing(checkpoint)?;
                    self.committing = Some(checkpoint);
                }
                let published = manifest.last && log.history().is_committed(checkpoint);
                self.last = Some(checkpoint).filter(|_| manifest.last && !published);
                Resume::from(self.former.today(&manifest).map_err(Error::Setup)?, self.store.clone(), published)
            }
        };
        self.log = Some(log);
        Ok((number, resume))
    }

    /// Whether another run has taken over since the last attempt of this one: an attempt that could not reach its store has not seen
    /// that. Two that take over from each other would end each other for ever.
    fn still_ours(&self) -> Result<(), NotAppended> {
        // What cannot be read is told where the log is taken over.
        let Ok(history) = History::read(&*self.store) else { return Ok(()) };
        let newest = history.entries().rev().find_map(|(number, _)| Some((number, history.attempt(number)?)));
        // One of this run that was put though the answer got lost is this run's.
        let own = |by: &AttemptEntry| {
            self.begun.contains(&by.time) && *by == AttemptEntry { time: by.time, ..self.entry.clone() }
        };
        match newest {
            Some((number, by)) if number > self.attempt && !own(by) => {
                Err(NotAppended::Taken { number, by: Some(by.clone()), place: self.store.place() })
            }
            _ => Ok(()),
        }
    }

    /// A barrier is about to be sent: what the enumerators have found so far, and nobody has begun, is noted.
    pub fn barrier(&mut self, epoch: u64, sources: BTreeMap<usize, SourceState>) {
        self.building.insert(epoch, Building { sources, ..Building::default() });
    }

    /// Adds a part.
    pub fn add(&mut self, epoch: u64, part: SavedPart) {
        let Some(building) = self.building.get_mut(&epoch) else { return };
        match part {
            SavedPart::Source { source, splits, reached, promised } => {
                if let Some(state) = building.sources.get_mut(&source) {
                    state.reached = state.reached.max(reached);
                }
                let none = || Parts { splits: Vec::new(), promised: i64::MAX };
                let parts = building.parts.entry(source).or_insert_with(none);
                parts.splits.extend(splits);
                parts.promised = parts.promised.min(promised);
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
        let event = Event::new(Level::Warning, "checkpoint_lost").number("epoch", epoch).fault(&fault);
        self.told.tell(event.text(format!("checkpoint {epoch} could not be kept: {fault}")));
        Ok(())
    }

    /// Keeps an epoch: from then on it is what a restart goes on from, and what it has pending may be committed.
    /// `took` is how long it took since its barrier, if that is known.
    pub fn keep(&mut self, epoch: u64, last: bool, sinks: Vec<SinkState>, took: Option<Duration>) -> Result<(), Error> {
        // What the attempt before had still to commit has been, since all sinks are there.
        self.committed()?;
        let Some(log) = &mut self.log else { return Ok(()) };
        let Building { mut sources, operators, parts } = self.building.remove(&epoch).unwrap_or_default();
        for (source, parts) in parts {
            if let Some(source) = sources.get_mut(&source) {
                parts.join(source);
            }
        }
        let sources = sources.into_values().collect();
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
        self.newest = Some((number, log.history().checkpoint(number).map_err(Error::Setup)?.clone()));
        // Objects were read back one by one, when they were put.
        log.read_back(number, Depth::Index).map_err(|problem| Error::Checkpoint { fault: problem.into() })?;
        if pending {
            log.committing(number)?;
            self.committing = Some(number);
        }
        self.last = Some(number).filter(|_| last);
        (self.failed, self.kept) = (0, true);
        let event = Event::new(Level::Info, "checkpoint").number("checkpoint", number).number("epoch", epoch);
        self.told.tell(match took {
            Some(took) => event.number("took_ms", took.as_millis()),
            None => event,
        });
        Ok(())
    }

    /// What a checkpoint had pending has been committed.
    pub fn committed(&mut self) -> Result<(), Error> {
        match (&mut self.log, self.committing.take()) {
            (Some(log), Some(number)) => Ok(log.committed(number)?),
            _ => Ok(()),
        }
    }

    /// All that the run gives is published. From then on sinks may let go of what they would need to publish it once more.
    pub fn published(&mut self) -> Result<(), Error> {
        self.committing = None;
        match (&mut self.log, self.last.take()) {
            (Some(log), Some(number)) => Ok(log.committed(number)?),
            _ => Ok(()),
        }
    }

    /// The checkpoint that was kept last in this attempt, for somebody to read it. It stays until he lets the other half go.
    pub fn lend_newest(&mut self) -> Option<(u64, Manifest, Arc<()>)> {
        let (number, manifest) = self.newest.clone()?;
        let lent = Arc::new(());
        self.read.push((number, Arc::downgrade(&lent)));
        Some((number, manifest, lent))
    }

    /// Removes what no checkpoint needs that is kept: its objects beside the run, since that may take long.
    pub fn retain(&mut self) {
        if self.sweeping.as_ref().is_some_and(|sweeping| !sweeping.is_finished()) {
            // The next one cleans up behind both.
            return;
        }
        self.swept();
        self.read.retain(|(_, lent)| lent.strong_count() > 0);
        let spared = self.read.iter().map(|(number, _)| *number).min();
        let Some(log) = &mut self.log else { return };
        let (garbage, store) = (log.retain(spared), self.store.clone());
        let sweep = |garbage: Garbage| {
            let delete = move || garbage.delete(&*store).map(drop);
            let cannot = |e| Fault::new("cannot start the thread that removes them").because(e);
            background::start("pelton-sweep", Wish::Tidy, delete).map_err(cannot)
        };
        match garbage.and_then(|garbage| if garbage.is_empty() { Ok(None) } else { sweep(garbage).map(Some) }) {
            Ok(sweeping) => self.sweeping = sweeping,
            Err(fault) => not_removed(&self.told, &fault),
        }
    }

    /// Waits until what is being removed has been.
    fn swept(&mut self) {
        if let Some(Ok(Err(fault))) = self.sweeping.take().map(JoinHandle::join) {
            not_removed(&self.told, &fault);
        }
    }

    /// The run is over: what it was to give is there, and nothing else.
    pub fn finished(&mut self) -> Result<(), Error> {
        self.swept();
        self.log.as_mut().map_or(Ok(()), |log| Ok(log.finished(now_ms())?))
    }

    /// Whether a checkpoint was kept since the last question.
    pub fn take_kept(&mut self) -> bool {
        std::mem::take(&mut self.kept)
    }
}

/// Says that what nobody needs is still there. The next sweep finds it.
fn not_removed(log: &EventLog, fault: &Fault) {
    let event = Event::new(Level::Warning, "not_removed").fault(fault);
    log.tell(event.text(format!("old checkpoints could not be removed: {fault}")));
}

/// Says what is passed over.
fn tell(log: &EventLog, passed: &[Passed]) {
    for Passed { number, why, .. } in passed {
        let event = Event::new(Level::Warning, "checkpoint_damaged").number("checkpoint", number);
        let event = event.with("error", Json::text(why.to_string()));
        log.tell(event.text(format!("CHECKPOINT {number} IS DAMAGED and passed over: {why}")));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_that_nobody_has_begun_is_kept_with_what_was_promised_at_the_barrier() {
        let split = |id, watermark| SplitState {
            id,
            detail: Vec::new(),
            bytes: None,
            position: Vec::new(),
            watermark,
            rows: 0,
        };
        let mut source = SourceState {
            id: "read".to_owned(),
            enumerator: Vec::new(),
            splits: vec![split(3, 10), split(4, 40)],
            reached: 30,
        };
        // The split before them was read to its end between the note and the barrier.
        Parts { splits: vec![split(2, 25)], promised: 30 }.join(&mut source);
        let kept: Vec<_> = source.splits.iter().map(|split| (split.id, split.watermark)).collect();
        assert_eq!(kept, [(2, 25), (3, 30), (4, 40)]);
    }
}
