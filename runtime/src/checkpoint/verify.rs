//! Whether what is stored is as it was written: of one checkpoint before its commits run ([`check_objects`]), or of a
//! whole store ([`verify`]).
//!
//! Objects are read on a few threads: a store answers several at once faster than one after the other.

use super::damage::{Damage, Problem};
use super::entry::{Entry, Unreadable, name_of};
use super::history::History;
use super::manifest::{DATA, DataName, Manifest, ObjectRef};
use super::object;
use super::savepoint::SAVEPOINTS;
use super::store::Store;
use crate::error::Fault;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

/// How much of a checkpoint is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The index of each object: it is there, it has its length, and it is the one that is meant.
    Index,
    /// All of the objects that were written for this checkpoint, the index of those of earlier ones.
    New,
    /// All of every object.
    All,
}

/// Reads the objects of a checkpoint; gives what is damaged.
///
/// # Errors
/// If the store cannot be read.
pub fn check_objects(store: &dyn Store, manifest: &Manifest, depth: Depth) -> Result<Vec<Damage>, Fault> {
    let is_new = |object: &ObjectRef| {
        let name = DataName::parse(&object.name);
        name.is_none_or(|name| (name.attempt, name.epoch) == (manifest.attempt, manifest.epoch))
    };
    let objects: Vec<(&ObjectRef, bool)> = manifest
        .objects()
        .map(|object| (object, depth == Depth::All || depth == Depth::New && is_new(object)))
        .collect();
    check(store, &objects)
}

/// Reads objects, each to its end or its index alone, as many at once as there are cores.
fn check(store: &dyn Store, objects: &[(&ObjectRef, bool)]) -> Result<Vec<Damage>, Fault> {
    let found = objects.par_iter().map(|(object, whole)| match object::check(store, object, *whole) {
        Ok(()) => Ok(None),
        Err(Problem::Damaged(damage)) => Ok(Some(damage)),
        Err(Problem::Failed(fault)) => Err(fault),
    });
    Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// What was found in a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Where.
    pub place: String,
    /// Entries of the log that were read.
    pub entries: u64,
    /// Checkpoints among them.
    pub checkpoints: u64,
    /// Data objects that a checkpoint names.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is damaged or missing, and which checkpoints need it.
    pub damage: Vec<(Damage, Vec<u64>)>,
    /// Data objects that no checkpoint names, and their bytes: of a checkpoint that did not become complete; the next sweep
    /// deletes them.
    pub unnamed: (u64, u64),
    /// Objects that have no business there.
    pub strays: Vec<String>,
}

impl Report {
    /// Whether nothing is damaged.
    pub fn is_good(&self) -> bool {
        self.damage.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { place, entries, checkpoints, objects, bytes, damage, unnamed: (unnamed, more), strays } = self;
        writeln!(f, "{place}: {entries} entries, {checkpoints} checkpoints, {objects} objects with {bytes} bytes")?;
        if *unnamed > 0 {
            writeln!(f, "  {unnamed} objects with {more} bytes that no checkpoint names; the job deletes them")?;
        }
        for stray in strays {
            writeln!(f, "  `{stray}` is nothing of a checkpoint")?;
        }
        for (damage, needed) in damage {
            let of: Vec<String> = needed.iter().map(|number| format!("checkpoint {number}")).collect();
            let of = if of.is_empty() { String::new() } else { format!(", needed by {}", of.join(", ")) };
            writeln!(f, "  damaged: {damage}{of}")?;
        }
        f.write_str(match (damage.is_empty(), checkpoints) {
            (true, 0) => "  no checkpoint is complete yet: a run begins from the start",
            (true, _) => "  all is as it was written",
            (false, _) => "  not all is as it was written",
        })
    }
}

/// Reads all of a store: every entry, every block of every object. A job may be running in it.
///
/// # Errors
/// If the store cannot be read. Damage is in the report.
pub fn verify(store: &dyn Store) -> Result<Report, Fault> {
    loop {
        let history = History::read(store)?;
        let report = verify_all(store, &history)?;
        // What a running job has swept meanwhile is not damaged.
        if report.is_good() || History::read(store)?.end() == history.end() {
            return Ok(report);
        }
    }
}

fn verify_all(store: &dyn Store, history: &History) -> Result<Report, Fault> {
    let mut report = Report { place: store.place(), strays: history.strays().to_vec(), ..Report::default() };
    let floor = history.floor();
    for (number, slot) in history.entries() {
        report.entries += 1;
        match slot {
            Ok(Entry::Checkpoint(_)) => report.checkpoints += 1,
            Ok(_) => {}
            // A later version can read it.
            Err(Unreadable::Other(what) | Unreadable::Damaged(_, what)) => {
                report.damage.push((Damage::new(name_of(number), what.clone()), Vec::new()));
            }
        }
    }
    for number in history.missing() {
        report.damage.push((Damage::new(name_of(number), "it is not there"), Vec::new()));
    }
    // Below the floor a sweep may have been interrupted between an entry and its objects.
    let mut needed: BTreeMap<&str, (&ObjectRef, Vec<u64>)> = BTreeMap::new();
    for (number, manifest) in history.checkpoints().filter(|(number, _)| *number >= floor) {
        for object in manifest.objects() {
            needed.entry(&object.name).or_insert((object, Vec::new())).1.push(number);
        }
    }
    let objects: Vec<(&ObjectRef, bool)> = needed.values().map(|(object, _)| (*object, true)).collect();
    report.objects = objects.len() as u64;
    report.bytes = objects.iter().map(|(object, _)| object.length).sum();
    for damage in check(store, &objects)? {
        let of = needed.get(&*damage.object).map(|(_, numbers)| numbers.clone()).unwrap_or_default();
        report.damage.push((damage, of));
    }
    let named: HashSet<&str> =
        history.checkpoints().flat_map(|(_, manifest)| manifest.objects()).map(|object| &*object.name).collect();
    for listed in store.list("")? {
        if listed.name.starts_with(DATA) && DataName::parse(&listed.name).is_some() {
            if !named.contains(&*listed.name) {
                report.unnamed.0 += 1;
                report.unnamed.1 += listed.bytes;
            }
        } else if ![super::entry::LOG, SAVEPOINTS].iter().any(|ours| listed.name.starts_with(ours)) {
            report.strays.push(listed.name);
        }
    }
    Ok(report)
}
