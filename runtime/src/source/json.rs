//! [`json()`]: rows of files with a JSON value on each line, read by their types. The same name writes them: `sink::json` makes a sink of
//! [`Json`].
//!
//! Text is checked once per block of lines; what a value means is the business of `serde_json`.

use super::body::Body;
use super::files::{FileTarget, Files};
use super::reader::{Cursor, FileReader, Form};
use super::splits::AtLines;
use super::target::{Kind, Target};
use super::text::{self, next_lines, without_end};
use super::{Emit, Enumerator, Guarantee, RowType, Source};
use crate::error::Fault;
use crate::time::TimeSpan;
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;

/// JSON lines (also known as ndjson), to be read or to be written: a value on each line, most often an object.
///
/// As a source: a row is whatever serde can read from a value: a struct with `#[derive(Deserialize)]` whose fields are found by
/// their names, a map, a tuple, a number, a `serde_json::Value`. A `&str` in it is lent, and must then hold no escape such as `\n`; `Cow<str>` takes both. A line
/// that is no such value is a bad record, told with line and column: it ends the run, is skipped with `on_error skip`, or is diverted with `on_error divert`. Lines of
/// blanks alone are passed over. Which files are read, in which order, and how they are shared by the workers is told at
/// [`csv()`](super::csv()): it is the same.
///
/// As a sink: rows need `#[derive(Record, Serialize)]`, and may be nested. One file, or a folder of parts if the path ends in `/`,
/// which come into being as those of [`csv()`](super::csv()) do.
///
/// The target is a path, or an `Option` of one: a sink without a path writes nothing.
pub fn json<K>(target: impl Target<K>) -> Json<K> {
    Json { files: Files::of(target.target()), roll: None }
}

/// What [`json()`] gives: a source and a sink.
#[derive(Clone, Debug)]
pub struct Json<K = FileTarget> {
    pub(crate) files: Files<K>,
    /// As a sink: when a folder gets a new file, by age and by size.
    pub(crate) roll: Option<(Option<Duration>, Option<u64>)>,
}

impl Json {
    /// As a source: looks for new files all the time; see [`Csv::watch`](super::Csv::watch).
    pub fn watch(mut self, every: TimeSpan) -> Self {
        self.files.watch = Some(every);
        self
    }
}

impl<K> Json<K> {
    /// Cuts a plain file about every `bytes`. For tests: the rows do not depend on it.
    #[doc(hidden)]
    pub fn split_bytes(mut self, bytes: usize) -> Self {
        self.files.split_bytes = Some(bytes);
        self
    }
}

impl<R: RowType, K: Kind> Source<R> for Json<K>
where
    for<'a> R::Row<'a>: Deserialize<'a>,
{
    type Reader = JsonReader;
    const GUARANTEE: Guarantee = K::GUARANTEE;

    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        self.files.enumerator(AtLines, from)
    }

    fn reader(&mut self) -> Result<JsonReader, Fault> {
        Ok(self.files.reader(JsonForm::default()))
    }

    fn describe(&self) -> String {
        self.files.describe("json")
    }

    /// What is no file: when nothing comes for long, others are not to wait for it.
    fn endless(&self) -> bool {
        self.files.is_live()
    }
}

/// Reads JSON lines on one worker.
pub type JsonReader = FileReader<JsonForm>;

/// A record is a line, and its row what serde makes of it.
#[derive(Default)]
pub struct JsonForm {
    /// Scratch: where the lines of a block end.
    ends: Vec<usize>,
}

impl<R: RowType> Form<R> for JsonForm
where
    for<'a> R::Row<'a>: Deserialize<'a>,
{
    fn begin(&mut self, _: &Path, body: &mut Body) -> Result<bool, Fault> {
        text::begin(body)
    }

    fn read<E: Emit<R>>(
        &mut self,
        path: &Path,
        body: &Body,
        cursor: &mut Cursor,
        left: &mut usize,
        out: &mut E,
    ) -> Result<(), Fault> {
        let mut from = cursor.done;
        while let Some(block) = next_lines(body, cursor, left, &mut self.ends) {
            let whole = simdutf8::basic::from_utf8(block).ok();
            let mut start = 0;
            for &end in &self.ends {
                cursor.last = from + start;
                let line = without_end(block.get(start..end).unwrap_or_default());
                let checked = match whole.and_then(|whole| whole.get(start..start + line.len())) {
                    Some(text) => Ok(text),
                    None => text::text(path, body, *cursor, line),
                };
                start = end;
                match checked {
                    Ok(text) => match serde_json::from_str(text) {
                        Ok(row) => out.row(row),
                        Err(_) if text.trim_ascii().is_empty() => {}
                        Err(error) => out.bad(line, no_row(path, body, *cursor, &error))?,
                    },
                    Err(fault) => out.bad(line, fault)?,
                }
            }
            from = cursor.done;
        }
        Ok(())
    }
}

/// Says why a line is no row.
#[cold]
fn no_row(path: &Path, body: &Body, cursor: Cursor, error: &serde_json::Error) -> Fault {
    let told = error.to_string();
    // The line is that of the value, which is always the first.
    let what = told.rsplit_once(" at line ").map_or(&*told, |(what, _)| what).to_owned();
    let fault = Fault::new(what).in_file(path).at_line(body.line(cursor.last)).in_column(error.column().to_string());
    match error.is_eof() {
        true => fault.help("a record is one whole value on one line: `jq -c . file` writes values so, `jq -c '.[]' file` those of a list"),
        false => fault,
    }
}
