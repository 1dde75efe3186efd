//! [`Input`]: a file that a source reads, and what kind it turned out to be.
//!
//! The kind is told by the first bytes and never by the name. It knows nothing of records.

use super::files::FileFound;
use super::stream::{Packing, Stream, unreadable};
use crate::error::Fault;
use crate::mapped::{Access, Map};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An opened file.
pub(super) enum Input {
    /// Bytes that can be read from any place, by several workers at once.
    Plain(Arc<Map>),
    /// A compressed file, or one that may change: one stream, from front to back.
    Stream(Box<Stream>),
}

impl Input {
    /// Opens the file, and says what it is instead if it is none. One that may change is not mapped.
    pub(super) fn open(path: &Path, may_change: bool) -> Result<Input, Fault> {
        let mut file = File::open(path).map_err(|e| not_opened(path, e))?;
        let about = file.metadata().map_err(|e| not_opened(path, e))?;
        if about.is_dir() {
            return Err(Fault::new("a directory where a file is needed")
                .in_file(path)
                .lasting()
                .help("name one file in it, or write a `/` behind it: then all files in it are read"));
        }
        if !about.is_file() {
            return Err(Fault::new("neither a file nor a directory: it cannot be read from several places at once")
                .in_file(path)
                .help("write what comes through the pipe to a file first"));
        }
        let mut start = Vec::with_capacity(4);
        file.by_ref().take(4).read_to_end(&mut start).map_err(|e| unreadable(path, e))?;
        match Packing::of(&start) {
            None if !may_change => Ok(Input::Plain(Arc::new(Map::open(path, file, Access::InOrder)?))),
            packing => Ok(Input::Stream(Box::new(Stream::new(FileFound::of(path, &about), packing, file)?))),
        }
    }
}

fn not_opened(path: &Path, error: std::io::Error) -> Fault {
    use std::io::ErrorKind::{NotFound, PermissionDenied};
    let kind = error.kind();
    let fault = Fault::new("cannot open the file").in_file(path).because(error);
    match kind {
        NotFound => fault.help(missing(path)),
        PermissionDenied => fault.help("let the user who runs the job read it"),
        _ => fault,
    }
}

/// What is there instead of a missing file: how far the path leads, and where it starts if it is relative.
fn missing(path: &Path) -> String {
    let from = match std::env::current_dir() {
        Ok(here) if path.is_relative() => format!("; the path is relative to {}", here.display()),
        _ => String::new(),
    };
    let parent: PathBuf = path.parent().map(Path::to_owned).unwrap_or_default();
    if parent.as_os_str().is_empty() || parent.is_dir() {
        format!("there is no such file{from}")
    } else {
        format!("there is no directory {}{from}", parent.display())
    }
}
