//! [`Summary`]: what a run did, in numbers, and as the table that the binary prints at its end. Filled by the engine;
//! nothing is counted here.

use std::fmt;
use std::time::Duration;

use crate::json::Json;
use crate::plan::units::{grouped, seconds, short};

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The job's name.
    pub job: String,
    /// On how many workers.
    pub workers: usize,
    /// From the start to the last commit.
    pub elapsed: Duration,
    /// Records that sources have read.
    pub records_in: u64,
    /// Records that sinks have taken.
    pub records_out: u64,
    /// Records that came after their window had closed.
    pub late: u64,
    /// Records that could not be read and were skipped (`on_error skip`).
    pub skipped: u64,
    /// The operators, chain by chain, summed over the workers.
    pub operators: Vec<OperatorSummary>,
    /// Whether somebody has stopped it with a savepoint, before its inputs had ended: the next run goes on from there.
    pub stopped: bool,
}

/// What an operator did, on all workers together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorSummary {
    /// The index of its chain in the plan.
    pub chain: usize,
    /// The stream it makes, or the source's or sink's name; empty for an operator inside a chain.
    pub name: String,
    /// What it is: `filter`, `window tumbling 1h`, ..
    pub what: String,
    /// Rows that came to it.
    pub rows_in: u64,
    /// Rows that left it.
    pub rows_out: u64,
}

impl Summary {
    /// The same numbers for programs, on one line: an object with `job`, `workers`, `elapsed_ms`, `records_in`, `records_out`, `late`,
    /// `skipped`, `stopped`, and `operators` with `chain` (counted from 0, as in the plan's JSON), `name`, `what`, `rows_in`, `rows_out`.
    pub fn to_json(&self) -> String {
        Json::Object(self.members().into_iter().map(|(name, value)| (name.to_owned(), value)).collect()).to_string()
    }

    /// What is in [`to_json`](Summary::to_json).
    pub(crate) fn members(&self) -> Vec<(&'static str, Json)> {
        let operators = self.operators.iter().map(|o| {
            let members = [
                ("chain", Json::number(o.chain)),
                ("name", Json::text(&o.name)),
                ("what", Json::text(&o.what)),
                ("rows_in", Json::number(o.rows_in)),
                ("rows_out", Json::number(o.rows_out)),
            ];
            Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        });
        vec![
            ("job", Json::text(&self.job)),
            ("workers", Json::number(self.workers)),
            ("elapsed_ms", Json::number(self.elapsed.as_millis())),
            ("records_in", Json::number(self.records_in)),
            ("records_out", Json::number(self.records_out)),
            ("late", Json::number(self.late)),
            ("skipped", Json::number(self.skipped)),
            ("stopped", Json::Bool(self.stopped)),
            ("operators", Json::List(operators.collect())),
        ]
    }

    /// `803 k/s`; empty where a rate would mean nothing.
    fn rate(&self, rows: u64) -> String {
        if rows == 0 || self.elapsed.is_zero() {
            return String::new();
        }
        format!("{}/s", short(rows as f64 / self.elapsed.as_secs_f64()))
    }
}

/// The table for people; chains have the numbers that the plan shows, which begin at 1.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workers = if self.workers == 1 { "worker" } else { "workers" };
        let ended = if self.stopped { "stopped with a savepoint after" } else { "finished in" };
        writeln!(f, "{} {ended} {} on {} {workers}", self.job, seconds(self.elapsed), self.workers)?;
        writeln!(f)?;
        let totals = [
            ("records in", self.records_in, true),
            ("records out", self.records_out, true),
            ("late", self.late, false),
            ("skipped", self.skipped, false),
        ];
        let rows = totals.map(|(what, n, has_rate)| {
            [what.to_owned(), grouped(n), if has_rate { self.rate(n) } else { String::new() }]
        });
        table(f, &rows, [Side::Left, Side::Right, Side::Right])?;
        if self.operators.is_empty() {
            return Ok(());
        }
        writeln!(f)?;
        let mut rows = vec![["chain", "operator", "", "rows in", "rows out", "rate in"].map(str::to_owned)];
        let mut chain = None;
        for o in &self.operators {
            let number = if chain == Some(o.chain) { String::new() } else { (o.chain + 1).to_string() };
            chain = Some(o.chain);
            let rate = self.rate(o.rows_in);
            rows.push([number, o.name.clone(), o.what.clone(), grouped(o.rows_in), grouped(o.rows_out), rate]);
        }
        table(f, &rows, [Side::Right, Side::Left, Side::Left, Side::Right, Side::Right, Side::Right])
    }
}

/// At which side of its column a text stands.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// Columns as wide as their longest text, two spaces apart and in front.
fn table<const N: usize>(f: &mut fmt::Formatter<'_>, rows: &[[String; N]], sides: [Side; N]) -> fmt::Result {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in rows {
        let mut line = String::new();
        for ((cell, width), side) in row.iter().zip(widths).zip(sides) {
            line += &match side {
                Side::Left => format!("  {cell:<width$}"),
                Side::Right => format!("  {cell:>width$}"),
            };
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operator(chain: usize, name: &str, what: &str, rows_in: u64, rows_out: u64) -> OperatorSummary {
        OperatorSummary { chain, name: name.to_owned(), what: what.to_owned(), rows_in, rows_out }
    }

    #[test]
    fn one_look() {
        let summary = Summary {
            job: "DelayBoard".to_owned(),
            workers: 2,
            elapsed: Duration::from_millis(420),
            records_in: 336_776,
            records_out: 19_486,
            late: 16_303,
            skipped: 0,
            stopped: false,
            operators: vec![
                operator(0, "flights", "csv departures-2013.csv", 336_776, 336_776),
                operator(0, "delayed", "filter", 336_776, 120_000),
                operator(1, "hourly", "window tumbling 1h", 120_000, 19_486),
                operator(1, "board", "stdout", 19_486, 19_486),
            ],
        };
        let expected = "\
DelayBoard finished in 0.42 s on 2 workers

  records in   336,776   802 k/s
  records out   19,486  46.4 k/s
  late          16,303
  skipped            0

  chain  operator                           rows in  rows out   rate in
      1  flights   csv departures-2013.csv  336,776   336,776   802 k/s
         delayed   filter                   336,776   120,000   802 k/s
      2  hourly    window tumbling 1h       120,000    19,486   286 k/s
         board     stdout                    19,486    19,486  46.4 k/s
";
        assert_eq!(summary.to_string(), expected);
        let json: serde_json::Value = serde_json::from_str(&summary.to_json()).unwrap();
        assert_eq!(
            (&json["job"], &json["workers"], &json["elapsed_ms"], &json["records_in"], &json["records_out"]),
            (&"DelayBoard".into(), &2.into(), &420.into(), &336_776.into(), &19_486.into())
        );
        assert_eq!((&json["late"], &json["skipped"], &json["stopped"]), (&16_303.into(), &0.into(), &false.into()));
        let operators = json["operators"].as_array().unwrap();
        assert_eq!(operators.len(), 4);
        let window = serde_json::json!({ "chain": 1, "name": "hourly", "what": "window tumbling 1h", "rows_in": 120_000, "rows_out": 19_486 });
        assert_eq!(operators[2], window);
    }

    #[test]
    fn a_run_over_nothing_has_no_rates() {
        let summary = Summary { job: "Copy".to_owned(), workers: 1, ..Summary::default() };
        let expected = "\
Copy finished in 0 s on 1 worker

  records in   0
  records out  0
  late         0
  skipped      0
";
        assert_eq!(summary.to_string(), expected);
    }
}
