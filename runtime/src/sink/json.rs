//! JSON lines as a sink: a value on each line, as serde writes it.

use super::file::{FileCommitter, FileWriter, Form, Holds, Roll, Rolls, Unwritten};
use super::{Accepts, Committer, Prepared, Sink, SinkContext, Writer};
use crate::error::Fault;
use crate::record::Row;
use crate::schema::Message;
use crate::source::Json;
use serde::Serialize;
use std::io::{self, BufWriter, Write};

impl Sink for Json {
    type Writer = JsonWriter;

    fn writer(&mut self, context: &SinkContext) -> Result<JsonWriter, Fault> {
        Ok(JsonWriter(FileWriter::new(
            JsonRows(()),
            self.files.to_write(),
            self.roll.map(|(every, at)| Roll { every, at }),
            context,
        )?))
    }

    fn committer(&mut self, context: &SinkContext, from: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault> {
        FileCommitter::of(self.files.to_write(), JsonRows::EXTENSION, context, from)
    }

    fn describe(&self) -> String {
        self.files.describe("json")
    }

    /// As that of csv.
    fn takes_back(&self) -> bool {
        true
    }
}

impl Rolls for Json {
    fn rolling(mut self, roll: Roll) -> Self {
        self.roll = Some((roll.every, roll.at));
        self
    }
}

/// Writes JSON lines on one worker.
pub struct JsonWriter(FileWriter<JsonRows>);

impl Writer for JsonWriter {
    fn prepare(&mut self, epoch: u64) -> Result<Option<Prepared>, Fault> {
        self.0.prepare(epoch)
    }
}

impl<X: Serialize + Row> Accepts<X> for JsonWriter {
    const PROBLEM: Option<Message> = <FileWriter<JsonRows> as Accepts<X>>::PROBLEM;

    #[inline]
    fn write(&mut self, row: X) -> Result<(), Fault> {
        self.0.write(row)
    }
}

/// A row is a line.
pub struct JsonRows(());

impl Form for JsonRows {
    const EXTENSION: &'static str = "json";
    type Rows<W: Write> = BufWriter<W>;

    fn begin<W: Write>(&self, to: W) -> BufWriter<W> {
        BufWriter::with_capacity(64 << 10, to)
    }

    fn flush<W: Write>(rows: &mut BufWriter<W>) -> io::Result<()> {
        rows.flush()
    }

    fn file<W: Write>(rows: &BufWriter<W>) -> &W {
        rows.get_ref()
    }
}

impl<X: Serialize + Row> Holds<X> for JsonRows {
    const PROBLEM: Option<Message> = None;

    fn header(&self, _: &X) -> Result<Vec<u8>, Unwritten> {
        Ok(Vec::new())
    }

    #[inline]
    fn write<W: Write>(rows: &mut BufWriter<W>, row: X) -> Result<(), Unwritten> {
        serde_json::to_writer(&mut *rows, &row).map_err(not_written)?;
        rows.write_all(b"\n").map_err(Unwritten::Io)
    }
}

#[cold]
fn not_written(error: serde_json::Error) -> Unwritten {
    match error.is_io() {
        true => Unwritten::Io(error.into()),
        false => Unwritten::Row(
            Fault::new(format!("a row that JSON cannot hold: {error}"))
                .help("keys of maps are text or numbers in JSON: make another row with `.map(..)`"),
        ),
    }
}
