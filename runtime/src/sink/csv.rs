//! Csv as a sink: one file with a header, written by all workers in hidden parts.
//!
//! It knows how rows become lines; how parts become a file is in `parts`.

use super::parts::{Joiner, Part, Target};
use super::{Accepts, Committer, Prepared, Sink, SinkContext, Writer};
use crate::error::Fault;
use crate::record::{Record, Row};
use crate::schema::Message;
use crate::source::Csv;
use serde::Serialize;

impl Sink for Csv {
    type Writer = CsvWriter;

    fn writer(&mut self, context: &SinkContext) -> Result<CsvWriter, Fault> {
        self.check()?;
        let to = match &self.path {
            None => To::Nothing,
            Some(path) => To::Unopened(Target::new(path, context.attempt)?, context.clone()),
        };
        Ok(CsvWriter { separator: self.separator, with_header: self.header, header: Vec::new(), to })
    }

    fn committer(&mut self, context: &SinkContext, from: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault> {
        self.check()?;
        let joiner = match &self.path {
            None => None,
            Some(path) => Some(Joiner::new(Target::new(path, context.attempt)?, context.resumable, from)?),
        };
        Ok(Box::new(CsvCommitter { joiner }))
    }

    fn describe(&self) -> String {
        self.description()
    }

    /// The file appears once, at the end; until then parts are only noted.
    fn takes_back(&self) -> bool {
        true
    }
}

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
}

impl CsvWriter {
    fn lines<W: std::io::Write>(&self, to: W, header: bool) -> ::csv::Writer<W> {
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

    #[cold]
    fn start<X: Serialize>(&mut self, row: &X) -> Result<(), Fault> {
        let To::Unopened(target, context) = &self.to else { return Ok(()) };
        let part = Part::create(target, context)?;
        if self.with_header {
            self.header = self.header_of(row).map_err(|e| not_written(&part, e))?;
        }
        let lines = ::csv::WriterBuilder::new()
            .delimiter(self.separator)
            .has_headers(false)
            .buffer_capacity(64 << 10)
            .from_writer(part);
        self.to = To::Open(Box::new(lines));
        Ok(())
    }
}

impl Writer for CsvWriter {
    fn prepare(&mut self, _epoch: u64) -> Result<Option<Prepared>, Fault> {
        let To::Open(lines) = &mut self.to else { return Ok(None) };
        if let Err(e) = lines.flush() {
            return Err(lines.get_ref().fault(e));
        }
        lines.get_ref().prepare(&self.header)
    }
}

impl<X: Serialize + Row> Accepts<X> for CsvWriter {
    const PROBLEM: Option<Message> = crate::schema::not_flat(<X::Stored as Record>::SCHEMA, "csv");

    #[inline]
    fn write(&mut self, row: X) -> Result<(), Fault> {
        if let To::Unopened(..) = &self.to {
            self.start(&row)?;
        }
        let To::Open(lines) = &mut self.to else { return Ok(()) };
        match lines.serialize(row) {
            Ok(()) => Ok(()),
            Err(e) => Err(not_written(lines.get_ref(), e)),
        }
    }
}

#[cold]
fn not_written(part: &Part, error: ::csv::Error) -> Fault {
    match error.into_kind() {
        ::csv::ErrorKind::Io(e) => part.fault(e),
        ::csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Fault::new(format!("a row of {len} fields behind rows of {expected_len}"))
                .help("a csv file needs the same fields in each row: no lists, and no `skip_serializing_if`")
        }
        ::csv::ErrorKind::Serialize(what) => Fault::new(format!("a row that csv cannot hold: {what}"))
            .help("write a row of plain fields: make one with `.map(..)`"),
        other => Fault::new(format!("a row could not be written as csv: {other:?}")),
    }
}

/// Makes one file of what the writers wrote.
struct CsvCommitter {
    joiner: Option<Joiner>,
}

impl Committer for CsvCommitter {
    fn commit(&mut self, _epoch: u64, prepared: Vec<(usize, Prepared)>) -> Result<(), Fault> {
        self.joiner.as_mut().map_or(Ok(()), |joiner| joiner.commit(&prepared))
    }

    fn state(&self) -> Vec<u8> {
        self.joiner.as_ref().map(Joiner::state).unwrap_or_default()
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.joiner.as_ref().map_or(Ok(()), Joiner::begin)
    }

    fn finish(&mut self) -> Result<(), Fault> {
        self.joiner.as_mut().map_or(Ok(()), Joiner::finish)
    }

    fn finished(&mut self) {
        if let Some(joiner) = &mut self.joiner {
            joiner.finished();
        }
    }

    fn abort(&mut self) {
        if let Some(joiner) = &mut self.joiner {
            joiner.abort();
        }
    }
}
