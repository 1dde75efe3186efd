//! A savepoint: a checkpoint that somebody asked for, copied into a store of its own, which nobody sweeps.
//!
//! ```text
//! PLACE/savepoints/12/log/1     attempt          as that of the run
//!                     log/2     checkpoint       of the run's checkpoint 12
//!                     data/..                    all that it names
//! ```
//!
//! So it is self-contained, and is read like any other store. What sinks have written until then it does not hold: that is to
//! be where it was. It has entries alone, so that every backend restores it: files of a backend are read and written anew (`portable.rs`).

use super::entry::{Attempt, Entry};
use super::history::History;
use super::log::Log;
use super::manifest::{DATA, Manifest};
use super::store::{self, Store};
use super::verify::Depth;
use crate::error::Fault;
use std::path::Path;
use std::sync::Arc;

/// What the names of savepoints in a store of checkpoints begin with. Objects below it are of stores of their own.
pub const SAVEPOINTS: &str = "savepoints/";

/// A savepoint that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Savepoint {
    /// Where.
    pub place: String,
    /// The epoch that ended with it.
    pub epoch: u64,
    /// Bytes of its objects.
    pub bytes: u64,
}

/// The place of the savepoint of a checkpoint, if nobody names another one: below that of the checkpoints.
pub fn place_of(checkpoints: &str, number: u64) -> String {
    if checkpoints.contains("://") {
        return format!("{}/{SAVEPOINTS}{number}", checkpoints.trim_end_matches('/'));
    }
    let path = Path::new(checkpoints).join(SAVEPOINTS).join(number.to_string());
    std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned()
}

/// Opens a place for a savepoint.
///
/// # Errors
/// If it cannot be written, or has checkpoints.
pub fn open(place: &str) -> Result<Arc<dyn Store>, Fault> {
    let store = store::open(place)?;
    match History::read(&*store)?.checkpoints().next() {
        None => Ok(store),
        Some(_) => Err(Fault::new(format!("there are checkpoints in {} already", store.place()))
            .help("name an empty place with `--to`")),
    }
}

/// The savepoint of this checkpoint in a place, if it is there.
///
/// # Errors
/// If the place cannot be read.
pub fn find(place: &str, manifest: &Manifest) -> Result<Option<Savepoint>, Fault> {
    let store = store::open(place)?;
    let history = History::read(&*store)?;
    let found = history.checkpoints().find(|(_, there)| there.is_same(manifest));
    Ok(found.map(|(_, there)| Savepoint { place: store.place(), epoch: there.epoch, bytes: there.bytes() }))
}

/// Writes a savepoint: copies a checkpoint of a run into a store that has none. `attempt` is what the log says of the run; `scratch` is a folder
/// for temporary files.
///
/// # Errors
/// If the checkpoint is damaged or the store cannot be written. What was put until then is removed as far as it can be.
pub fn write(
    from: &dyn Store,
    manifest: &Manifest,
    attempt: Attempt,
    to: Arc<dyn Store>,
    scratch: &Path,
) -> Result<Savepoint, Fault> {
    let mut log = Log::begin(to.clone(), attempt)?;
    let written = log.import(from, manifest, 1, Some(scratch)).map_err(Fault::from).and_then(|number| {
        log.read_back(number, Depth::Index).map_err(Fault::from)?;
        Ok(log.history().checkpoint(number)?.clone())
    });
    match written {
        Ok(manifest) => Ok(Savepoint { place: to.place(), epoch: manifest.epoch, bytes: manifest.bytes() }),
        Err(fault) => {
            // Only if it is sure that no entry names them: one may be there though its answer got lost.
            let there = History::read(&*to);
            if there.is_ok_and(|there| there.entries().all(|(_, entry)| matches!(entry, Ok(Entry::Attempt(_))))) {
                for listed in to.list(DATA).unwrap_or_default() {
                    let _ = to.delete(&listed.name);
                }
            }
            Err(Fault {
                what: format!("the savepoint could not be written to {}: {}", to.place(), fault.what),
                ..fault
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::faulty::{Faulty, Mischief};
    use crate::checkpoint::manifest::{DataName, OperatorState};
    use crate::checkpoint::object::ObjectWriter;
    use crate::checkpoint::store::MemoryStore;
    use crate::state::entry::Entry as StateEntry;

    fn attempt() -> Attempt {
        Attempt { job: "Board".into(), width: 2, plan: 7, params: Vec::new(), time: 5 }
    }

    /// A store with one checkpoint of some objects.
    fn run() -> (Arc<dyn Store>, Manifest) {
        let store: Arc<dyn Store> = MemoryStore::new();
        let mut log = Log::begin(store.clone(), attempt()).unwrap();
        let mut operator =
            OperatorState { id: "totals".into(), states: Vec::new(), heads: vec![vec![7]], objects: Vec::new() };
        for number in 0..3 {
            let mut object = ObjectWriter::new();
            let hash = u64::from(number) << 50;
            object.append(StateEntry { hash, state: 0, namespace: 0, key: &[number as u8], value: Some(&[9; 100]) });
            let name = DataName { attempt: log.attempt(), epoch: 4, worker: number, number };
            let (object, bytes) = object.finish(name.to_string());
            store.put(&object.name, &bytes).unwrap();
            operator.objects.push(object);
        }
        let number = log.complete(Manifest { operators: vec![operator], ..Manifest::new("Board", 2, 4) }, 2).unwrap();
        let manifest = log.history().checkpoint(number).unwrap().clone();
        (store, manifest)
    }

    #[test]
    fn a_savepoint_is_whole_without_the_store_it_came_from() {
        let (store, manifest) = run();
        let to: Arc<dyn Store> = MemoryStore::new();
        let savepoint = write(&*store, &manifest, attempt(), to.clone(), &std::env::temp_dir()).unwrap();
        assert_eq!((savepoint.epoch, savepoint.bytes), (4, manifest.bytes()));
        for listed in store.list("").unwrap() {
            store.delete(&listed.name).unwrap();
        }
        assert!(super::super::verify::verify(&*to).unwrap().is_good());
        let history = History::read(&*to).unwrap();
        let start = history.newest(&std::collections::BTreeMap::new(), false).unwrap();
        assert!(start.from.unwrap().1.is_same(&manifest));
        assert_eq!(find("memory://nobody-writes-here", &manifest).unwrap(), None);
        assert!(open("memory://nobody-writes-here").is_ok());
    }

    #[test]
    fn whatever_goes_wrong_there_is_a_whole_savepoint_or_none() {
        let (store, manifest) = run();
        for mischief in [Mischief::FailBefore, Mischief::FailAfter, Mischief::Short] {
            for at in 1.. {
                let faulty = Faulty::new(MemoryStore::new());
                faulty.plan(at, mischief);
                let written = write(&*store, &manifest, attempt(), faulty.clone(), &std::env::temp_dir());
                let done = faulty.operations() < at;
                faulty.revive();
                let history = History::read(&*faulty).unwrap();
                if written.is_ok() || history.checkpoints().next().is_some() {
                    assert!(super::super::verify::verify(&*faulty).unwrap().is_good(), "{mischief:?} at {at}");
                } else {
                    write(&*store, &manifest, attempt(), faulty.clone(), &std::env::temp_dir()).unwrap();
                }
                if done {
                    assert!(at > 8, "{at} operations");
                    break;
                }
            }
        }
    }

    #[test]
    fn places_are_below_that_of_the_checkpoints() {
        assert_eq!(place_of("s3://bucket/board/", 12), "s3://bucket/board/savepoints/12");
        assert_eq!(place_of("/data/board", 12), "/data/board/savepoints/12");
        assert!(place_of("board", 12).ends_with("/board/savepoints/12"));
    }
}
