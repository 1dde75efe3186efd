//! [`lines`]: the lines of a text file, lent.
//!
//! Text is checked once per block of lines and then sliced. It knows nothing of what a line means.

use super::body::{BOM, Body};
use super::input::Input;
use super::splits::{AtLines, FileSplits, Piece, number};
use super::{Emit, Enumerator, Polled, Reader, RowType, Source, Split};
use crate::error::{Fault, Place};
use std::path::PathBuf;

/// How much is checked to be text at once: it stays in the nearest cache until it has been emitted.
const BLOCK: usize = 24 << 10;

/// The lines of a text file as `&str`, without their ends (`\n` or `\r\n`).
///
/// A plain file is read by all workers at once, a few MiB each; a `.gz` or `.zst` (told by its first bytes) by one.
/// A line that is not UTF-8 is a bad record: it ends the run, or is skipped with `on_error skip`. The last line needs
/// no end. An empty line is a row. A byte order mark at
/// the start of the file is left out.
pub fn lines(path: impl Into<PathBuf>) -> Lines {
    Lines { path: path.into(), split_bytes: None }
}

/// What [`lines`] gives: a source of `&str`.
#[derive(Clone, Debug)]
pub struct Lines {
    path: PathBuf,
    split_bytes: Option<usize>,
}

impl Lines {
    /// Cuts a plain file about every `bytes`. For tests: the rows do not depend on it.
    #[doc(hidden)]
    pub fn split_bytes(mut self, bytes: usize) -> Self {
        self.split_bytes = Some(bytes);
        self
    }
}

impl<R> Source<R> for Lines
where
    R: for<'a> RowType<Row<'a> = &'a str>,
{
    type Reader = LinesReader;

    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        let splits = FileSplits::new(&Input::open(&self.path)?, self.split_bytes, AtLines);
        Ok(Box::new(splits.from(from, &self.path)?))
    }

    fn reader(&mut self) -> Result<LinesReader, Fault> {
        Ok(LinesReader { path: self.path.clone(), open: None, last: 0, done: 0, ends: Vec::new() })
    }

    fn describe(&self) -> String {
        format!("lines {}", self.path.display())
    }
}

/// Reads lines on one worker.
pub struct LinesReader {
    path: PathBuf,
    open: Option<Body>,
    /// Where the line that was emitted last begins in the window.
    last: usize,
    /// Where in the window the next line begins.
    done: usize,
    /// Scratch: where the lines of a block end.
    ends: Vec<usize>,
}

impl<R> Reader<R> for LinesReader
where
    R: for<'a> RowType<Row<'a> = &'a str>,
{
    fn open(&mut self, split: Split, from: Option<&[u8]>) -> Result<(), Fault> {
        let piece = Piece::decode(&split.detail)?;
        let mut body = Body::open(&self.path, piece, self.open.take())?;
        if let Some(from) = from {
            body.skip_to(&self.path, number(from)?)?;
        }
        if body.position() == 0 {
            body.fill()?;
            if body.window().starts_with(BOM) {
                body.consume(BOM.len());
            }
        }
        (self.last, self.done) = (0, 0);
        self.open = Some(body);
        Ok(())
    }

    fn poll<E: Emit<R>>(&mut self, budget: usize, out: &mut E) -> Result<Polled, Fault> {
        let Some(body) = &mut self.open else { return Ok(Polled::SplitDone) };
        body.check()?;
        let mut left = budget.max(1);
        while left > 0 {
            body.consume(std::mem::take(&mut self.done));
            self.last = 0;
            let window = body.window();
            let block = find_lines(window, left, body.complete(), &mut self.ends);
            if self.ends.is_empty() {
                if body.complete() {
                    return Ok(Polled::SplitDone);
                }
                body.fill()?;
                continue;
            }
            left -= self.ends.len();
            self.done = block.len();
            match simdutf8::basic::from_utf8(block) {
                Ok(text) => {
                    out.rows(Sliced { text, ends: self.ends.iter(), start: 0, before: 0, last: &mut self.last })
                }
                Err(_) => {
                    let mut start = 0;
                    for &end in &self.ends {
                        self.last = start;
                        let line = block.get(start..end).unwrap_or_default();
                        start = end;
                        match simdutf8::compat::from_utf8(without_end(line)) {
                            Ok(text) => out.row(text),
                            Err(e) => out.bad(
                                Fault::new(format!("the line is not UTF-8 from its byte {} on", e.valid_up_to() + 1))
                                    .in_file(&self.path)
                                    .at_line(body.line(self.last))
                                    .help("convert the file to UTF-8, or write `on_error skip` at the source"),
                            )?,
                        }
                    }
                }
            }
        }
        Ok(Polled::More)
    }

    fn position(&self) -> Vec<u8> {
        let at = self.open.as_ref().map_or(0, |body| body.position() + self.done);
        (at as u64).to_le_bytes().to_vec()
    }

    fn place(&self) -> Place {
        let line = self.open.as_ref().map(|body| body.line(self.last));
        Place { file: Some(self.path.clone()), line, ..Place::default() }
    }

    fn bytes_read(&self) -> u64 {
        self.open.as_ref().map_or(0, Body::bytes_read)
    }
}

/// Finds at most `most` lines at the front of `window`, about a block of them, and says what they cover. Each end is
/// behind the line's `\n`.
fn find_lines<'a>(window: &'a [u8], most: usize, complete: bool, ends: &mut Vec<usize>) -> &'a [u8] {
    ends.clear();
    let near = window.get(..BLOCK).unwrap_or(window);
    ends.extend(memchr::memchr_iter(b'\n', near).take(most).map(|at| at + 1));
    if let Some(&end) = ends.last() {
        let all = near.len() == window.len();
        if !(all && complete) || ends.len() == most || end == near.len() {
            return near.get(..end).unwrap_or_default();
        }
    }
    // Either one long line, or the last one, which needs no end.
    let start = ends.last().map_or(0, |&end| end);
    let rest = window.get(start..).unwrap_or_default();
    let len = match memchr::memchr(b'\n', rest) {
        Some(found) => found + 1,
        None if complete => rest.len(),
        None => 0,
    };
    if len > 0 {
        ends.push(start + len);
    }
    window.get(..start + len).unwrap_or_default()
}

fn without_end(line: &[u8]) -> &[u8] {
    match line {
        [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => line,
        line => line,
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
        *self.last = self.before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(window: &str, most: usize, complete: bool) -> Vec<usize> {
        let mut ends = vec![99];
        let block = find_lines(window.as_bytes(), most, complete, &mut ends);
        assert_eq!(block.len(), ends.last().copied().unwrap_or(0));
        ends
    }

    #[test]
    fn only_whole_lines_are_found_and_the_last_needs_no_end() {
        assert_eq!(found("a\nbc\nd", 9, false), [2, 5]);
        assert_eq!(found("a\nbc\nd", 9, true), [2, 5, 6]);
        assert_eq!(found("a\nbc\nd", 2, true), [2, 5]);
        assert_eq!(found("a\n", 9, true), [2]);
        assert!(found("abc", 9, false).is_empty());
        assert!(found("", 9, true).is_empty());
    }

    #[test]
    fn a_line_longer_than_the_block_is_one_line() {
        let long = "x".repeat(3 * BLOCK);
        assert_eq!(found(&format!("{long}\ny\n"), 9, false), [long.len() + 1]);
        assert_eq!(found(&format!("a\n{long}\n"), 9, false), [2]);
        assert!(found(&long, 9, false).is_empty());
        assert_eq!(found(&long, 9, true), [long.len()]);
    }
}
