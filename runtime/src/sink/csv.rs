//! Csv as a sink: one file with a header, written by all workers in hidden parts; or a folder of such files.
//!
//! It knows how rows become lines; how parts become a file is in `parts`, how files come into a folder in `folder`.

use super::folder::{FolderTarget, PieceFile, Pieces, Publisher, is_folder};
use super::parts::{Joiner, Part, Target};
use super::{Accepts, Committer, Prepared, Sink, SinkContext, Writer};
use crate::error::Fault;
use crate::record::{Record, Row};
use crate::schema::Message;
use crate::source::Csv;
use serde::Serialize;
use std::io::Write;

impl Sink for Csv {
    type Writer = CsvWriter;

    fn writer(&mut self, context: &SinkContext) -> Result<CsvWriter, Fault> {
        self.check()?;
        let to = match &self.path {
            None => To::Nothing,
            Some(path) if is_folder(path) => {
                To::Between(Pieces::new(FolderTarget::new(path, context.attempt, EXTENSION)?, context))
            }
            Some(path) => To::Unopened(Target::new(path, context.attempt)?, context.clone()),
        };
        Ok(CsvWriter { separator: self.separator, with_header: self.header, header: Vec::new(), to })
    }

    fn committer(&mut self, context: &SinkContext, from: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault> {
        self.check()?;
        let (attempt, resumable) = (context.attempt, context.resumable);
        Ok(Box::new(match &self.path {
            None => CsvCommitter::Nothing,
            Some(path) if is_folder(path) => {
                CsvCommitter::Folder(Publisher::new(FolderTarget::new(path, attempt, EXTENSION)?, resumable, from)?)
            }
            Some(path) => CsvCommitter::File(Joiner::new(Target::new(path, attempt)?, resumable, from)?),
        }))
    }

    fn describe(&self) -> String {
        self.description()
    }

    /// A file appears once, at the end; until then parts are only noted. The files of a folder say of which epoch they are.
    fn takes_back(&self) -> bool {
        true
    }
}

/// What names of files in a folder end with.
const EXTENSION: &str = "csv";

/// Writes csv on one worker.
pub struct CsvWriter {
    separator: u8,
    with_header: bool,
    /// The header's line, once a row has told it.
    header: Vec<u8>,
    to: To,
}

enum To {
    /// No file was asked for.
    Nothing,
    /// No row has come yet.
    Unopened(Target, SinkContext),
    Open(Box<::csv::Writer<Part>>),
    /// Into a folder, and no row has come in this epoch.
    Between(Pieces),
    /// The file of this epoch.
    Within(Pieces, Box<::csv::Writer<PieceFile>>),
}

impl CsvWriter {
    fn lines<W: Write>(&self, to: W, header: bool) -> ::csv::Writer<W> {
        ::csv::WriterBuilder::new().delimiter(self.separator).has_headers(header).from_writer(to)
    }

    /// The header's line as the row tells it: what comes first when a row is written with one. Empty for tuples.
    fn header_of<X: Serialize>(&self, row: &X) -> Result<Vec<u8>, ::csv::Error> {
        let written = |header| {
            let mut lines = self.lines(Vec::new(), header);
            lines.serialize(row)?;
            lines.into_inner().map_err(|e| ::csv::Error::from(e.into_error()))
        };
        let mut both = written(true)?;
        both.truncate(both.len() - written(false)?.len());
        Ok(both)
    }

    /// Opens what the next row goes to.
    #[cold]
    fn start<X: Serialize>(&mut self, row: &X) -> Result<(), Fault> {
        if self.with_header && self.header.is_empty() {
            self.header = self.header_of(row).map_err(|e| not_written(e, unwritten))?;
        }
        self.to = match std::mem::replace(&mut self.to, To::Nothing) {
            To::Unopened(target, context) => To::Open(Box::new(self.buffered(Part::create(&target, &context)?))),
            To::Between(mut pieces) => {
                let mut file = pieces.create()?;
                file.write_all(&self.header).map_err(|e| file.fault(e))?;
                To::Within(pieces, Box::new(self.buffered(file)))
            }
            open => open,
        };
        Ok(())
    }

    fn buffered<W: Write>(&self, to: W) -> ::csv::Writer<W> {
        let mut lines = ::csv::WriterBuilder::new();
        lines.delimiter(self.separator).has_headers(false).buffer_capacity(64 << 10).from_writer(to)
    }
}

/// A header that is written to memory alone.
fn unwritten(error: std::io::Error) -> Fault {
    Fault::new("a header could not be written").because(error)
}

impl Writer for CsvWriter {
    fn prepare(&mut self, _epoch: u64) -> Result<Option<Prepared>, Fault> {
        match std::mem::replace(&mut self.to, To::Nothing) {
            To::Open(mut lines) => {
                let flushed = lines.flush().map_err(|e| lines.get_ref().fault(e));
                let prepared = flushed.and_then(|()| lines.get_ref().prepare(&self.header));
                self.to = To::Open(lines);
                prepared
            }
            To::Within(pieces, mut lines) => {
                let flushed = lines.flush().map_err(|e| lines.get_ref().fault(e));
                let prepared = flushed.and_then(|()| lines.get_ref().prepare());
                self.to = To::Between(pieces);
                prepared.map(Some)
            }
            unopened => {
                self.to = unopened;
                Ok(None)
            }
        }
    }
}

impl<X: Serialize + Row> Accepts<X> for CsvWriter {
    const PROBLEM: Option<Message> = crate::schema::not_flat(<X::Stored as Record>::SCHEMA, "csv");

    #[inline]
    fn write(&mut self, row: X) -> Result<(), Fault> {
        if let To::Unopened(..) | To::Between(_) = &self.to {
            self.start(&row)?;
        }
        match &mut self.to {
            To::Open(lines) => match lines.serialize(row) {
                Ok(()) => Ok(()),
                Err(e) => Err(not_written(e, |e| lines.get_ref().fault(e))),
            },
            To::Within(_, lines) => match lines.serialize(row) {
                Ok(()) => Ok(()),
                Err(e) => Err(not_written(e, |e| lines.get_ref().fault(e))),
            },
            _ => Ok(()),
        }
    }
}

#[cold]
fn not_written(error: ::csv::Error, io: impl FnOnce(std::io::Error) -> Fault) -> Fault {
    match error.into_kind() {
        ::csv::ErrorKind::Io(e) => io(e),
        ::csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Fault::new(format!("a row of {len} fields behind rows of {expected_len}"))
                .help("a csv file needs the same fields in each row: no lists, and no `skip_serializing_if`")
        }
        ::csv::ErrorKind::Serialize(what) => Fault::new(format!("a row that csv cannot hold: {what}"))
            .help("write a row of plain fields: make one with `.map(..)`"),
        other => Fault::new(format!("a row could not be written as csv: {other:?}")),
    }
}

/// Publishes what the writers wrote.
enum CsvCommitter {
    Nothing,
    File(Joiner),
    Folder(Publisher),
}

impl Committer for CsvCommitter {
    fn commit(&mut self, epoch: u64, prepared: Vec<(usize, Prepared)>) -> Result<(), Fault> {
        match self {
            CsvCommitter::Nothing => Ok(()),
            CsvCommitter::File(joiner) => joiner.commit(&prepared),
            CsvCommitter::Folder(publisher) => publisher.commit(epoch, &prepared),
        }
    }

    fn state(&self) -> Vec<u8> {
        match self {
            CsvCommitter::File(joiner) => joiner.state(),
            CsvCommitter::Folder(publisher) => publisher.state(),
            CsvCommitter::Nothing => Vec::new(),
        }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        match self {
            CsvCommitter::Nothing => Ok(()),
            CsvCommitter::File(joiner) => joiner.begin(),
            CsvCommitter::Folder(publisher) => publisher.begin(),
        }
    }

    fn finish(&mut self) -> Result<(), Fault> {
        match self {
            CsvCommitter::File(joiner) => joiner.finish(),
            // All is published already.
            CsvCommitter::Nothing | CsvCommitter::Folder(_) => Ok(()),
        }
    }

    fn finished(&mut self) {
        match self {
            CsvCommitter::Nothing => {}
            CsvCommitter::File(joiner) => joiner.finished(),
            CsvCommitter::Folder(publisher) => publisher.finished(),
        }
    }

    fn abort(&mut self) {
        match self {
            CsvCommitter::Nothing => {}
            CsvCommitter::File(joiner) => joiner.abort(),
            CsvCommitter::Folder(publisher) => publisher.abort(),
        }
    }
}
