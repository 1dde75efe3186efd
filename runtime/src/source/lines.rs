//! [`lines`]: the lines of text files, lent.
//!
//! Text is checked once per block of lines and then sliced. It knows nothing of what a line means.

use super::body::Body;
use super::files::{FileTarget, Files};
use super::reader::{Cursor, FileReader, Form};
use super::splits::AtLines;
use super::target::{Kind, Target};
use super::text::{self, next_lines, without_end};
use super::{Emit, Enumerator, Guarantee, RowType, Source};
use crate::error::Fault;
use crate::time::TimeSpan;
use std::path::Path;

/// The lines of a text file, of all files of a folder (`lines("logs/")`), or of all that a pattern matches (`lines("logs/*.txt")`), as
/// `&str`, without their ends (`\n` or `\r\n`).
///
/// Which files are read, in which order, and how they are shared by the workers is told at [`csv()`](super::csv()): it is the same.
/// A line that is not UTF-8 is a bad record: it ends the run, is skipped with `on_error skip`, or is diverted with `on_error divert`. The
/// last line needs no end. An empty line is a row. A byte order mark at the start of a file is left out.
pub fn lines<K>(path: impl Target<K>) -> Lines<K> {
    Lines { files: Files::of(path.target()) }
}

/// What [`lines`] gives: a source of `&str`.
#[derive(Clone, Debug)]
pub struct Lines<K = FileTarget> {
    files: Files<K>,
}

impl Lines {
    /// Looks for new files all the time; see [`Csv::watch`](super::Csv::watch).
    pub fn watch(mut self, every: TimeSpan) -> Self {
        self.files.watch = Some(every);
        self
    }
}

impl<K> Lines<K> {
    /// Cuts a plain file about every `bytes`. For tests: the rows do not depend on it.
    #[doc(hidden)]
    pub fn split_bytes(mut self, bytes: usize) -> Self {
        self.files.split_bytes = Some(bytes);
        self
    }
}

impl<R, K: Kind> Source<R> for Lines<K>
where
    R: for<'a> RowType<Row<'a> = &'a str>,
{
    type Reader = LinesReader;
    const GUARANTEE: Guarantee = K::GUARANTEE;

    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        self.files.enumerator(AtLines, from)
    }

    fn reader(&mut self) -> Result<LinesReader, Fault> {
        Ok(self.files.reader(LinesForm::default()))
    }

    fn describe(&self) -> String {
        self.files.describe("lines")
    }

    /// What is no file: when nothing comes for long, others are not to wait for it.
    fn endless(&self) -> bool {
        self.files.is_live()
    }
}

/// Reads lines on one worker.
pub type LinesReader = FileReader<LinesForm>;

/// A record is a line.
#[derive(Default)]
pub struct LinesForm {
    /// Scratch: where the lines of a block end.
    ends: Vec<usize>,
}

impl<R> Form<R> for LinesForm
where
    R: for<'a> RowType<Row<'a> = &'a str>,
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
            match simdutf8::basic::from_utf8(block) {
                Ok(text) => {
                    let ends = self.ends.iter();
                    out.rows(Sliced { text, ends, start: 0, before: 0, from, last: &mut cursor.last })
                }
                Err(_) => {
                    let mut start = 0;
                    for &end in &self.ends {
                        cursor.last = from + start;
                        let line = without_end(block.get(start..end).unwrap_or_default());
                        start = end;
                        match text::text(path, body, *cursor, line) {
                            Ok(text) => out.row(text),
                            Err(fault) => out.bad(line, fault)?,
                        }
                    }
                }
            }
            from = cursor.done;
        }
        Ok(())
    }
}

/// The lines of a block that is text. It tells where the last one began when it is dropped: at the end, or when what
/// is done with a line panics, so that going on from line to line costs nothing for it.
struct Sliced<'a, 'l> {
    text: &'a str,
    ends: std::slice::Iter<'a, usize>,
    /// Where the next line begins, and where the one before did.
    start: usize,
    before: usize,
    /// Where the block begins.
    from: usize,
    last: &'l mut usize,
}

impl<'a> Iterator for Sliced<'a, '_> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let end = *self.ends.next()?;
        self.before = std::mem::replace(&mut self.start, end);
        let line = self.text.get(self.before..end)?;
        Some(match line.strip_suffix('\n') {
            Some(line) => line.strip_suffix('\r').unwrap_or(line),
            None => line,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ends.size_hint()
    }
}

impl Drop for Sliced<'_, '_> {
    fn drop(&mut self) {
        *self.last = self.from + self.before;
    }
}
