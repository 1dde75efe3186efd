//! [`CsvReader`]: reads the splits of a csv file on one worker.

use super::columns::{Columns, How, Plan};
use super::problem::{Kind, Problem};
use super::row::Row;
use super::scan::{Fields, Record, Scanned, Scanner};
use crate::error::{Fault, Place};
use crate::source::body::{BOM, Body};
use crate::source::splits::{Piece, number};
use crate::source::{Emit, Polled, Reader, RowType, Split};
use serde::Deserialize;
use std::path::PathBuf;

/// What a reader has to know of its file.
#[derive(Clone, Debug)]
pub(super) struct Format {
    pub(super) path: PathBuf,
    pub(super) separator: u8,
    pub(super) na: Vec<Vec<u8>>,
    pub(super) header: bool,
}

/// Reads csv on one worker.
pub struct CsvReader {
    format: Format,
    open: Option<Body>,
    /// Known once the first split is open.
    columns: Option<Columns>,
    plan: Plan,
    fields: Fields,
    /// Where the record that was emitted last begins in the window.
    last: usize,
    /// Where in the window the next record begins.
    done: usize,
}

impl CsvReader {
    pub(super) fn new(format: Format) -> Self {
        CsvReader {
            format,
            open: None,
            columns: None,
            plan: Plan::default(),
            fields: Fields::default(),
            last: 0,
            done: 0,
        }
    }
}

impl Format {
    /// Reads the header, or counts the columns of the first record. `from` begins where the file does.
    fn columns(&self, from: &mut Body) -> Result<Columns, Fault> {
        let mut fields = Fields::default();
        from.fill()?;
        let mark = if from.window().starts_with(BOM) { BOM.len() } else { 0 };
        loop {
            let window = from.window().get(mark..).unwrap_or_default();
            let mut scanner = Scanner::new(window, self.separator, from.complete());
            match scanner.record(&mut fields) {
                Scanned::Record { start } => {
                    let record = fields.of(window.get(start..).unwrap_or_default());
                    if !self.header {
                        return Ok(Columns { names: None, count: record.len(), start: mark });
                    }
                    let names = (0..record.len()).map(|column| self.name(record, column)).collect::<Result<_, _>>()?;
                    return Ok(Columns { names: Some(names), count: record.len(), start: mark + scanner.at() });
                }
                Scanned::End if from.complete() => {
                    // A file without anything has no rows, whatever their type.
                    return Ok(Columns { names: None, count: 0, start: mark + window.len() });
                }
                Scanned::TooLong { start } => return Err(self.too_long(from, start)),
                Scanned::End | Scanned::Short => from.fill()?,
            }
        }
    }

    fn name(&self, header: Record<'_>, column: usize) -> Result<String, Fault> {
        std::str::from_utf8(header.get(column).unwrap_or_default()).map(str::to_owned).map_err(|e| {
            let fault = Fault::new("the name of a column is not UTF-8").because(e).in_file(&self.path);
            fault.at_line(1).in_column((column + 1).to_string()).help("convert the file to UTF-8")
        })
    }

    #[cold]
    fn too_long(&self, body: &Body, start: usize) -> Fault {
        Fault::new("a record of more than 2 GiB: a quote is opened and never closed")
            .in_file(&self.path)
            .at_line(body.line(start))
            .help("close the quote, or double it if it is meant as a character")
    }

    /// Says what is wrong with a record, and where.
    #[cold]
    fn fault(&self, body: &Body, start: usize, record: Record<'_>, columns: &Columns, problem: Problem) -> Fault {
        let column = problem.column();
        let fault = problem.fault(column.and_then(|column| record.get(column))).in_file(&self.path);
        let within = column.map_or(0, |column| record.offset(column));
        let fault = fault.at_line(body.line(start + within));
        match column {
            Some(column) => fault.in_column(columns.name(column)),
            None => fault,
        }
    }

    #[cold]
    fn ragged(&self, body: &Body, start: usize, found: usize, expected: usize) -> Fault {
        let whose = if self.header { "the header" } else { "the first record" };
        let columns = if found == 1 { "1 column".to_owned() } else { format!("{found} columns") };
        let fault = Fault::new(format!("{columns} where {whose} has {expected}"));
        let fault = fault.in_file(&self.path).at_line(body.line(start));
        fault.help("quote a field that contains the separator, or write `on_error skip` at the source")
    }
}

/// Reads one record in order, and by name, and settles how the rest is read.
fn settle<'a, T: Deserialize<'a>>(record: Record<'a>, na: &'a [Vec<u8>], columns: &'a Columns, plan: &mut Plan) {
    plan.how = How::InOrder;
    plan.left_over = false;
    let read = T::deserialize(Row { record, na, columns, plan });
    plan.how = if read.is_ok() && !plan.left_over { How::InOrder } else { How::ByName };
}

/// Finds out without a record of the file whether the header fits the type: tries texts for each column until the type
/// takes them all. A type with fields that take none of the texts is seen at the first record.
fn check<R: RowType>(format: &Format, columns: &Columns, plan: &mut Plan) -> Result<(), Fault>
where
    for<'a> R::Row<'a>: Deserialize<'a>,
{
    const SAMPLES: [&str; 7] = ["0", "", "true", "a", "2000-01-01T00:00:00Z", "2000-01-01", "00:00:00"];
    let mut tried = vec![0usize; columns.count];
    let mut texts: Vec<&'static str> = vec![SAMPLES[0]; columns.count];
    for _ in 0..=columns.count * (SAMPLES.len() + 1) {
        let mut fields = Fields::default();
        let line = fields.put(&texts);
        let record = fields.of(&line);
        let row = Row { record, na: &[], columns, plan: &mut *plan };
        let problem = match <R::Row<'_> as Deserialize<'_>>::deserialize(row) {
            Ok(_) => {
                if plan.is_open() {
                    settle::<R::Row<'_>>(record, &[], columns, plan);
                }
                return Ok(());
            }
            Err(problem) => problem,
        };
        if let Some(fault) = columns.mismatch(problem.kind(), format.separator, &format.path) {
            return Err(fault);
        }
        let Some(column) = problem.column() else { return Ok(()) };
        let (Some(tried), Some(text)) = (tried.get_mut(column), texts.get_mut(column)) else { return Ok(()) };
        *tried += 1;
        *text = match (problem.kind(), SAMPLES.get(*tried)) {
            (Kind::Variant { names: [name, ..], .. }, _) if *text != *name => name,
            (_, Some(sample)) => sample,
            _ => return Ok(()),
        };
    }
    Ok(())
}

impl<R: RowType> Reader<R> for CsvReader
where
    for<'a> R::Row<'a>: Deserialize<'a>,
{
    fn open(&mut self, split: Split, from: Option<&[u8]>) -> Result<(), Fault> {
        let piece = Piece::decode(&split.detail)?;
        let mut body = Body::open(&self.format.path, piece, self.open.take())?;
        let columns = match self.columns.take() {
            Some(columns) => columns,
            None => {
                let columns = match body.whole_file() {
                    Some(mut whole) => self.format.columns(&mut whole)?,
                    None => self.format.columns(&mut body)?,
                };
                if columns.names.is_some() {
                    check::<R>(&self.format, &columns, &mut self.plan)?;
                }
                columns
            }
        };
        body.consume(columns.start.saturating_sub(body.position()));
        if let Some(from) = from {
            body.skip_to(&self.format.path, number(from)?)?;
        }
        self.columns = Some(columns);
        (self.last, self.done) = (0, 0);
        self.open = Some(body);
        Ok(())
    }

    fn poll<E: Emit<R>>(&mut self, budget: usize, out: &mut E) -> Result<Polled, Fault> {
        let CsvReader { format, open: Some(body), columns: Some(columns), plan, fields, last, done } = self else {
            return Ok(Polled::SplitDone);
        };
        body.check()?;
        let mut left = budget.max(1);
        loop {
            body.consume(std::mem::take(done));
            *last = 0;
            let window = body.window();
            let mut scanner = Scanner::new(window, format.separator, body.complete());
            loop {
                if left == 0 {
                    return Ok(Polled::More);
                }
                let start = match scanner.record(fields) {
                    Scanned::Record { start } => start,
                    Scanned::End if body.complete() => return Ok(Polled::SplitDone),
                    Scanned::End | Scanned::Short => break,
                    Scanned::TooLong { start } => return Err(format.too_long(body, start)),
                };
                *last = start;
                *done = scanner.at();
                left -= 1;
                let record = fields.of(window.get(start..*done).unwrap_or_default());
                if record.len() != columns.count {
                    out.bad(format.ragged(body, start, record.len(), columns.count))?;
                    continue;
                }
                let row = Row { record, na: &format.na, columns, plan: &mut *plan };
                match <R::Row<'_> as Deserialize<'_>>::deserialize(row) {
                    Ok(row) => {
                        out.row(row);
                        if plan.is_open() {
                            settle::<R::Row<'_>>(record, &format.na, columns, plan);
                        }
                    }
                    Err(problem) => {
                        if let Some(fault) = columns.mismatch(problem.kind(), format.separator, &format.path) {
                            return Err(fault);
                        }
                        out.bad(format.fault(body, start, record, columns, problem))?;
                    }
                }
            }
            body.fill()?;
        }
    }

    fn position(&self) -> Vec<u8> {
        let at = self.open.as_ref().map_or(0, |body| body.position() + self.done);
        (at as u64).to_le_bytes().to_vec()
    }

    fn place(&self) -> Place {
        let line = self.open.as_ref().map(|body| body.line(self.last));
        Place { file: Some(self.format.path.clone()), line, ..Place::default() }
    }

    fn bytes_read(&self) -> u64 {
        self.open.as_ref().map_or(0, Body::bytes_read)
    }
}
