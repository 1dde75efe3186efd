//! [`describe`]: what is in a store, for people and tools. It reads the log alone, [`describe_with_sizes`] the newest state too; neither needs
//! the program that wrote it.

use super::entries::entries;
use super::entry::{Attempt, Entry, Unreadable};
use super::history::History;
use super::manifest::{Manifest, OperatorState};
use super::store::Store;
use crate::error::Fault;
use std::collections::HashSet;
use std::fmt;

/// What is in a store.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Where.
    pub place: String,
    /// Everybody who has run the job here, with the number of the entry; oldest first.
    pub attempts: Vec<(u64, Attempt)>,
    /// The checkpoints that can be read; newest first.
    pub checkpoints: Vec<Checkpoint>,
    /// Whether the job has ended, so that its next run is a new one.
    pub finished: bool,
    /// Entries that cannot be read, and why.
    pub unreadable: Vec<(u64, String)>,
}

/// One checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The number of its entry: what `--from` takes.
    pub number: u64,
    /// What has become of it.
    pub standing: Standing,
    /// Bytes of the objects that it names.
    pub bytes: u64,
    /// Those that no older checkpoint names.
    pub own_bytes: u64,
    /// What is in each state of each operator, in the order of the manifest; empty if nobody has looked. Or why that cannot be
    /// told.
    pub sizes: Result<Vec<Vec<StateSize>>, String>,
    /// All the rest.
    pub manifest: Manifest,
}

/// What is in a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSize {
    /// Entries.
    pub entries: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

/// What has become of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is complete; its commits have not begun, or it has none.
    Complete,
    /// Its commits have begun.
    Committing,
    /// Its commits have run.
    Committed,
    /// A later run went on from an older one, or began again.
    Abandoned,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Standing::Complete => "complete",
            Standing::Committing => "committing",
            Standing::Committed => "committed",
            Standing::Abandoned => "abandoned",
        })
    }
}

/// Reads the log of a store.
///
/// # Errors
/// If it cannot be read. Damage is in the description.
pub fn describe(store: &dyn Store) -> Result<Description, Fault> {
    let history = History::read(store)?;
    Ok(Description::of(&history, store.place()))
}

/// Which entries of an operator are still kept, by state and namespace.
pub type KeptOf = fn(&OperatorState) -> Result<Box<dyn Fn(u16, i64) -> bool>, Fault>;

/// Reads the log of a store, and all of the state of the newest checkpoint, to tell the sizes of its states. `kept` knows what an operator
/// keeps of what is stored.
///
/// # Errors
/// As [`describe`].
pub fn describe_with_sizes(store: &dyn Store, kept: KeptOf) -> Result<Description, Fault> {
    let mut description = describe(store)?;
    if let Some(newest) = description.checkpoints.iter_mut().find(|one| one.standing != Standing::Abandoned) {
        let sizes = newest.manifest.operators.iter().map(|operator| sizes(store, operator, kept));
        newest.sizes = sizes.collect::<Result<_, _>>().map_err(|fault| fault.to_string());
    }
    Ok(description)
}

fn sizes(store: &dyn Store, operator: &OperatorState, kept: KeptOf) -> Result<Vec<StateSize>, Fault> {
    let mut sizes = vec![StateSize::default(); operator.states.len()];
    let kept = kept(operator)?;
    entries(
        store,
        operator,
        |entry| kept(entry.state, entry.namespace),
        |entry| {
            if let Some(size) = sizes.get_mut(usize::from(entry.state)) {
                size.entries += 1;
                size.bytes += (entry.key.len() + entry.value.map_or(0, <[u8]>::len)) as u64;
            }
            Ok(())
        },
    )?;
    Ok(sizes)
}

impl Description {
    /// What a log says.
    pub fn of(history: &History, place: String) -> Self {
        let valid: HashSet<u64> = history.valid().into_iter().collect();
        let mut description = Description {
            place,
            attempts: Vec::new(),
            checkpoints: Vec::new(),
            finished: false,
            unreadable: history.missing().map(|number| (number, "it is not there".to_owned())).collect(),
        };
        let floor = history.floor();
        let mut seen = HashSet::new();
        for (number, slot) in history.entries() {
            match slot {
                Ok(Entry::Attempt(attempt)) => description.attempts.push((number, attempt.clone())),
                Ok(Entry::Finished(_)) => description.finished = true,
                Ok(Entry::Checkpoint(manifest)) if number >= floor => {
                    description.finished = false;
                    let standing = if !valid.contains(&number) {
                        Standing::Abandoned
                    } else if history.is_committed(number) {
                        Standing::Committed
                    } else if history.is_committing(number) {
                        Standing::Committing
                    } else {
                        Standing::Complete
                    };
                    let own = manifest.objects().filter(|object| seen.insert(object.name.clone()));
                    let own_bytes = own.fold(0u64, |sum, object| sum.saturating_add(object.length));
                    let (bytes, manifest) = (manifest.bytes(), (**manifest).clone());
                    let sizes = Ok(Vec::new());
                    description.checkpoints.push(Checkpoint { number, standing, bytes, own_bytes, sizes, manifest });
                }
                Ok(_) => {}
                Err(Unreadable::Damaged(_, why) | Unreadable::Other(why)) => {
                    description.unreadable.push((number, why.clone()));
                }
            }
        }
        description.checkpoints.reverse();
        description.unreadable.sort();
        description
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        match self.attempts.last() {
            Some((number, last)) => {
                let runs = self.attempts.len();
                write!(f, ": job `{}`, {runs} runs, the last one {number} with {} workers", last.job, last.width)?;
            }
            None => f.write_str(": empty")?,
        }
        if self.finished {
            f.write_str(", ended")?;
        }
        for Checkpoint { number, standing, bytes, own_bytes, sizes, manifest } in &self.checkpoints {
            let Manifest { epoch, width, attempt, .. } = manifest;
            write!(
                f,
                "\n  {number}: epoch {epoch}, {standing}, run {attempt} with {width} workers, {bytes} bytes ({own_bytes} of its own)"
            )?;
            if let Err(why) = sizes {
                write!(f, "\n     the sizes of its states cannot be told: {why}")?;
            }
            let sizes = sizes.as_deref().unwrap_or_default();
            for (at, operator) in manifest.operators.iter().enumerate() {
                let entries: u64 = operator.objects.iter().map(|object| object.entries).sum();
                let bytes: u64 = operator.objects.iter().map(|object| object.length).sum();
                write!(
                    f,
                    "\n     `{}`: {entries} entries in {} objects, {bytes} bytes",
                    operator.id,
                    operator.objects.len()
                )?;
                for (state, size) in
                    operator.states.iter().enumerate().map(|(i, state)| (state, sizes.get(at).and_then(|of| of.get(i))))
                {
                    write!(f, "\n       {} {}: ", state.kind, state.name)?;
                    if let Some(StateSize { entries, bytes }) = size {
                        write!(f, "{entries} entries, {bytes} bytes, ")?;
                    }
                    write!(f, "{} -> {}", state.key, state.value)?;
                }
            }
        }
        for (number, why) in &self.unreadable {
            write!(f, "\n  {number}: cannot be read: {why}")?;
        }
        Ok(())
    }
}
