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

use super::files::{FileTarget, Files};
use super::target::{Kind, Target};
use super::{Enumerator, Guarantee, RowType, Source};
use crate::error::Fault;
use crate::time::TimeSpan;
use reader::{CsvForm, Format};
use serde::Deserialize;
use std::time::Duration;

/// A csv file, a folder of them, or all that a pattern matches: to be read or to be written.
///
/// As a source: the fields of a row are found by the names in the header, whatever their order; columns that no field
/// asks for are passed over. An `Option` is `None` where the field is empty or says what [`na`](Csv::na) says.
/// A column that a field needs and the header does not have ends the run at once. A record that does not fit the type,
/// or has another number of columns than the header, is a bad record: it ends the run, or is skipped with `on_error skip`.
/// Quoted fields may hold separators, line ends and doubled quotes. A byte order mark at the start of a file is left out.
///
/// A plain file is read by all workers at once, some MiB each; one packed with gzip or zstd (told by its first bytes; several members or frames behind each other are one text) by
/// one worker. `csv("in/")` reads all files in a folder but not in those inside of it; `csv("in/2024-*/*.csv")` all that match: `*` is any part of
/// a name, `**` any folders, `?` a character, `[ab]` one of these. Names that begin with a `.` are left out. Files are read in the order of their paths,
/// byte by byte (`10.csv` before `9.csv`), and with `ordered_splits` that has to be the order in time. Each has a header of its own. What is read are the files, and as much of them, as was there
/// when the job was first started: nothing may change in them, and what is added to a folder is for a later job, or for [`watch`](Csv::watch).
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
pub fn csv<K>(target: impl Target<K>) -> Csv<K> {
    Csv { files: Files::of(target.target()), roll: None, separator: b',', na: Vec::new(), header: true }
}

/// What [`csv()`] gives: a source and a sink.
#[derive(Clone, Debug)]
pub struct Csv<K = FileTarget> {
    pub(crate) files: Files<K>,
    /// As a sink: when a folder gets a new file, by age and by size.
    pub(crate) roll: Option<(Option<Duration>, Option<u64>)>,
    pub(crate) separator: u8,
    pub(crate) na: Vec<Vec<u8>>,
    pub(crate) header: bool,
}

impl Csv {
    /// As a source of a folder or a pattern: looks for new files all the time, so often; it does not end. In a block, `.watch(1s)`.
    ///
    /// A file is read once it has not been changed for so long. From then on it must stay as it is, or be removed: one that grows or is written anew
    /// is an error that ends the run, also behind a restart. To be safe from reading half a file, write it under a name that begins with a `.` and
    /// rename it when it is whole. Once a file has been read to its end, and a checkpoint has been taken since, it may be moved away; one that comes again under its
    /// name is a new file. Files that are found together are read in the order of their paths; what comes later begins, in event time, where the source
    /// has come to by then, and older rows in it may be late. Each file is read from front to back by one worker, and is not mapped.
    pub fn watch(mut self, every: TimeSpan) -> Self {
        self.files.watch = Some(every);
        self
    }
}

impl<K> Csv<K> {
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
        self.files.split_bytes = Some(bytes);
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
        Ok(Format { separator: self.separator, na: self.na.clone(), header: self.header })
    }
}

impl<R: RowType, K: Kind> Source<R> for Csv<K>
where
    for<'a> R::Row<'a>: Deserialize<'a>,
{
    type Reader = CsvReader;
    const GUARANTEE: Guarantee = K::GUARANTEE;

    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        let format = self.format()?;
        self.files.enumerator(cut::Quotes { separator: format.separator }, from)
    }

    fn reader(&mut self) -> Result<CsvReader, Fault> {
        Ok(self.files.reader(CsvForm::new(self.format()?)))
    }

    fn describe(&self) -> String {
        self.files.describe("csv")
    }

    /// What is no file: when nothing comes for long, others are not to wait for it.
    fn endless(&self) -> bool {
        self.files.is_live()
    }
}
