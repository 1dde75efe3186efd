//! The smallest job that keeps checkpoints as the engine does: it counts, publishes a row per epoch through commits, and is
//! killed, frozen and lied to by the tests that use it.

#![allow(dead_code, reason = "not each test uses all of it")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use pelton::checkpoint::damage::Damage;
use pelton::checkpoint::entry::Attempt;
use pelton::checkpoint::history::Fresh;
use pelton::checkpoint::log::Log;
use pelton::checkpoint::manifest::{DataName, Manifest, OperatorState, Pending, SinkState, StateInfo};
use pelton::checkpoint::object::{ALL_GROUPS, Entry, ObjectReader, ObjectWriter};
use pelton::checkpoint::store::Store;
use pelton::checkpoint::verify::{Depth, check_objects};
use pelton::error::Fault;
use pelton::hash;
use pelton::schema::OwnedSchema;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// What the world outside has seen: rows by the transaction that published them. To publish a transaction again changes nothing.
#[derive(Default)]
pub struct World(Mutex<BTreeMap<Vec<u8>, u64>>);

impl World {
    fn publish(&self, transaction: &[u8], row: u64) {
        self.0.lock().unwrap().insert(transaction.to_vec(), row);
    }

    /// All rows, in order; one that was published twice is there twice.
    pub fn rows(&self) -> Vec<u64> {
        let mut rows: Vec<u64> = self.0.lock().unwrap().values().copied().collect();
        rows.sort();
        rows
    }

    pub fn copy(&self) -> Self {
        World(Mutex::new(self.0.lock().unwrap().clone()))
    }
}

/// How a run of the job is done.
#[derive(Clone, Copy)]
pub struct Job {
    /// How many epochs there are.
    pub epochs: u64,
    /// How many checkpoints are kept.
    pub keep: usize,
    /// Whether the last run says that it has finished.
    pub finishes: bool,
}

/// The rows of an undisturbed run.
pub fn expected(job: Job) -> Vec<u64> {
    (1..=job.epochs).map(row).collect()
}

/// A sum over all epochs so far, so that a state that was lost or applied twice shows.
fn row(epoch: u64) -> u64 {
    (1..=epoch).map(|e| e * 1000 + 1).sum()
}

fn attempt() -> Attempt {
    Attempt { job: "Counting".into(), width: 1, plan: 7, params: vec![("input".into(), "numbers".into())], time: 1 }
}

impl Job {
    /// Runs to the end, from wherever the store says.
    pub fn run(self, store: &Arc<dyn Store>, world: &World) -> Result<(), Fault> {
        let mut log = Log::begin(Arc::clone(store), attempt())?;
        let mut damaged = BTreeMap::new();
        let start = loop {
            let start = log.history().newest(&damaged, false)?;
            let Some((number, manifest)) = &start.from else { break start };
            match check_objects(&**store, manifest, Depth::All)?.first() {
                Some(damage) => damaged.insert(*number, damage.to_string()),
                None => break start,
            };
        };
        if start.fresh == Some(Fresh::Finished) && start.passed.is_empty() {
            return Ok(());
        }
        if !start.passed.is_empty() {
            let to = start.from.as_ref().map(|(number, _)| *number);
            log.rewind(to, "what is newer is damaged")?;
        }
        let (mut epoch, mut sum, mut objects) = (0, 0, Vec::new());
        if let Some((number, manifest)) = start.from {
            epoch = manifest.epoch;
            objects = manifest.operators[0].objects.clone();
            for object in &objects {
                let reader = ObjectReader::open(&**store, object)?;
                reader.read(ALL_GROUPS, |entry| {
                    sum += u64::from_le_bytes(entry.value.unwrap().try_into().unwrap());
                    Ok(())
                })?;
            }
            commit(&mut log, number, &manifest, world)?;
        }
        while epoch < self.epochs {
            epoch += 1;
            let add = epoch * 1000 + 1;
            sum += add;
            let mut writer = ObjectWriter::new();
            let (key, value) = ([epoch as u8], add.to_le_bytes());
            writer.append(Entry { hash: hash::mix(epoch), state: 0, namespace: 0, key: &key, value: Some(&value) });
            let name = DataName { attempt: log.attempt(), epoch, worker: 0, number: 0 };
            let (object, bytes) = writer.finish(name.to_string());
            store.put(&object.name, &bytes)?;
            objects.push(object);
            let mut manifest = Manifest::new("Counting", 1, epoch);
            let states = vec![StateInfo::new("sum", "Value", OwnedSchema::U8, OwnedSchema::U64)];
            let heads = vec![Vec::new()];
            manifest.operators.push(OperatorState { id: "sums".into(), states, heads, objects: objects.clone() });
            // The transaction is of this attempt: to do the epoch again in another one is another transaction.
            let bytes = [log.attempt().to_le_bytes(), epoch.to_le_bytes(), sum.to_le_bytes()].concat();
            let pending = vec![Pending { epoch: 1, worker: 0, bytes }];
            manifest.sinks.push(SinkState { id: "rows".into(), state: Vec::new(), pending });
            let number = log.complete(manifest.clone(), self.keep)?;
            log.read_back(number, Depth::New)?;
            commit(&mut log, number, &manifest, world)?;
            log.retain(None)?.delete(&**store)?;
        }
        if self.finishes {
            log.finished(1)?;
        }
        Ok(())
    }
}

fn commit(log: &mut Log, number: u64, manifest: &Manifest, world: &World) -> Result<(), Fault> {
    log.committing(number)?;
    for pending in manifest.sinks.iter().flat_map(|sink| &sink.pending) {
        let (transaction, row) = pending.bytes.split_at(16);
        world.publish(transaction, u64::from_le_bytes(row.try_into().unwrap()));
    }
    log.committed(number)?;
    Ok(())
}

/// Whether each row that is there is there once, and is right.
pub fn is_part_of(rows: &[u64], job: Job) -> bool {
    let distinct: BTreeSet<u64> = rows.iter().copied().collect();
    distinct.len() == rows.len() && distinct.is_subset(&expected(job).into_iter().collect())
}

pub fn damages(damage: &[(Damage, Vec<u64>)]) -> Vec<&str> {
    damage.iter().map(|(damage, _)| &*damage.object).collect()
}
