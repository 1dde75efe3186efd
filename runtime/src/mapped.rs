//! [`Map`]: a plain file seen as bytes in memory. `unsafe` is used for one thing, to map it.
//!
//! It knows nothing of what the bytes mean. Who reads a file that others may cut asks [`Map::check`] before each stretch
//! of work: a file that has become shorter must be an error, and touching a page that is no longer there ends the
//! process. A file that is ours alone (a segment of state) is checked when it is opened.
#![allow(unsafe_code)]

use crate::error::Fault;
use std::fs::File;
use std::path::{Path, PathBuf};

/// How a file will be read: a hint for what is read ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// From front to back.
    InOrder,
    /// Here and there, most of it in the end.
    Mixed,
}

/// A file of the length that it had when it was opened.
#[derive(Debug)]
pub(crate) struct Map {
    path: PathBuf,
    file: File,
    /// `None` for an empty file, which cannot be mapped.
    mapped: Option<memmap2::Mmap>,
}

impl Map {
    /// Maps the whole file. It takes address space, not memory; pages come when they are read.
    pub(crate) fn open(path: &Path, file: File, access: Access) -> Result<Map, Fault> {
        let len =
            file.metadata().map_err(|e| Fault::new("cannot read the file's length").in_file(path).because(e))?.len();
        let mapped = if len == 0 {
            None
        } else {
            // SAFETY: the map is only read, and only as bytes that may hold anything. What `Mmap` asks for besides,
            // that nobody changes the file meanwhile, cannot be had from a file system: `check` finds a file that
            // was cut before each stretch of work, and a file that is overwritten in place gives other bytes, which
            // every reader treats as untrusted input: they are bounds-checked and, where they become text, checked
            // and used within one borrow. Files of state are written under a hidden name and never changed again.
            let mapped = unsafe { memmap2::Mmap::map(&file) };
            Some(mapped.map_err(|e| Fault::new("cannot map the file into memory").in_file(path).because(e))?)
        };
        #[cfg(unix)]
        if let (Some(mapped), Access::InOrder) = (&mapped, access) {
            // Only a hint: a file system that does not take it reads ahead less.
            let _ = mapped.advise(memmap2::Advice::Sequential);
        }
        Ok(Map { path: path.to_owned(), file, mapped })
    }

    /// The bytes.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.mapped.as_deref().unwrap_or_default()
    }

    /// Fails if the file is now shorter than what is mapped.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let was = self.bytes().len() as u64;
        match self.file.metadata() {
            Ok(now) if now.len() >= was => Ok(()),
            Ok(now) => {
                Err(Fault::new(format!("the file became shorter while it was read: {was} bytes, now {}", now.len()))
                    .in_file(&self.path)
                    .help("let the job read a file that is complete, and replace it by renaming, not by overwriting"))
            }
            Err(e) => Err(Fault::new("cannot read the file's length").in_file(&self.path).because(e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_that_is_cut_is_found_by_check() {
        let path = std::env::temp_dir().join(format!("pelton-map-{}", std::process::id()));
        let mut file = File::create(&path).unwrap();
        file.write_all(b"hello").unwrap();
        let map = Map::open(&path, File::open(&path).unwrap(), Access::Mixed).unwrap();
        assert_eq!(map.bytes(), b"hello");
        map.check().unwrap();
        file.set_len(2).unwrap();
        let fault = map.check().unwrap_err();
        assert!(fault.what.contains("5 bytes, now 2"), "{fault}");
        file.set_len(0).unwrap();
        assert_eq!(Map::open(&path, File::open(&path).unwrap(), Access::InOrder).unwrap().bytes(), b"");
        std::fs::remove_file(path).unwrap();
    }
}
