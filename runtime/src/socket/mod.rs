//! The control socket: how a job that runs is told something by another process on its machine, and answers.
//!
//! It is a Unix socket: `.control.sock` in the directory of the checkpoints, or where `--control` says. One request comes
//! over each connection, and one answer goes back when what was asked for is done. What requests mean, and what may be
//! refused, is not known here: [`listen`] hands them to whoever runs the job.
//!
//! Its place is predictable, but the name of a Unix socket may have 107 bytes at most. Where the place is longer, a symbolic link
//! stands there, to a socket in a private directory below that of temporary files. A process that was killed leaves its
//! socket behind: nobody listens at it, which whoever asks is told, and the next run of the job puts its own in its place.

mod message;

pub use message::{Reply, Request, What};

#[cfg(unix)]
mod ask;
#[cfg(unix)]
mod listen;
#[cfg(unix)]
mod place;

#[cfg(unix)]
pub use ask::ask;
#[cfg(unix)]
pub use listen::{Listener, listen};

use crate::error::Fault;
use std::path::{Path, PathBuf};

/// Answers one request. It may take as long as what was asked for takes.
pub type Serve = dyn Fn(Request) -> Reply + Send + Sync;

/// Where the socket of a job is whose checkpoints are in this directory.
pub fn beside(checkpoints: &Path) -> PathBuf {
    checkpoints.join(".control.sock")
}

/// What is said of an answer that did not come.
fn no_answer() -> Fault {
    Fault::new("the job has ended, and did not answer before")
        .help("see what it said; a savepoint is whole if it is listed by `state list`")
}

#[cfg(not(unix))]
mod elsewhere {
    use super::{Fault, Path, Reply, Request, Serve};
    use std::sync::Arc;

    fn none() -> Fault {
        Fault::new("a running job can be told something only where there are Unix sockets")
            .help("end it with Ctrl-C; it goes on from its newest checkpoint")
    }

    /// Nothing: there are no Unix sockets here.
    pub struct Listener;

    /// Fails: there are no Unix sockets here.
    ///
    /// # Errors
    /// Always.
    pub fn listen(_: &Path, _: bool, _: Arc<Serve>) -> Result<Listener, Fault> {
        Err(none())
    }

    /// Fails: there are no Unix sockets here.
    ///
    /// # Errors
    /// Always.
    pub fn ask(_: &Path, _: &Request) -> Result<Reply, Fault> {
        Err(none())
    }
}
#[cfg(not(unix))]
pub use elsewhere::{Listener, ask, listen};

#[cfg(all(test, unix))]
mod tests;
