//! Csv as a sink: lines of separated fields, under a header of the row's field names.

use super::file::{FileCommitter, FileWriter, Form, Holds, Roll, Rolls, Unwritten};
use super::{Accepts, Committer, Prepared, Sink, SinkContext, Writer};
use crate::error::Fault;
use crate::record::{Record, Row};
use crate::schema::Message;
use crate::source::Csv;
use serde::Serialize;
use std::io::{self, Write};

impl Sink for Csv {
    type Writer = CsvWriter;

    fn writer(&mut self, context: &SinkContext) -> Result<CsvWriter, Fault> {
        self.check()?;
        let form = CsvRows { separator: self.separator, with_header: self.header };
        Ok(CsvWriter(FileWriter::new(
            form,
            self.files.to_write(),
            self.roll.map(|(every, at)| Roll { every, at }),
            context,
        )?))
    }

    fn committer(&mut self, context: &SinkContext, from: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault> {
        self.check()?;
        FileCommitter::of(self.files.to_write(), CsvRows::EXTENSION, context, from)
    }

    fn describe(&self) -> String {
        self.files.describe("csv")
    }

    /// A file appears once, at the end; until then parts are only noted. The files of a folder say of which epoch they are.
    fn takes_back(&self) -> bool {
        true
    }
}

impl Rolls for Csv {
    fn rolling(mut self, roll: Roll) -> Self {
        self.roll = Some((roll.every, roll.at));
        self
    }
}

/// Writes csv on one worker.
pub struct CsvWriter(FileWriter<CsvRows>);

impl Writer for CsvWriter {
    fn prepare(&mut self, epoch: u64) -> Result<Option<Prepared>, Fault> {
        self.0.prepare(epoch)
    }
}

impl<X: Serialize + Row> Accepts<X> for CsvWriter {
    const PROBLEM: Option<Message> = <FileWriter<CsvRows> as Accepts<X>>::PROBLEM;

    #[inline]
    fn write(&mut self, row: X) -> Result<(), Fault> {
        self.0.write(row)
    }
}

/// A row is a line.
pub struct CsvRows {
    separator: u8,
    with_header: bool,
}

impl CsvRows {
    fn lines<W: Write>(&self, to: W, header: bool) -> ::csv::Writer<W> {
        let mut lines = ::csv::WriterBuilder::new();
        lines.delimiter(self.separator).has_headers(header).buffer_capacity(64 << 10).from_writer(to)
    }
}

impl Form for CsvRows {
    const EXTENSION: &'static str = "csv";
    type Rows<W: Write> = ::csv::Writer<W>;

    fn begin<W: Write>(&self, to: W) -> ::csv::Writer<W> {
        self.lines(to, false)
    }

    fn flush<W: Write>(rows: &mut ::csv::Writer<W>) -> io::Result<()> {
        rows.flush()
    }

    fn file<W: Write>(rows: &::csv::Writer<W>) -> &W {
        rows.get_ref()
    }
}

impl<X: Serialize + Row> Holds<X> for CsvRows {
    const PROBLEM: Option<Message> = crate::schema::not_flat(<X::Stored as Record>::SCHEMA, "csv");

    /// What comes first when a row is written with a header. Empty for tuples.
    fn header(&self, row: &X) -> Result<Vec<u8>, Unwritten> {
        if !self.with_header {
            return Ok(Vec::new());
        }
        let written = |header| {
            let mut lines = self.lines(Vec::new(), header);
            lines.serialize(row).map_err(not_written)?;
            lines.into_inner().map_err(|e| Unwritten::Io(e.into_error()))
        };
        let mut both = written(true)?;
        both.truncate(both.len() - written(false)?.len());
        Ok(both)
    }

    #[inline]
    fn write<W: Write>(rows: &mut ::csv::Writer<W>, row: X) -> Result<(), Unwritten> {
        rows.serialize(row).map_err(not_written)
    }
}

#[cold]
fn not_written(error: ::csv::Error) -> Unwritten {
    Unwritten::Row(match error.into_kind() {
        ::csv::ErrorKind::Io(e) => return Unwritten::Io(e),
        ::csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Fault::new(format!("a row of {len} fields behind rows of {expected_len}"))
                .help("a csv file needs the same fields in each row: no lists, and no `skip_serializing_if`")
        }
        ::csv::ErrorKind::Serialize(what) => Fault::new(format!("a row that csv cannot hold: {what}"))
            .help("write a row of plain fields: make one with `.map(..)`"),
        other => Fault::new(format!("a row could not be written as csv: {other:?}")),
    })
}
