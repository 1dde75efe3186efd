//! Telling a running job something: `savepoint` and `stop`. What is asked, where the job is found, and what is told
//! of its answer.

use std::path::{Path, PathBuf};

use crate::checkpoint::store::directory_of;
use crate::error::Fault;
use crate::socket::{self, Reply, Request, What};

/// How to find the job.
pub(super) struct Whereabouts<'a> {
    /// The place of its checkpoints.
    pub(super) checkpoints: Option<&'a str>,
    /// Its socket.
    pub(super) control: Option<&'a Path>,
}

/// What a person is told: the data, and the words about it.
pub(super) struct Told {
    pub(super) out: String,
    pub(super) note: String,
}

impl Whereabouts<'_> {
    fn socket(&self) -> Result<PathBuf, Fault> {
        if let Some(path) = self.control {
            return Ok(path.to_owned());
        }
        let place = self.checkpoints.unwrap_or_default();
        match directory_of(place) {
            Some(directory) if directory.is_dir() => Ok(socket::beside(&directory)),
            Some(directory) => Err(Fault::new("there is no such directory of checkpoints").in_file(directory)),
            None => Err(Fault::new(format!(
                "the checkpoints in {place} are not in a directory, where a control socket could be"
            ))
            .help("run the job with `--control PATH`, and name the same path here")),
        }
    }
}

/// A place for a savepoint as the job is to understand it, which may run in another directory.
///
/// # Errors
/// If nobody but the job could read what is there.
pub(super) fn absolute(to: &str) -> Result<String, Fault> {
    match to.split_once("://") {
        Some(("memory", _)) => Err(Fault::new(format!("`{to}` is in the memory of the job, and dies with it"))
            .help("name a directory, or a URL of a cloud")),
        Some(_) => Ok(to.to_owned()),
        None => std::path::absolute(to)
            .map(|path| path.to_string_lossy().into_owned())
            .map_err(|e| Fault::new("not a place for a savepoint").in_file(to).because(e)),
    }
}

/// Asks the job, waits until it is done, and gives what to say.
///
/// # Errors
/// If no job listens, or it refuses.
pub(super) fn tell(job: &str, at: &Whereabouts<'_>, what: What) -> Result<Told, Fault> {
    let stops = matches!(what, What::StopWithSavepoint(_));
    let request = Request { job: job.to_owned(), what };
    match socket::ask(&at.socket()?, &request)? {
        Reply::Savepoint { place, epoch, bytes } => {
            let stopped = if stops { ", and the run has ended there: the next one goes on from it" } else { "" };
            Ok(Told {
                out: format!("{place}\n"),
                note: format!("a savepoint of epoch {epoch}, {bytes} bytes{stopped}\n"),
            })
        }
        Reply::Drained => Ok(Told {
            out: String::new(),
            note: "the run has ended with what it had read, and its results are published\n".to_owned(),
        }),
        Reply::Refused { what, help } => Err(Fault { help, ..Fault::new(what) }),
    }
}
