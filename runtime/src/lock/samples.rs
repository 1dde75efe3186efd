//! Some stored values of every accepted version, beside the lock: today's code must read all of them. A version whose
//! checkpoints nobody will restore any more is given up by deleting its file.
//!
//! `pelton.samples/Job.3.sample` is a [`SampleFile`] in an envelope (`record/envelope.rs`); like a snapshot it says what it
//! holds, by its writer's schemas.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::sample::values;
use super::{StateMeta, StateNames};
use crate::codec::Reader;
use crate::error::Fault;
use crate::record::{Migration, open, seal};
use crate::schema::OwnedSchema;

/// Values that are stored per state and version.
const MANY: usize = 8;

/// Values of one version of a job.
#[derive(pelton::Record, Clone, Debug, PartialEq)]
pub struct SampleFile {
    /// The job.
    pub job: String,
    /// The version in its lock.
    pub version: u64,
    /// Each state.
    pub states: Vec<SampleState>,
}

/// Values of one state.
#[derive(pelton::Record, Clone, Debug, PartialEq)]
pub struct SampleState {
    /// The operator.
    pub operator: String,
    /// The state's own name.
    pub state: String,
    /// The schema of the keys.
    pub key: OwnedSchema,
    /// The schema of the values.
    pub value: OwnedSchema,
    /// Keys in their byte form.
    pub keys: Vec<Vec<u8>>,
    /// Values in their byte form.
    pub values: Vec<Vec<u8>>,
}

/// Values of the states as they are today.
pub fn sample(job: &str, version: usize, states: &[StateMeta]) -> SampleFile {
    let states = states.iter().map(|meta| SampleState {
        operator: meta.names.operator.to_owned(),
        state: meta.names.state.to_owned(),
        key: meta.key.into(),
        value: meta.value.into(),
        keys: values(meta.key, meta.read_key, MANY),
        values: values(meta.value, meta.read_value, MANY),
    });
    SampleFile { job: job.to_owned(), version: version as u64, states: states.collect() }
}

/// The folder of the samples of a lock: `pelton.samples` beside `pelton.lock`.
pub fn folder_of(lock: &Path) -> PathBuf {
    lock.with_extension("samples")
}

fn path_of(folder: &Path, job: &str, version: u64) -> PathBuf {
    folder.join(format!("{job}.{version}.sample"))
}

/// Writes a file of samples, and the folder if need be.
///
/// # Errors
/// If it cannot be written.
pub fn write_samples(folder: &Path, file: &SampleFile) -> Result<PathBuf, Fault> {
    let path = path_of(folder, &file.job, file.version);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, seal(file)));
    match written {
        Ok(()) => Ok(path),
        Err(error) => Err(Fault::new("the samples cannot be written").in_file(path).because(error)),
    }
}

/// Deletes the samples of a version.
///
/// # Errors
/// If they are there and cannot be deleted.
pub fn remove_samples(folder: &Path, job: &str, version: u64) -> Result<(), Fault> {
    let path = path_of(folder, job, version);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Fault::new("the samples cannot be deleted").in_file(path).because(error))
        }
        _ => Ok(()),
    }
}

/// All samples of a job, by version.
///
/// # Errors
/// If the folder is there and cannot be read, or a file of the job is no sample, or that of another.
pub fn read_samples(folder: &Path, job: &str) -> Result<Vec<SampleFile>, Fault> {
    let unreadable = |error: io::Error| Fault::new("the samples cannot be read").in_file(folder).because(error);
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        let Some(version) = version_of(path.file_name(), job) else { continue };
        let bytes = std::fs::read(&path).map_err(unreadable)?;
        let broken = |fault: Fault| fault.in_file(&path).help("take the file as it was committed");
        let file: SampleFile =
            open(&bytes).map_err(|error| broken(Fault::new("this is no file of samples").because(error)))?;
        if file.job != job || file.version != version {
            let what = format!("these are samples of `{}`, version {}, under another name", file.job, file.version);
            return Err(broken(Fault::new(what)));
        }
        files.push(file);
    }
    files.sort_by_key(|file| file.version);
    Ok(files)
}

/// `3` of `Job.3.sample`.
fn version_of(file: Option<&OsStr>, job: &str) -> Option<u64> {
    let name = file?.to_str()?.strip_suffix(".sample")?;
    name.strip_prefix(job)?.strip_prefix('.')?.parse().ok()
}

/// Reads each value of a version with today's types; gives the number of values.
///
/// # Errors
/// If one cannot be read: the fault names the version, the state and what has changed.
pub fn check_samples(file: &SampleFile, states: &[StateMeta], dropped: &[&str]) -> Result<usize, Fault> {
    let mut read = 0;
    for stored in &file.states {
        let name = format!("{}.{}", stored.operator, stored.state);
        let within = |mut fault: Fault| {
            fault.what = format!("version {} of `{}`, state {name}: {}", file.version, file.job, fault.what);
            fault
        };
        let given_up = dropped.iter().any(|it| *it == stored.operator || *it == name);
        let found = find(states, stored);
        // What has its name now is another one, which was stored, too.
        let another = |meta: &&StateMeta| {
            let other = |other: &SampleState| (&other.operator, &other.state) != (&stored.operator, &stored.state);
            file.states.iter().any(|it| other(it) && meta.names.mean(&it.operator, &it.state))
        };
        if given_up && found.as_ref().is_some_and(another) {
            continue;
        }
        let Some(meta) = found else {
            if given_up {
                continue;
            }
            let fault = Fault::new("the job does not have it any more, and does not say that it is dropped");
            return Err(within(fault.help(format!(
                "write `#[dropped({name})]` on the job, or `#[was({})]` on what it has become",
                stored.operator
            ))));
        };
        let key = Migration::between_keys(&stored.key, meta.key).map_err(within)?;
        let value = Migration::between(&stored.value, meta.value).map_err(within)?;
        let all = stored.keys.iter().map(|bytes| (&key, meta.read_key, bytes));
        for (migration, back, bytes) in all.chain(stored.values.iter().map(|bytes| (&value, meta.read_value, bytes))) {
            let done = if migration.is_identity() {
                back(bytes)
            } else {
                let (mut from, mut today) = (Reader::new(bytes), Vec::new());
                let converted = migration.convert(&mut from, &mut today).and_then(|()| from.end());
                converted.and_then(|()| back(&today))
            };
            match done {
                Ok(_) => read += 1,
                Err(error) => return Err(within(Fault::new("a stored value cannot be read").because(error))),
            }
        }
    }
    Ok(read)
}

fn find<'s>(states: &'s [StateMeta], stored: &SampleState) -> Option<&'s StateMeta> {
    let exactly = |names: &StateNames| names.operator == stored.operator && names.state == stored.state;
    let known = |names: &StateNames| names.mean(&stored.operator, &stored.state);
    states.iter().find(|meta| exactly(meta.names)).or_else(|| states.iter().find(|meta| known(meta.names)))
}
