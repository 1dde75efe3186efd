//! [`csv()`]: rows of a csv file, read by their types. The same name writes one: `sink::csv` makes a sink of [`Csv`].
//!
//! A row type is whatever serde can read from a record: most often a struct with `#[derive(Deserialize)]`, whose fields
//! are found by the names in the header.

mod columns;
mod cut;
mod field;
mod problem;
mod reader;
mod row;
mod scan;

pub use reader::CsvReader;

use super::input::Input;
use super::splits::FileSplits;
use super::{Enumerator, RowType, Source};
use crate::error::Fault;
use reader::Format;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A csv file, to be read or to be written.
///
/// As a source: the fields of a row are found by the names in the header, whatever their order; columns that no field
/// asks for are passed over. An `Option` is `None` where the field is empty or says what [`na`](Csv::na) says.
/// A column that a field needs and the header does not have ends the run at once. A record that does not fit the type,
/// or has another number of columns than the header, is a bad record: it ends the run, or is skipped with `on_error skip`.
/// Quoted fields may hold separators, line ends and doubled quotes. A plain file is read by all workers at once; one
/// packed with gzip or zstd (told by its first bytes) by one worker.
///
/// As a sink: one file, with a header of the row's field names. It appears under its name when the run has
/// succeeded, and not before; what was there under that name is replaced. A path that ends in `/` is a folder, to which files are
/// added while the job runs: one per worker and epoch that had rows, each whole when it gets its name, and each row in one of them
/// once, also when the job is killed and goes on from its checkpoint. Their names begin with `part-` and the number of the epoch, never
/// come twice, and what earlier runs have added stays. Names that begin with a `.` are not for readers. A job that goes on from an older
/// checkpoint than its newest, since that is damaged or with `--fork`, removes the files of the epochs that it makes again: readers that
/// copy files do best to compare names, and to leave the files where they are.
///
/// The target is a path, or an `Option` of one: a sink without a path writes nothing.
pub fn csv(target: impl Into<CsvTarget>) -> Csv {
    Csv { path: target.into().0, separator: b',', na: Vec::new(), header: true, split_bytes: None }
}

/// The file of [`csv()`]: any path, or an `Option` of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvTarget(Option<PathBuf>);

macro_rules! csv_targets {
    ($($path:ty),*) => {$(
        impl From<$path> for CsvTarget {
            fn from(path: $path) -> Self {
                CsvTarget(Some(path.into()))
            }
        }
        impl From<Option<$path>> for CsvTarget {
            fn from(path: Option<$path>) -> Self {
                CsvTarget(path.map(Into::into))
            }
        }
    )*};
}
csv_targets!(PathBuf, &PathBuf, &Path, &str, String, &String);

impl From<&Option<PathBuf>> for CsvTarget {
    fn from(path: &Option<PathBuf>) -> Self {
        CsvTarget(path.clone())
    }
}

/// What [`csv()`] gives: a source and a sink.
#[derive(Clone, Debug)]
pub struct Csv {
    pub(crate) path: Option<PathBuf>,
    pub(crate) separator: u8,
    pub(crate) na: Vec<Vec<u8>>,
    pub(crate) header: bool,
    split_bytes: Option<usize>,
}

impl Csv {
    /// What stands between two fields; `b','` by default. It must be an ASCII character, and neither a quote nor a line
    /// end: that is an error when the file is opened.
    pub fn separator(mut self, separator: u8) -> Self {
        self.separator = separator;
        self
    }

    /// A text that says that a value is missing, `"NA"` say: an `Option` field with exactly this text is `None`. It may
    /// be called several times. A sink writes `None` as an empty field.
    pub fn na(mut self, text: impl Into<String>) -> Self {
        self.na.push(text.into().into_bytes());
        self
    }

    /// The file has no header: fields are found by their place. As a sink: no header is written.
    pub fn no_header(mut self) -> Self {
        self.header = false;
        self
    }

    /// Cuts a plain file about every `bytes`. For tests: the rows do not depend on it.
    #[doc(hidden)]
    pub fn split_bytes(mut self, bytes: usize) -> Self {
        self.split_bytes = Some(bytes);
        self
    }

    /// Fails if the separator can be none.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        match self.separator {
            b'"' | b'\n' | b'\r' | 0 | 0x80.. => {
                let shown = char::from(self.separator).escape_default();
                Err(Fault::new(format!("`{shown}` cannot separate the fields of a csv file"))
                    .help(r"write `.separator(b';')` or `.separator(b'\t')`"))
            }
            _ => Ok(()),
        }
    }

    fn format(&self) -> Result<Format, Fault> {
        self.check()?;
        let Some(path) = self.path.clone() else {
            return Err(Fault::new("no file to read was given").help(
                "name one on the command line, or give the param a default: `param input: PathBuf = \"in.csv\"`",
            ));
        };
        Ok(Format { path, separator: self.separator, na: self.na.clone(), header: self.header })
    }

    /// For the plan: `csv board.csv`.
    pub(crate) fn description(&self) -> String {
        match &self.path {
            Some(path) => format!("csv {}", path.display()),
            None => "csv (no file given)".to_owned(),
        }
    }
}

impl<R: RowType> Source<R> for Csv
where
    for<'a> R::Row<'a>: Deserialize<'a>,
{
    type Reader = CsvReader;

    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        let format = self.format()?;
        let cut = cut::Quotes { separator: format.separator };
        let splits = FileSplits::new(&Input::open(&format.path)?, self.split_bytes, cut);
        Ok(Box::new(splits.from(from, &format.path)?))
    }

    fn reader(&mut self) -> Result<CsvReader, Fault> {
        Ok(CsvReader::new(self.format()?))
    }

    fn describe(&self) -> String {
        self.description()
    }
}
