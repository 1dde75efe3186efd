//! [`Files`]: what a connector of text was told to read: one file, a folder, or all that a pattern matches.
//!
//! It says which files there are, and in which order; what is in them it does not know.

use super::Enumerator;
use super::queued::One;
use super::reader::FileReader;
use super::splits::{Cut, FileSplits};
use super::target::Kind;
use crate::error::Fault;
use crate::record::Record;
use crate::time::TimeSpan;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What a connector of files reads or writes: any path, or an `Option` of one.
///
/// As a source: a path that ends in `/` is a folder, of which all files are read; one with `*`, `?` or `[..]` in it is a pattern, of
/// which all files are read that it matches, unless a file has exactly that name. As a sink: a path that ends in `/` is a folder of parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTarget {
    pub(super) path: Option<PathBuf>,
}

macro_rules! file_targets {
    ($($path:ty),*) => {$(
        impl From<$path> for FileTarget {
            fn from(path: $path) -> Self {
                FileTarget { path: Some(path.into()) }
            }
        }
        impl From<Option<$path>> for FileTarget {
            fn from(path: Option<$path>) -> Self {
                FileTarget { path: path.map(Into::into) }
            }
        }
    )*};
}
file_targets!(PathBuf, &PathBuf, &Path, &str, String, &String);

impl From<&Option<PathBuf>> for FileTarget {
    fn from(path: &Option<PathBuf>) -> Self {
        FileTarget { path: path.clone() }
    }
}

/// Whether a path names a folder of files, and not one file.
pub(crate) fn is_folder(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().last().is_some_and(|last| std::path::is_separator(char::from(*last)))
}

/// The files of a connector, or what it reads in their place, with how they are to be read.
#[derive(Clone, Debug)]
pub(crate) struct Files<K> {
    target: K,
    pub(super) watch: Option<TimeSpan>,
    pub(super) split_bytes: Option<usize>,
}

impl<K> Files<K> {
    /// Of a target.
    pub(super) fn of(target: K) -> Files<K> {
        Files { target, watch: None, split_bytes: None }
    }
}

impl<K: Kind> Files<K> {
    /// Finds the files and cuts them.
    pub(super) fn enumerator(&self, cut: impl Cut, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        if self.is_live() {
            return Ok(Box::new(One::from(from)?));
        }
        let Some(path) = self.target.path() else {
            return Err(Fault::new("no file to read was given").lasting().help(
                "name one on the command line, or give the param a default: `param input: PathBuf = \"in.csv\"`",
            ));
        };
        let splits = FileSplits::new(Where::of(path), self.watch, self.split_bytes, cut)?;
        Ok(Box::new(splits.from(from)?))
    }

    /// Reads them in a form.
    pub(super) fn reader<F>(&self, form: F) -> FileReader<F> {
        FileReader::new(form, self.target.live().cloned())
    }

    /// Whether it is no file.
    pub(super) fn is_live(&self) -> bool {
        self.target.live().is_some()
    }

    /// Where a sink writes to; `None` if nowhere.
    pub(crate) fn to_write(&self) -> Option<&Path> {
        self.target.path()
    }

    /// For the plan: `csv board.csv`.
    pub(crate) fn describe(&self, form: &str) -> String {
        match (self.target.path(), self.watch) {
            (None, _) => match self.target.live() {
                Some(live) => format!("{form} {}", live.name()),
                None => format!("{form} (no file given)"),
            },
            (Some(path), None) => format!("{form} {}", path.display()),
            (Some(path), Some(_)) => format!("{form} {}, watched", path.display()),
        }
    }
}

/// Where files are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Where {
    One(PathBuf),
    Folder(PathBuf),
    Pattern(String),
}

impl Where {
    /// What a path stands for.
    pub(super) fn of(path: &Path) -> Where {
        match path.to_str() {
            _ if is_folder(path) => Where::Folder(path.to_owned()),
            Some(text) if text.contains(['*', '?', '[']) && !path.exists() => Where::Pattern(text.to_owned()),
            _ => Where::One(path.to_owned()),
        }
    }

    /// As it was written.
    pub(super) fn path(&self) -> &Path {
        match self {
            Where::One(path) | Where::Folder(path) => path,
            Where::Pattern(text) => Path::new(text),
        }
    }

    /// All files that are there, in the order of their paths, byte by byte. Those whose names begin with a `.` are not for readers.
    pub(super) fn list(&self) -> Result<Vec<FileFound>, Fault> {
        let mut found = Vec::new();
        match self {
            Where::One(path) => return Ok(FileFound::at(path)?.into_iter().collect()),
            Where::Folder(folder) => {
                let failed = |e| Fault::new("cannot look into the folder").in_file(folder).because(e);
                for entry in folder.read_dir().map_err(failed)? {
                    let entry = entry.map_err(failed)?;
                    if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                        found.extend(FileFound::at(&entry.path())?);
                    }
                }
            }
            Where::Pattern(pattern) => {
                let how = ::glob::MatchOptions {
                    case_sensitive: true,
                    require_literal_separator: true,
                    require_literal_leading_dot: true,
                };
                let paths = ::glob::glob_with(pattern, how).map_err(|e| {
                    let help = "`*` stands for any part of a name, `**` for any folders, `?` for one character, `[ab]` for one of these";
                    Fault::new("the path is no pattern of files").in_file(pattern).because(e).lasting().help(help)
                })?;
                for path in paths {
                    let path = path.map_err(|e| {
                        let path = e.path().to_owned();
                        Fault::new("cannot look into the folder").in_file(path).because(std::io::Error::from(e))
                    })?;
                    found.extend(FileFound::at(&path)?);
                }
            }
        }
        found.sort_by(|a, b| a.path.as_os_str().as_encoded_bytes().cmp(b.path.as_os_str().as_encoded_bytes()));
        Ok(found)
    }
}

/// A file as it was when it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileFound {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    /// When it was changed last, in ns since 1970; 0 if the file system does not say, or if it does not matter.
    pub(super) modified: u64,
}

impl FileFound {
    /// The file at a path; `None` if there is none, or if it is something else.
    fn at(path: &Path) -> Result<Option<FileFound>, Fault> {
        match path.metadata() {
            Ok(about) if about.is_file() => Ok(Some(FileFound::of(path, &about))),
            Ok(_) => Ok(None),
            // It was removed while the folder was looked at, or is a link to nothing.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Fault::new("cannot look at the file").in_file(path).because(e)),
        }
    }

    /// What is known of it.
    pub(super) fn of(path: &Path, about: &std::fs::Metadata) -> FileFound {
        let modified = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX));
        FileFound { path: path.to_owned(), bytes: about.len(), modified }
    }

    /// Whether it is the same file now, as far as that can be seen.
    pub(super) fn is_still(&self, now: &FileFound) -> bool {
        self.bytes == now.bytes && (self.modified == 0 || self.modified == now.modified)
    }

    /// Says that a file is another one now.
    #[cold]
    pub(super) fn changed(&self, bytes: u64) -> Fault {
        let what = match bytes == self.bytes {
            true => "the file was written anew since it was found".to_owned(),
            false => format!("the file has {bytes} bytes now and had {} when it was found", self.bytes),
        };
        Fault::new(what).in_file(&self.path).lasting().help(
            "let the job read files that stay as they are: write them under a name that begins with `.` and rename them when they \
             are whole; to go on, give it the file that it has read so far, or begin anew with `--fresh`",
        )
    }

    /// As it is kept.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        (self.path.clone(), self.bytes, self.modified).encode(out);
    }

    /// Reads it back.
    pub(super) fn decode(from: &mut crate::codec::Reader<'_>) -> Result<FileFound, crate::codec::CodecError> {
        let (path, bytes, modified) = Record::decode(from)?;
        Ok(FileFound { path, bytes, modified })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_by_its_form_what_it_stands_for() {
        assert!(is_folder(Path::new("board/")) && is_folder(Path::new("/")));
        assert!(!is_folder(Path::new("board")) && !is_folder(Path::new("a/b.csv")) && !is_folder(Path::new("")));
        assert_eq!(Where::of(Path::new("in/")), Where::Folder("in/".into()));
        assert_eq!(Where::of(Path::new("in/*.csv")), Where::Pattern("in/*.csv".into()));
        assert_eq!(Where::of(Path::new("in/a.csv")), Where::One("in/a.csv".into()));
    }
}
