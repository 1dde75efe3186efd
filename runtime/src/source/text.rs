//! Blocks of lines: what [`lines`](super::lines) and [`json`](super::json()) have in common. A block is checked to be text at once.

use super::body::{BOM, Body};
use super::reader::Cursor;
use crate::error::Fault;
use std::path::Path;

/// How much is checked to be text at once: it stays in the nearest cache until it has been emitted.
pub(super) const BLOCK: usize = 24 << 10;

/// Takes a byte order mark off the start of a file. `false` if the start has not come yet.
pub(super) fn begin(body: &mut Body) -> Result<bool, Fault> {
    if body.position() == 0 {
        // Of what comes in pieces the first one is a line at least.
        if !body.fill()? {
            return Ok(false);
        }
        if body.window().starts_with(BOM) {
            body.consume(BOM.len());
        }
    }
    Ok(true)
}

/// Finds the next lines of a window, at most `left` of them, which it counts down, and moves the cursor behind them. `ends` has where each
/// of them ends in what it gives.
pub(super) fn next_lines<'b>(
    body: &'b Body,
    cursor: &mut Cursor,
    left: &mut usize,
    ends: &mut Vec<usize>,
) -> Option<&'b [u8]> {
    if *left == 0 {
        return None;
    }
    let window = body.window().get(cursor.done..).unwrap_or_default();
    let block = find_lines(window, *left, body.complete(), ends);
    if ends.is_empty() {
        return None;
    }
    *left -= ends.len();
    cursor.done += block.len();
    Some(block)
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

/// A line that is text, or what is wrong with it.
pub(super) fn text<'l>(path: &Path, body: &Body, cursor: Cursor, line: &'l [u8]) -> Result<&'l str, Fault> {
    simdutf8::compat::from_utf8(line).map_err(|e| {
        Fault::new(format!("the line is not UTF-8 from its byte {} on", e.valid_up_to() + 1))
            .in_file(path)
            .at_line(body.line(cursor.last))
            .help("convert the file to UTF-8, or write `on_error skip` at the source")
    })
}

/// A line without its end.
pub(super) fn without_end(line: &[u8]) -> &[u8] {
    match line {
        [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => line,
        line => line,
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
