//! [`CsvForm`]: how the records of a csv file become rows, on one worker.

use super::columns::{Columns, How, Plan};
use super::problem::{Kind, Problem};
use super::row::Row;
use super::scan::{Fields, Record, Scanned, Scanner};
use crate::error::Fault;
use crate::source::body::{BOM, Body};
use crate::source::reader::{Cursor, FileReader, Form};
use crate::source::text::without_end;
use crate::source::{Emit, RowType};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// How a file is written.
#[derive(Clone, Debug)]
pub(super) struct Format {
    pub(super) separator: u8,
    pub(super) na: Vec<Vec<u8>>,
    pub(super) header: bool,
}

/// Reads csv on one worker.
pub type CsvReader = FileReader<CsvForm>;

/// A record is what csv says it is, and its row what serde makes of it.
pub struct CsvForm {
    format: Format,
    /// Of the file that was opened last.
    columns: Option<(PathBuf, Columns)>,
    plan: Plan,
    fields: Fields,
}

impl CsvForm {
    pub(super) fn new(format: Format) -> Self {
        CsvForm { format, columns: None, plan: Plan::default(), fields: Fields::default() }
    }
}

impl Format {
    /// Reads the header, or counts the columns of the first record; `None` if they have not come yet. `from` begins where the file does.
    fn columns(&self, path: &Path, from: &mut Body) -> Result<Option<Columns>, Fault> {
        let mut fields = Fields::default();
        if !from.fill()? && from.window().is_empty() {
            return Ok(None);
        }
        let mark = if from.window().starts_with(BOM) { BOM.len() } else { 0 };
        loop {
            let window = from.window().get(mark..).unwrap_or_default();
            let mut scanner = Scanner::new(window, self.separator, from.complete());
            match scanner.record(&mut fields) {
                Scanned::Record { start } => {
                    let record = fields.of(window.get(start..).unwrap_or_default());
                    if !self.header {
                        return Ok(Some(Columns { names: None, count: record.len(), start: mark }));
                    }
                    let names =
                        (0..record.len()).map(|column| self.name(path, record, column)).collect::<Result<_, _>>()?;
                    return Ok(Some(Columns { names: Some(names), count: record.len(), start: mark + scanner.at() }));
                }
                Scanned::End if from.complete() => {
                    // A file without anything has no rows, whatever their type.
                    return Ok(Some(Columns { names: None, count: 0, start: mark + window.len() }));
                }
                Scanned::TooLong { start } => return Err(too_long(path, from, start)),
                Scanned::End | Scanned::Short if !from.fill()? => return Ok(None),
                Scanned::End | Scanned::Short => {}
            }
        }
    }

    fn name(&self, path: &Path, header: Record<'_>, column: usize) -> Result<String, Fault> {
        std::str::from_utf8(header.get(column).unwrap_or_default()).map(str::to_owned).map_err(|e| {
            let fault = Fault::new("the name of a column is not UTF-8").because(e).in_file(path);
            fault.at_line(1).in_column((column + 1).to_string()).help("convert the file to UTF-8")
        })
    }

    #[cold]
    fn ragged(&self, path: &Path, body: &Body, start: usize, found: usize, expected: usize) -> Fault {
        let whose = if self.header { "the header" } else { "the first record" };
        let columns = if found == 1 { "1 column".to_owned() } else { format!("{found} columns") };
        let fault = Fault::new(format!("{columns} where {whose} has {expected}"));
        let fault = fault.in_file(path).at_line(body.line(start));
        fault.help("quote a field that contains the separator, or write `on_error skip` at the source")
    }
}

#[cold]
fn too_long(path: &Path, body: &Body, start: usize) -> Fault {
    Fault::new("a record of more than 2 GiB: a quote is opened and never closed")
        .in_file(path)
        .at_line(body.line(start))
        .help("close the quote, or double it if it is meant as a character")
}

/// Says what is wrong with a record, and where.
#[cold]
fn no_row(path: &Path, body: &Body, start: usize, record: Record<'_>, columns: &Columns, problem: Problem) -> Fault {
    let column = problem.column();
    let fault = problem.fault(column.and_then(|column| record.get(column))).in_file(path);
    let within = column.map_or(0, |column| record.offset(column));
    let fault = fault.at_line(body.line(start + within));
    match column {
        Some(column) => fault.in_column(columns.name(column)),
        None => fault,
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
fn check<R: RowType>(path: &Path, separator: u8, columns: &Columns, plan: &mut Plan) -> Result<(), Fault>
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
        if let Some(fault) = columns.mismatch(problem.kind(), separator, path) {
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

impl<R: RowType> Form<R> for CsvForm
where
    for<'a> R::Row<'a>: Deserialize<'a>,
{
    fn begin(&mut self, path: &Path, body: &mut Body) -> Result<bool, Fault> {
        let columns = match self.columns.take() {
            Some((of, columns)) if of == path => columns,
            before => {
                let found = match body.whole_file() {
                    Some(mut whole) => self.format.columns(path, &mut whole)?,
                    None => self.format.columns(path, body)?,
                };
                let Some(columns) = found else { return Ok(false) };
                if before.is_none_or(|(_, before)| before.names != columns.names || before.count != columns.count) {
                    self.plan = Plan::default();
                    if columns.names.is_some() {
                        check::<R>(path, self.format.separator, &columns, &mut self.plan)?;
                    }
                }
                columns
            }
        };
        body.consume(columns.start.saturating_sub(body.position()));
        self.columns = Some((path.to_owned(), columns));
        Ok(true)
    }

    fn needs_start(&self) -> bool {
        self.format.header
    }

    fn read<E: Emit<R>>(
        &mut self,
        path: &Path,
        body: &Body,
        cursor: &mut Cursor,
        left: &mut usize,
        out: &mut E,
    ) -> Result<(), Fault> {
        let CsvForm { format, columns: Some((_, columns)), plan, fields } = self else { return Ok(()) };
        let window = body.window();
        let mut scanner = Scanner::new(window, format.separator, body.complete());
        while *left > 0 {
            let start = match scanner.record(fields) {
                Scanned::Record { start } => start,
                Scanned::End | Scanned::Short => return Ok(()),
                Scanned::TooLong { start } => return Err(too_long(path, body, start)),
            };
            (cursor.last, cursor.done) = (start, scanner.at());
            *left -= 1;
            let text = window.get(start..cursor.done).unwrap_or_default();
            let record = fields.of(text);
            if record.len() != columns.count {
                let fault = format.ragged(path, body, start, record.len(), columns.count);
                out.bad(without_end(text), fault)?;
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
                    if let Some(fault) = columns.mismatch(problem.kind(), format.separator, path) {
                        return Err(fault);
                    }
                    out.bad(without_end(text), no_row(path, body, start, record, columns, problem))?;
                }
            }
        }
        Ok(())
    }
}
