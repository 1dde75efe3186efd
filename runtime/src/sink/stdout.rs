//! [`stdout`]: rows as a readable board on standard output.
//!
//! It knows how lines are laid out and who prints the header; how a row becomes cells is in `cells`.

use super::cells::Cells;
use super::for_each::Nothing;
use super::{Accepts, Committer, Guarantee, Prepared, Sink, SinkContext, Writer};
use crate::error::Fault;
use crate::record::{Record, Row};
use crate::schema::Message;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// The columns' widths are those of the header and of so many first rows.
const FIRST_ROWS: usize = 50;
/// Lines are written so many bytes at a time, or when the writer is flushed.
const CHUNK: usize = 8 << 10;

/// A sink that prints rows on standard output: one line each, in aligned columns, under a header of the field names
/// if the row is a struct; numbers to the right.
///
/// Lines of several workers come mixed and whole. A later value that is wider than its column pushes its line
/// to the right. When nobody reads on (`| head`), the rest is dropped and the job goes on.
pub fn stdout() -> Stdout {
    Stdout {}
}

/// What [`stdout`] gives: a sink.
#[derive(Clone, Copy, Debug)]
pub struct Stdout {}

impl Sink for Stdout {
    type Writer = StdoutWriter;
    const GUARANTEE: Guarantee =
        Guarantee::AtLeastOnce("a terminal shows a row when it comes, and again behind a failure");

    fn writer(&mut self, context: &SinkContext) -> Result<StdoutWriter, Fault> {
        Ok(StdoutWriter::new(shared(context), Box::new(print)))
    }

    fn committer(&mut self, _: &SinkContext, _: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault> {
        Ok(Box::new(Nothing))
    }

    fn describe(&self) -> String {
        "stdout".to_owned()
    }

    /// A terminal promises nothing: what a person has seen may be seen again.
    fn takes_back(&self) -> bool {
        true
    }
}

/// Writes whole lines at once.
fn print(lines: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(lines.as_bytes())?;
    out.flush()
}

/// What the writers of one sink share.
#[derive(Default)]
struct Shared {
    layout: Option<Arc<Layout>>,
    /// Nobody reads on.
    closed: bool,
}

/// What the writers of this sink in this process share. Each worker makes its sink anew, so it is found by name.
fn shared(context: &SinkContext) -> Arc<Mutex<Shared>> {
    type Boards = Mutex<Vec<(String, u64, Weak<Mutex<Shared>>)>>;
    static BOARDS: OnceLock<Boards> = OnceLock::new();
    let mut boards = BOARDS.get_or_init(Boards::default).lock().unwrap_or_else(PoisonError::into_inner);
    boards.retain(|(.., board)| board.strong_count() > 0);
    let ours = boards.iter().find(|(name, attempt, _)| *name == context.name && *attempt == context.attempt);
    if let Some(board) = ours.and_then(|(.., board)| board.upgrade()) {
        return board;
    }
    let board = Arc::new(Mutex::new(Shared::default()));
    boards.push((context.name.clone(), context.attempt, Arc::downgrade(&board)));
    board
}

/// How wide each column is, and whether it is one of numbers.
struct Layout {
    columns: Vec<(usize, bool)>,
}

impl Layout {
    fn of(names: &[&'static str], rows: &[Cells]) -> Layout {
        let mut columns: Vec<(usize, bool)> = names.iter().map(|name| (width(name), true)).collect();
        for row in rows {
            for (i, (text, number)) in row.iter().enumerate() {
                if columns.len() <= i {
                    columns.push((0, true));
                }
                if let Some((widest, numbers)) = columns.get_mut(i) {
                    *widest = width(text).max(*widest);
                    *numbers &= number;
                }
            }
        }
        Layout { columns }
    }

    /// Adds a line: two blanks between columns, and none at its end.
    fn line<'a>(&self, cells: impl Iterator<Item = &'a str>, out: &mut String) {
        let start = out.len();
        for (i, text) in cells.enumerate() {
            let (wide, right) = self.columns.get(i).copied().unwrap_or_default();
            let gap = if i == 0 { "" } else { "  " };
            // Writing to a `String` does not fail.
            let _ = match right {
                true => write!(out, "{gap}{text:>wide$}"),
                false => write!(out, "{gap}{text:<wide$}"),
            };
        }
        out.truncate(out.trim_end_matches(' ').len().max(start));
        out.push('\n');
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Where lines go.
type Print = Box<dyn FnMut(&str) -> io::Result<()>>;

/// Prints on one worker.
pub struct StdoutWriter {
    shared: Arc<Mutex<Shared>>,
    /// Known once somebody has had the first rows.
    layout: Option<Arc<Layout>>,
    first: Vec<Cells>,
    cells: Cells,
    lines: String,
    print: Print,
}

impl StdoutWriter {
    fn new(shared: Arc<Mutex<Shared>>, print: Print) -> Self {
        let (first, cells, lines) = (Vec::new(), Cells::default(), String::new());
        StdoutWriter { shared, layout: None, first, cells, lines, print }
    }

    /// Lays out the first rows and prints them; the first writer to come here decides for all, and prints the header.
    fn lay_out(&mut self) -> Result<(), Fault> {
        let Some(first) = self.first.first() else { return Ok(()) };
        let board = Arc::clone(&self.shared);
        // Held while the header is printed: nobody's rows come before it.
        let mut board: MutexGuard<'_, Shared> = board.lock().unwrap_or_else(PoisonError::into_inner);
        let layout = match &board.layout {
            Some(layout) => Arc::clone(layout),
            None => {
                let layout = Arc::new(Layout::of(first.names(), &self.first));
                if !first.names().is_empty() {
                    layout.line(first.names().iter().copied(), &mut self.lines);
                }
                board.layout = Some(Arc::clone(&layout));
                layout
            }
        };
        for row in self.first.drain(..) {
            layout.line(row.iter().map(|(text, _)| text), &mut self.lines);
        }
        self.layout = Some(layout);
        self.put(&mut board)
    }

    /// Prints the lines that there are.
    fn put(&mut self, board: &mut Shared) -> Result<(), Fault> {
        let lines = std::mem::take(&mut self.lines);
        if board.closed || lines.is_empty() {
            return Ok(());
        }
        match (self.print)(&lines) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {
                board.closed = true;
                Ok(())
            }
            Err(e) => Err(Fault::new("cannot write to standard output").because(e)),
        }
    }

    fn put_all(&mut self) -> Result<(), Fault> {
        if self.layout.is_none() {
            return self.lay_out();
        }
        let board = Arc::clone(&self.shared);
        let mut board = board.lock().unwrap_or_else(PoisonError::into_inner);
        self.put(&mut board)
    }
}

impl Writer for StdoutWriter {
    fn flush(&mut self) -> Result<(), Fault> {
        self.put_all()
    }

    /// What is printed is printed: there is nothing to commit.
    fn prepare(&mut self, _epoch: u64) -> Result<Option<Prepared>, Fault> {
        self.put_all()?;
        Ok(None)
    }
}

impl<X: Serialize + Row> Accepts<X> for StdoutWriter {
    const PROBLEM: Option<Message> = crate::schema::not_flat(<X::Stored as Record>::SCHEMA, "stdout");

    fn write(&mut self, row: X) -> Result<(), Fault> {
        let Some(layout) = &self.layout else {
            let mut cells = Cells::default();
            cells.fill(&row, true).map_err(not_flat)?;
            self.first.push(cells);
            return if self.first.len() >= FIRST_ROWS { self.lay_out() } else { Ok(()) };
        };
        self.cells.fill(&row, false).map_err(not_flat)?;
        layout.line(self.cells.iter().map(|(text, _)| text), &mut self.lines);
        if self.lines.len() >= CHUNK { self.put_all() } else { Ok(()) }
    }
}

#[cold]
fn not_flat(problem: super::cells::Problem) -> Fault {
    Fault::new(format!("a row that a line of the board cannot hold: {problem}"))
        .help("print a row of plain fields: make one with `.map(..)`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(pelton::Record, Serialize)]
    struct Line {
        origin: String,
        departed: u32,
        delay: Option<f32>,
    }

    fn line(origin: &str, departed: u32, delay: Option<f32>) -> Line {
        Line { origin: origin.into(), departed, delay }
    }

    type Out = Arc<Mutex<String>>;

    fn writers(n: usize) -> (Vec<StdoutWriter>, Out) {
        let (shared, out) = (Arc::default(), Out::default());
        let writers = (0..n).map(|_| {
            let out = Arc::clone(&out);
            let print = move |lines: &str| {
                out.lock().unwrap().push_str(lines);
                Ok(())
            };
            StdoutWriter::new(Arc::clone(&shared), Box::new(print))
        });
        (writers.collect(), out)
    }

    #[test]
    fn columns_are_aligned_under_their_names_numbers_to_the_right() {
        let (mut writers, out) = writers(1);
        writers[0].write(line("EWR", 5, Some(1.5))).unwrap();
        writers[0].write(line("Ürgüp", 1000, None)).unwrap();
        assert_eq!(*out.lock().unwrap(), "", "printed before its width is known");
        writers[0].flush().unwrap();
        writers[0].write(line("a long name", 1_000_000_000, Some(-0.25))).unwrap();
        writers[0].prepare(1).unwrap();
        let expected = "\
origin  departed  delay
EWR            5    1.5
Ürgüp       1000
a long name  1000000000  -0.25
";
        assert_eq!(*out.lock().unwrap(), expected);
    }

    #[test]
    fn the_header_is_printed_once_for_all_workers_and_first() {
        let (mut writers, out) = writers(2);
        for n in 0..200 {
            writers[n % 2].write(line("JFK", n as u32, None)).unwrap();
        }
        for writer in &mut writers {
            writer.prepare(1).unwrap();
        }
        let out = out.lock().unwrap();
        let mut lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.remove(0), "origin  departed  delay");
        lines.sort();
        let mut expected: Vec<String> = (0..200).map(|n| format!("JFK     {n:>8}")).collect();
        expected.sort();
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_closed_pipe_is_the_end_and_no_error() {
        let (shared, mut asked): (Arc<Mutex<Shared>>, _) = (Arc::default(), 0);
        let print = move |_: &str| {
            asked += 1;
            assert_eq!(asked, 1, "written to a pipe that is known to be closed");
            Err(io::ErrorKind::BrokenPipe.into())
        };
        let mut writer = StdoutWriter::new(shared, Box::new(print));
        for n in 0..10_000 {
            writer.write(line("JFK", n, None)).unwrap();
        }
        writer.prepare(1).unwrap();
    }

    #[test]
    fn writers_of_one_sink_find_each_other_by_name() {
        let context = |name: &str, attempt| SinkContext {
            name: name.into(),
            worker: 0,
            workers: 2,
            part: 0,
            attempt,
            resumable: false,
            log: None,
            published: false,
        };
        let first = shared(&context("board of this test", 1));
        assert!(Arc::ptr_eq(&first, &shared(&context("board of this test", 1))));
        assert!(!Arc::ptr_eq(&first, &shared(&context("board of this test", 2))));
        assert!(!Arc::ptr_eq(&first, &shared(&context("another of this test", 1))));
    }
}
