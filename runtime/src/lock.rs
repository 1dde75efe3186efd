//! The lock: what the stored state of a job looks like, accepted once and committed beside the code, so that a change that
//! could not be restored is an error of `cargo check`.
//!
//! The macro reads `pelton.lock` and puts what it says of a job into constants; [`check`](self) holds the job's states against
//! them. [`file`](self) reads and writes it at run time, [`samples`](self) keeps some stored values of every accepted
//! version. A state is known by operator and name ([`StateNames`]); its types are found where the job is built
//! ([`StateMeta`]). Nothing here knows of operators, engines or command lines.

mod check;
mod compare;
mod file;
mod sample;
mod samples;

pub use check::{nothing_lost, restores};
pub use compare::{Change, compare};
pub use file::{JobLock, LockFile};
pub use samples::{check_samples, folder_of, read_samples, remove_samples, sample, write_samples};

use crate::codec::{CodecError, Reader};
use crate::names;
use crate::record::Record;
use crate::schema::{LockedSchema, Schema};
use std::sync::{Mutex, PoisonError};

/// By which names a state is known in what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateNames {
    /// The operator: the name of its `let`.
    pub operator: &'static str,
    /// Names the operator had before: `#[was(old)]` on the `let`.
    pub was: &'static [&'static str],
    /// The state's own name.
    pub state: &'static str,
    /// Names the state had before.
    pub state_was: &'static [&'static str],
    /// Which windows they are, `tumbling 1h`, if the block says so: what is kept of others is of no use.
    pub of: &'static str,
}

impl StateNames {
    /// The same names inside of flows: with `t/` in front of the operator's, where it stood `former` in front of it.
    pub(crate) fn within(&'static self, place: &str, former: &[String]) -> &'static StateNames {
        static KNOWN: Mutex<Vec<&'static StateNames>> = Mutex::new(Vec::new());
        if place.is_empty() {
            return self;
        }
        let operator = names::within(place, self.operator);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = known.iter().find(|it| std::ptr::eq(it.operator, operator) && it.state == self.state) {
            return names;
        }
        let mut was: Vec<&str> = self.was.iter().map(|was| names::within(place, was)).collect();
        for place in former {
            was.push(names::within(place, self.operator));
            was.extend(self.was.iter().map(|was| names::within(place, was)));
        }
        let names: &'static StateNames = Box::leak(Box::new(StateNames { operator, was: was.leak(), ..*self }));
        known.push(names);
        names
    }

    /// Whether these are the names, or former names, of a stored state.
    pub const fn mean(&self, operator: &str, state: &str) -> bool {
        use crate::schema::locked::{has, same};
        (same(self.operator, operator) || has(self.was, operator))
            && (same(self.state, state) || has(self.state_was, state))
    }
}

/// What a lock says of one state.
#[derive(Clone, Copy, Debug)]
pub struct LockedState<'a> {
    /// The operator.
    pub operator: &'a str,
    /// The state's own name.
    pub state: &'a str,
    /// Which windows they are; empty if that is not known.
    pub of: &'a str,
    /// What it is kept by.
    pub key: LockedSchema<'a>,
    /// What is kept per key.
    pub value: LockedSchema<'a>,
}

/// Reads a stored value of one type and gives it back as bytes.
pub type ReadBack = fn(&[u8]) -> Result<Vec<u8>, CodecError>;

/// A state of a job: its names and its types.
#[derive(Clone, Copy, Debug)]
pub struct StateMeta {
    /// Its names.
    pub names: &'static StateNames,
    /// What it is kept by.
    pub key: &'static Schema,
    /// What is kept per key.
    pub value: &'static Schema,
    /// Reads a key in today's form and writes it again.
    pub read_key: ReadBack,
    /// The same for a value.
    pub read_value: ReadBack,
}

impl StateMeta {
    /// A state of these types.
    pub const fn of<K: Record, V: Record>(names: &'static StateNames) -> StateMeta {
        StateMeta { names, key: K::SCHEMA, value: V::SCHEMA, read_key: read_back::<K>, read_value: read_back::<V> }
    }
}

fn read_back<T: Record>(bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut from = Reader::new(bytes);
    let value = T::decode(&mut from)?;
    from.end()?;
    let mut again = Vec::with_capacity(bytes.len());
    value.encode(&mut again);
    Ok(again)
}

/// Where a job's lock is, as its block says it, and what the job has given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockPlace {
    /// The folder of the crate's `Cargo.toml` when it was built.
    pub manifest: &'static str,
    /// The source file of the block, from the folder in which the compiler ran.
    pub source: &'static str,
    /// The path of `#[lock("..")]`, from the source file; without it the lock is `pelton.lock` beside `Cargo.toml`.
    pub path: Option<&'static str>,
    /// States and operators that the job has given up: `#[dropped(..)]`.
    pub dropped: &'static [&'static str],
}

impl LockPlace {
    /// Where the lock is, or would be.
    pub fn file(&self) -> std::path::PathBuf {
        let manifest = std::path::Path::new(self.manifest);
        let Some(path) = self.path else { return manifest.join("pelton.lock") };
        // The compiler ran in the workspace's folder, which is the crate's or one above it.
        let source = manifest.ancestors().map(|folder| folder.join(self.source)).find(|file| file.exists());
        let source = source.unwrap_or_else(|| manifest.join(self.source));
        source.parent().unwrap_or(manifest).join(path)
    }
}
