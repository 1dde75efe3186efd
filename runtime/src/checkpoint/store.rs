//! [`Store`]: where checkpoints are kept, seen as named objects; and [`open`], which finds the one that a URL means.
//!
//! The trait is what both a directory and an object store of a cloud can keep: objects are put whole, are there for
//! everybody when the call returns, and survive a crash from then on. The one thing that decides between two processes
//! is [`put_new`](Store::put_new). Nothing here knows what is in the objects.

#[cfg(feature = "cloud")]
mod cloud;
mod direct;
mod disk;
mod local;
mod memory;

use crate::error::Fault;
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use disk::{Step, Watch};
pub use local::LocalStore;
pub use memory::MemoryStore;

/// What became of a [`put_new`](Store::put_new).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Put {
    /// The object is there now.
    Created,
    /// There was one of this name already, which is durable, too, and was left as it is. It may be of this very call, if an earlier try
    /// of it got through and its answer got lost.
    Exists,
}

/// An object that is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// How much of an object is read at once into a file.
const FILE_PART: u64 = 4 << 20;

/// Named objects that outlive the process. All calls block; any thread may make them.
///
/// Names are made of letters, digits, `.`, `-`, `_`, and `/` between parts; see [`check_name`].
pub trait Store: Send + Sync {
    /// How it is called in messages: its path or URL.
    fn place(&self) -> String;

    /// Puts an object if there is none of this name. Of several that try at once, exactly one gets [`Put::Created`]. When it returns,
    /// the object is whole and durable.
    ///
    /// # Errors
    /// If it could not be done, or nobody knows whether it was.
    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<Put, Fault>;

    /// Puts an object, in place of one of this name if there is one. Readers see the old one or the new one, whole.
    ///
    /// # Errors
    /// If it could not be done, or nobody knows whether it was.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Fault>;

    /// Puts a file as an object, in place of one of this name if there is one. A directory on the same file system links it: the file
    /// must never change afterwards.
    ///
    /// # Errors
    /// If it could not be done, or nobody knows whether it was.
    fn put_file(&self, name: &str, file: &Path) -> Result<(), Fault> {
        let bytes = std::fs::read(file).map_err(|e| Fault::new("cannot read the file").in_file(file).because(e))?;
        self.put(name, &bytes)
    }

    /// Makes a file of an object, which must not change; `false` if there is no object. A directory on the same file system links it. Not
    /// synced: a crash may take it away.
    ///
    /// # Errors
    /// If it cannot be read or written, or there is a file.
    fn get_file(&self, name: &str, file: &Path) -> Result<bool, Fault> {
        let cannot = |e: std::io::Error| Fault::new("cannot write the file").in_file(file).because(e);
        let mut at = 0;
        let Some(mut part) = self.get_range(name, 0..FILE_PART)? else { return Ok(false) };
        let mut to = File::create_new(file).map_err(cannot)?;
        while !part.is_empty() {
            to.write_all(&part).map_err(cannot)?;
            at += part.len() as u64;
            let next = self.get_range(name, at..at + FILE_PART)?;
            part = next.ok_or_else(|| Fault::new(format!("`{name}` in {} was there and is gone", self.place())))?;
        }
        Ok(true)
    }

    /// All of an object; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read.
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Fault>;

    /// A part of an object, or as much of it as the object has; `None` if there is no object.
    ///
    /// # Errors
    /// If it cannot be read.
    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Option<Vec<u8>>, Fault>;

    /// Whether an object is there and has these bytes, as they are kept and not as they were put.
    ///
    /// # Errors
    /// If it cannot be read.
    fn holds(&self, name: &str, bytes: &[u8]) -> Result<bool, Fault> {
        Ok(self.get(name)?.is_some_and(|there| there == bytes))
    }

    /// The objects whose names begin so, in the order of their names.
    ///
    /// # Errors
    /// If they cannot be listed.
    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Fault>;

    /// Removes an object, if it is there. Not synced: a crash may bring it back, and of a large one only its length.
    ///
    /// # Errors
    /// If it could not be removed.
    fn delete(&self, name: &str) -> Result<(), Fault>;

    /// Removes what calls that never ended have left behind. Only for whoever owns the store's log: to others it may
    /// look as if their puts failed.
    ///
    /// # Errors
    /// If it could not be removed.
    fn tidy(&self) -> Result<(), Fault> {
        Ok(())
    }
}

/// The store that a URL or a path means; a directory is made if it is not there.
///
/// A plain path and `file://` are a directory. `memory://name` is in this process and dies with it: who opens the same name
/// gets the same store. `s3://`, `gs://`, `az://` need the cargo feature `cloud`.
///
/// # Errors
/// If the URL means no store, or the store cannot be used.
pub fn open(url: &str) -> Result<Arc<dyn Store>, Fault> {
    open_as(url, true)
}

/// Like [`open`], for somebody who only looks: a directory that is not there is an error.
///
/// # Errors
/// If the URL means no store, or there is none.
pub fn open_existing(url: &str) -> Result<Arc<dyn Store>, Fault> {
    open_as(url, false)
}

fn open_as(url: &str, make: bool) -> Result<Arc<dyn Store>, Fault> {
    let directory = |path: PathBuf| -> Result<Arc<dyn Store>, Fault> {
        Ok(Arc::new(if make { LocalStore::make(&path)? } else { LocalStore::open(&path)? }))
    };
    let Some((scheme, rest)) = url.split_once("://") else {
        if url.is_empty() {
            return Err(Fault::new("an empty path where a place for checkpoints is to stand").help(FORMS));
        }
        return directory(url.into());
    };
    match scheme {
        "file" => directory(path_of(url, rest)?),
        "memory" if rest.is_empty() => {
            Err(Fault::new("`memory://` has no name")
                .help("give it one, `memory://tests`, so that it can be found again"))
        }
        "memory" => Ok(MemoryStore::named(rest)),
        "s3" | "s3a" | "gs" | "az" | "azure" | "abfs" | "abfss" | "adl" | "http" | "https" => cloud(url, scheme),
        _ => Err(Fault::new(format!("`{url}` is no place for checkpoints: `{scheme}://` is not known")).help(FORMS)),
    }
}

/// The directory that a URL or a path means, if it means one that is on this machine.
pub fn directory_of(url: &str) -> Option<PathBuf> {
    match url.split_once("://") {
        None if url.is_empty() => None,
        None => Some(url.into()),
        Some(("file", rest)) => path_of(url, rest).ok(),
        Some(_) => None,
    }
}

const FORMS: &str = "write a path, `file:///path`, `memory://name`, or, with the cargo feature `cloud`, `s3://bucket/prefix`, \
     `gs://bucket/prefix`, `az://container/prefix`";

#[cfg(feature = "cloud")]
fn cloud(url: &str, _: &str) -> Result<Arc<dyn Store>, Fault> {
    Ok(Arc::new(cloud::CloudStore::open(url)?))
}

#[cfg(not(feature = "cloud"))]
fn cloud(url: &str, scheme: &str) -> Result<Arc<dyn Store>, Fault> {
    Err(Fault::new(format!("`{url}` cannot be used: this program was built without `{scheme}://`"))
        .help("turn on pelton's cargo feature `cloud`: `pelton = { version = \"..\", features = [\"cloud\"] }`"))
}

/// The path in `file://REST`.
fn path_of(url: &str, rest: &str) -> Result<PathBuf, Fault> {
    let path = rest.strip_prefix("localhost").filter(|path| path.starts_with('/')).unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(Fault::new(format!("`{url}` names a file of another machine, or no absolute path"))
            .help("write `file:///path` with three slashes, or the path alone"));
    }
    let wrong = || Fault::new(format!("`{url}` has a `%` that is not followed by two hexadecimal digits"));
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(wrong().help("write `%25` for a `%`, or the path alone"));
        };
        bytes.push((high * 16 + low) as u8);
    }
    match String::from_utf8(bytes) {
        Ok(path) => Ok(path.into()),
        Err(_) => Err(Fault::new(format!("`{url}` is not UTF-8")).help("write the path alone")),
    }
}

/// Whether a name may be given to a [`Store`]: parts of letters, digits, `.`, `-`, `_`, none of which begins with a dot, and `/`
/// between them. So no name that was read from somewhere leads out of the store, or to what a store hides.
///
/// # Errors
/// If it may not.
pub fn check_name(name: &str) -> Result<(), Fault> {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    if name.len() <= 512 && name.split('/').all(part) {
        return Ok(());
    }
    Err(Fault::new(format!("{:?} is no name of an object", name.chars().take(100).collect::<String>())))
}

#[cfg(test)]
mod tests;
