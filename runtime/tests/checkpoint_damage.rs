//! Each byte of a small store is flipped, each object cut and removed, one at a time: `verify` finds it, and a run of the job
//! publishes what it should or is refused with what to do.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod checkpoint_kit;

use checkpoint_kit::{Job, World, damages, expected, is_part_of};
use pelton::checkpoint::faulty::{Faulty, Mischief};
use pelton::checkpoint::history::History;
use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::checkpoint::verify::verify;
use std::collections::BTreeSet;
use std::sync::Arc;

const JOB: Job = Job { epochs: 6, keep: 2, finishes: true };

/// A store and what is published when a run is killed at its `n`th operation.
fn killed_at(n: u64) -> (Arc<MemoryStore>, World) {
    let inner = MemoryStore::new();
    let store = Faulty::new(Arc::clone(&inner) as Arc<dyn Store>);
    let world = World::default();
    store.crash_at(n, Mischief::FailBefore);
    assert!(JOB.run(&(store as Arc<dyn Store>), &world).is_err());
    (inner, world)
}

#[derive(Default)]
struct Outcomes {
    went_on: u64,
    refused: u64,
}

impl Outcomes {
    /// Damages a copy of the store, and looks at what becomes of it.
    fn try_damage(
        &mut self,
        (store, world): (&MemoryStore, &World),
        needed: &BTreeSet<String>,
        name: &str,
        what: &str,
        damage: impl FnOnce(&dyn Store),
    ) {
        let (store, world) = (store.fork(), world.copy());
        damage(&*store);
        let report = verify(&*store).unwrap();
        // What was the newest entry is not missed by anybody.
        let is_last = what == "removed"
            && name.starts_with("log/")
            && !needed.range(name.to_owned()..).any(|n| n.as_str() > name && n.starts_with("log/"));
        if needed.contains(name) && !is_last {
            assert!(damages(&report.damage).contains(&name), "{name} {what}: {report}");
        }
        match JOB.run(&(Arc::clone(&store) as Arc<dyn Store>), &world) {
            Ok(()) => {
                self.went_on += 1;
                assert_eq!(world.rows(), expected(JOB), "{name} {what}");
            }
            Err(fault) => {
                self.refused += 1;
                assert!(fault.help.is_some(), "{name} {what}: {fault}");
                assert!(is_part_of(&world.rows(), JOB), "{name} {what}: {:?}", world.rows());
            }
        }
    }
}

/// The objects that `verify` must look at: the log, and what the checkpoints name from the floor on.
fn needed(store: &dyn Store) -> BTreeSet<String> {
    let history = History::read(store).unwrap();
    let floor = history.floor();
    let kept = history.checkpoints().filter(|(number, _)| *number >= floor);
    let data = kept.flat_map(|(_, manifest)| manifest.objects()).map(|object| object.name.clone());
    let log = store.list("log/").unwrap().into_iter().map(|listed| listed.name);
    // Below the floor an entry that is gone is none that is missed.
    let log = log.filter(|name| name[4..].parse::<u64>().unwrap() >= floor);
    data.chain(log).collect()
}

#[test]
fn each_damage_is_found_and_none_gives_a_wrong_answer() {
    // Killed before an entry that says that commits have run, before the last manifest, and before the end.
    let undisturbed = Faulty::new(MemoryStore::new());
    JOB.run(&(Arc::clone(&undisturbed) as Arc<dyn Store>), &World::default()).unwrap();
    let trace = undisturbed.trace();
    let puts: Vec<u64> = (1..).zip(&trace).filter(|(_, what)| what.starts_with("put")).map(|(n, _)| n).collect();
    let mut outcomes = Outcomes::default();
    for n in puts[puts.len() - 7..].iter().step_by(3) {
        let (store, world) = killed_at(*n);
        assert!(verify(&*store).unwrap().is_good());
        let needed = needed(&*store);
        assert!(needed.len() > 5, "{needed:?}");
        for listed in store.list("").unwrap() {
            let name = &*listed.name;
            let bytes = store.get(name).unwrap().unwrap();
            for at in 0..bytes.len() {
                let mut copy = bytes.clone();
                copy[at] ^= 1 << (at % 8);
                let what = format!("byte {at}");
                outcomes.try_damage((&store, &world), &needed, name, &what, |store| store.put(name, &copy).unwrap());
            }
            for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
                let what = format!("cut to {length}");
                let cut = &bytes[..length];
                outcomes.try_damage((&store, &world), &needed, name, &what, |store| store.put(name, cut).unwrap());
            }
            let longer = [&bytes[..], &[0]].concat();
            outcomes.try_damage((&store, &world), &needed, name, "longer", |store| store.put(name, &longer).unwrap());
            outcomes.try_damage((&store, &world), &needed, name, "removed", |store| store.delete(name).unwrap());
        }
    }
    let Outcomes { went_on, refused } = outcomes;
    assert!(went_on > 1000 && refused > 1000, "{went_on} went on, {refused} were refused");
}

#[test]
fn objects_that_changed_places_are_found() {
    let (store, _) = killed_at(60);
    let data: Vec<String> = needed(&*store).into_iter().filter(|name| name.starts_with("data/")).collect();
    let [first, second, ..] = &data[..] else { panic!("{data:?}") };
    let (one, two) = (store.get(first).unwrap().unwrap(), store.get(second).unwrap().unwrap());
    store.put(first, &two).unwrap();
    store.put(second, &one).unwrap();
    let report = verify(&*store).unwrap();
    assert_eq!(damages(&report.damage), [first, second], "{report}");
}
