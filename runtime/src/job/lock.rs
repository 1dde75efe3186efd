//! `lock` and `lock --accept` of a job's binary, and the test that reads what was ever accepted. The lock itself knows
//! nothing of jobs; here the two meet.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::Job;
use crate::config::Config;
use crate::error::{Error, Fault};
use crate::lock::{
    Change, JobLock, LockFile, LockPlace, StateMeta, check_samples, compare, folder_of, read_samples, remove_samples,
    sample, write_samples,
};

/// What is said, and whether something is left to be accepted.
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) open: bool,
}

/// What [`check_lock`] has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockReport {
    /// Accepted versions.
    pub versions: usize,
    /// States in the newest of them.
    pub states: usize,
    /// Keys and values in all of them.
    pub values: usize,
}

/// A job beside its lock.
struct Held {
    place: LockPlace,
    file: PathBuf,
    /// The lock as it is; empty if there is none.
    lock: LockFile,
    states: Vec<StateMeta>,
    changes: Vec<Change>,
    /// The accepted version; 0 if there is none.
    version: usize,
}

/// Where the job's lock is.
pub(super) fn place<J: Job>() -> Result<LockPlace, Error> {
    J::LOCK.ok_or_else(|| Error::Setup(Fault::new(format!("`{}` can have no lock", J::NAME))))
}

fn hold<J: Job>(job: &J, place: LockPlace) -> Result<Held, Error> {
    let (file, states) = (place.file(), job.states_job(&Config::default().workers(1))?);
    let wrong = |fault: Fault| Error::Setup(fault.in_file(&file));
    let lock = match std::fs::read(&file) {
        Ok(text) => LockFile::parse(&text).map_err(wrong)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => LockFile::default(),
        Err(error) => return Err(wrong(Fault::new("the lock cannot be read").because(error))),
    };
    let changes = compare(lock.job(J::NAME), &states, place.dropped);
    let version = lock.job(J::NAME).map_or(0, |job| job.version);
    Ok(Held { place, file, lock, states, changes, version })
}

/// Says what `lock --accept` would accept.
pub(super) fn show<J: Job>(job: &J, place: LockPlace) -> Result<Answer, Error> {
    let held = hold(job, place)?;
    if held.changes.is_empty() && held.version > 0 {
        let text = format!("{} is as it was accepted, version {}.\n", J::NAME, held.version);
        return Ok(Answer { text, open: false });
    }
    if held.states.is_empty() && held.version == 0 {
        return Ok(Answer { text: format!("{} keeps no state.\n", J::NAME), open: false });
    }
    let mut text = said(&held.changes);
    let _ = match held.changes.iter().filter(|change| change.is_loss()).count() {
        0 => write!(text, "\nAll of it can be restored. `lock --accept` writes it to {}.\n", held.file.display()),
        lost => write!(text, "\n{lost} cannot be restored; `lock --accept` gives up what is stored.\n"),
    };
    Ok(Answer { text, open: true })
}

fn said(changes: &[Change]) -> String {
    changes.iter().fold(String::new(), |text, change| text + &change.to_string() + "\n")
}

/// Writes the job's part of the lock, and samples of it.
pub(super) fn accept<J: Job>(job: &J, place: LockPlace) -> Result<Answer, Error> {
    let held = hold(job, place)?;
    let folder = folder_of(&held.file);
    let changed = !held.changes.is_empty() || held.version == 0;
    let version = if changed { held.version + 1 } else { held.version };
    let mut text = said(&held.changes);
    if changed {
        write_lock(&held, J::NAME, version)?;
    }
    // Also where nothing has changed: the samples may have been lost.
    let file = sample(J::NAME, version, &held.states);
    let written = write_samples(&folder, &file).map_err(Error::Setup)?;
    for state in file.states.iter().filter(|state| state.values.is_empty() || state.keys.is_empty()) {
        let _ = writeln!(
            text,
            "no values of {}.{} can be made up: nothing checks that they are read",
            state.operator, state.state
        );
    }
    let lost = held.changes.iter().any(Change::is_loss);
    for old in read_samples(&folder, J::NAME).map_err(Error::Setup)? {
        // What is given up need not be read any more.
        if lost && check_samples(&old, &held.states, held.place.dropped).is_err() {
            remove_samples(&folder, J::NAME, old.version).map_err(Error::Setup)?;
            let _ = writeln!(text, "version {} is given up, and its samples are deleted", old.version);
        }
    }
    let _ =
        writeln!(text, "{} is accepted as version {version}: {}, {}", J::NAME, held.file.display(), written.display());
    Ok(Answer { text, open: false })
}

fn write_lock(held: &Held, job: &str, version: usize) -> Result<(), Error> {
    let wrong = |fault: Fault| Error::Setup(fault.in_file(&held.file));
    let mut lock = held.lock.clone();
    lock.put(JobLock::of(job, version, &held.states));
    let text = lock.to_text().map_err(|error| wrong(Fault::new("the lock cannot hold this job").because(error)))?;
    replace(&held.file, text.as_bytes()).map_err(|error| wrong(Fault::new("the lock cannot be written").because(error)))
}

/// Writes a file whole or not at all.
fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = file.with_extension("lock.new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, file)
}

/// Reads samples of every version of a job's state that was ever accepted with today's code.
///
/// # Errors
/// If one cannot be read, if the job is not as it was accepted last, or if it has no lock.
pub fn check_lock<J: Job>(job: &J) -> Result<LockReport, Error> {
    check(job, place::<J>()?)
}

fn check<J: Job>(job: &J, place: LockPlace) -> Result<LockReport, Error> {
    let held = hold(job, place)?;
    let wrong = |what: String, help: &str| Err(Error::Setup(Fault::new(what).in_file(&held.file).help(help)));
    if held.version == 0 {
        return wrong(format!("`{}` has no lock", J::NAME), "run `lock --accept`, and commit what it writes");
    }
    let folder = folder_of(&held.file);
    let (mut values, mut newest) = (0, None);
    let versions = read_samples(&folder, J::NAME).map_err(Error::Setup)?;
    for version in &versions {
        values += check_samples(version, &held.states, held.place.dropped)
            .map_err(|fault| Error::Setup(fault.in_file(&folder)))?;
        newest = Some(version);
    }
    if !held.changes.is_empty() {
        let what =
            format!("the stored state of `{}` has changed since it was accepted\n{}", J::NAME, said(&held.changes));
        return wrong(what.trim_end().to_owned(), "look at it with `lock`, accept it with `lock --accept`");
    }
    match newest {
        Some(newest) if newest.version == held.version as u64 => {
            Ok(LockReport { versions: versions.len(), states: newest.states.len(), values })
        }
        _ => wrong(
            format!("there are no samples of version {} of `{}`", held.version, J::NAME),
            "commit the folder of samples, or write them again with `lock --accept`",
        ),
    }
}

#[cfg(test)]
mod tests;
