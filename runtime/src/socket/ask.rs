//! The side of whoever asks.

use super::message::{Reply, Request, receive, send};
use super::{no_answer, place};
use crate::error::Fault;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::Duration;

/// How long a job may take to read a request.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the job that listens at a socket, and waits for its answer as long as that takes.
///
/// # Errors
/// If no job listens there, or it ends without an answer. What a job refuses is an answer.
pub fn ask(path: &Path, request: &Request) -> Result<Reply, Fault> {
    let failed = |e: io::Error| Fault::new("the job cannot be spoken to").in_file(path).because(e);
    let mut stream = place::connect(path).map_err(|e| nobody(path, e))?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
    if let Err(e) = send(&mut stream, request) {
        return Err(if is_gone(&e) { no_answer() } else { failed(e) });
    }
    match receive(&mut stream) {
        Ok(Some(reply)) => Ok(reply),
        Ok(None) => Err(no_answer()),
        Err(e) if is_gone(&e) => Err(no_answer()),
        Err(e) => Err(failed(e)),
    }
}

fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

/// Why nobody listens.
fn nobody(path: &Path, error: io::Error) -> Fault {
    let file = path.symlink_metadata().map(|about| about.file_type());
    let start = "start the job; with its checkpoints it goes on from the newest one";
    match (file, error.kind()) {
        (Ok(file), _) if !file.is_socket() && !file.is_symlink() => Fault::new("this is no control socket of a job")
            .in_file(path)
            .help("name the one that the job was run with"),
        (Ok(_), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => {
            Fault::new("no job is running here: the control socket was left behind by one that was killed")
                .in_file(path)
                .help(start)
        }
        (_, io::ErrorKind::NotFound) => {
            let fault = Fault::new("no job is running here: there is no control socket").in_file(path);
            fault.help(format!(
                "{start}; if it runs, name the place of its checkpoints or its socket as it was started with"
            ))
        }
        (_, io::ErrorKind::PermissionDenied) => Fault::new("the job of another user cannot be told anything")
            .in_file(path)
            .because(error)
            .help("ask as the user who runs the job"),
        _ => Fault::new("the job cannot be spoken to").in_file(path).because(error),
    }
}
