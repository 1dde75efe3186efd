//! What has changed between a lock and a job's states, for a person who is about to accept it.

use std::fmt;

use super::check::{complaint, find, loss};
use super::file::JobLock;
use super::{LockedState, StateMeta, StateNames};
use crate::schema::{LockedSchema, Verdict, can_restore, can_restore_key};

/// A state that is not as the lock has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new: nothing is stored of it.
    New {
        /// `operator.state`.
        state: String,
    },
    /// It has other types or another name, and what is stored can be read.
    Reads {
        /// `operator.state`.
        state: String,
        /// What it was called in the lock.
        was: String,
        /// Key and value in the lock.
        stored: (String, String),
        /// Key and value today.
        today: (String, String),
    },
    /// The job has it no more, and says so.
    Dropped {
        /// `operator.state`.
        state: String,
    },
    /// What is stored would be lost.
    Lost {
        /// Which one, why, and what to write.
        why: String,
    },
}

impl Change {
    /// Whether what is stored would be lost.
    pub fn is_loss(&self) -> bool {
        matches!(self, Change::Lost { .. })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::New { state } => write!(f, "{state} is new"),
            Change::Dropped { state } => write!(f, "{state} is dropped: what is stored of it goes"),
            Change::Lost { why } => f.write_str(&why.replace('\n', "\n  ")),
            Change::Reads { state, was, stored, today } => {
                write!(f, "{state} has changed, and what is stored can be read")?;
                if was != state {
                    write!(f, "\n  it was called {was}")?;
                }
                if stored.0 != today.0 {
                    write!(f, "\n  key   stored: {}\n        today:  {}", stored.0, today.0)?;
                }
                if stored.1 != today.1 {
                    write!(f, "\n  value stored: {}\n        today:  {}", stored.1, today.1)?;
                }
                Ok(())
            }
        }
    }
}

/// All that has changed, in the order of the job and then of the lock.
pub fn compare(lock: Option<&JobLock>, states: &[StateMeta], dropped: &[&str]) -> Vec<Change> {
    let stored = lock.map_or(&[][..], |lock| &lock.states);
    let nodes: Vec<_> = stored.iter().map(|state| (state.key.nodes(), state.value.nodes())).collect();
    let locked = stored.iter().zip(&nodes).map(|(state, (key, value))| LockedState {
        operator: &state.operator,
        state: &state.state,
        of: &state.of,
        key: LockedSchema::of(key),
        value: LockedSchema::of(value),
    });
    let locked: Vec<LockedState<'_>> = locked.collect();
    let mut changes = Vec::new();
    for meta in states {
        let name = format!("{}.{}", meta.names.operator, meta.names.state);
        match find(&locked, meta.names, dropped) {
            None => changes.push(Change::New { state: name }),
            Some(old) => changes.extend(of_state(old, meta, name)),
        }
    }
    let kept: Vec<&StateNames> = states.iter().map(|state| state.names).collect();
    for old in &locked {
        if let Some(why) = loss(old, &locked, &kept, dropped) {
            changes.push(Change::Lost { why: why.as_str().to_owned() });
        } else if !kept.iter().filter_map(|names| find(&locked, names, dropped)).any(|found| std::ptr::eq(found, old)) {
            changes.push(Change::Dropped { state: format!("{}.{}", old.operator, old.state) });
        }
    }
    changes
}

fn of_state(old: &LockedState<'_>, meta: &StateMeta, state: String) -> Option<Change> {
    if let Some(why) = complaint(old, meta.names, meta.key, meta.value) {
        return Some(Change::Lost { why: why.as_str().to_owned() });
    }
    let was = format!("{}.{}", old.operator, old.state);
    let same = |verdict: Verdict| matches!(verdict, Verdict::Same);
    if was == state && same(can_restore_key(&old.key, meta.key)) && same(can_restore(&old.value, meta.value)) {
        return None;
    }
    Some(Change::Reads {
        state,
        was,
        stored: (old.key.to_owned().to_string(), old.value.to_owned().to_string()),
        today: (meta.key.to_string(), meta.value.to_string()),
    })
}
