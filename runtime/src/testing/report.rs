//! [`Report`]: what was checked of a connector, and what is wrong with it.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What came of checking a connector. Print it, or let a test end with [`assert`](Report::assert).
#[derive(Clone, Debug)]
#[must_use = "a report that nobody looks at checks nothing"]
pub struct Report {
    of: String,
    checks: Vec<Check>,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is called: `positions`.
    pub name: &'static str,
    /// What a connector has to keep, in a sentence.
    pub rule: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The connector keeps the rule.
    Kept,
    /// It does not: where it was seen.
    Broken(String),
    /// It was not looked at: why.
    Skipped(String),
}

impl Report {
    pub(super) fn new(of: String) -> Self {
        Report { of, checks: Vec::new() }
    }

    /// Runs one check. A panic in it is the connector's.
    pub(super) fn check(&mut self, name: &'static str, rule: &'static str, run: impl FnOnce() -> Result<(), String>) {
        let outcome = match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(())) => Outcome::Kept,
            Ok(Err(problem)) => Outcome::Broken(problem),
            Err(panic) => {
                let said = panic.downcast_ref::<&str>().copied().map(str::to_owned);
                let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                Outcome::Broken(format!("the connector panicked: {said}"))
            }
        };
        self.checks.push(Check { name, rule, outcome });
    }

    pub(super) fn skip(&mut self, name: &'static str, rule: &'static str, why: impl Into<String>) {
        self.checks.push(Check { name, rule, outcome: Outcome::Skipped(why.into()) });
    }

    /// All that was checked, in order.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Whether no rule was found broken.
    pub fn is_ok(&self) -> bool {
        self.broken().is_empty()
    }

    /// The names of the rules that were found broken.
    pub fn broken(&self) -> Vec<&'static str> {
        let broken = self.checks.iter().filter(|check| matches!(check.outcome, Outcome::Broken(_)));
        broken.map(|check| check.name).collect()
    }

    /// Passes if no rule was found broken.
    ///
    /// # Panics
    /// With the whole report if one was.
    #[track_caller]
    #[expect(clippy::panic, reason = "it is what a test ends with")]
    pub fn assert(&self) {
        if !self.is_ok() {
            panic!("{self}");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} checks, {} broken", self.of, self.checks.len(), self.broken().len())?;
        for Check { name, rule, outcome } in &self.checks {
            let (word, more) = match outcome {
                Outcome::Kept => ("kept", ""),
                Outcome::Broken(problem) => ("BROKEN", &**problem),
                Outcome::Skipped(why) => ("skipped", &**why),
            };
            writeln!(f, "  {word:<8}{name}: {rule}")?;
            for line in more.lines() {
                writeln!(f, "          {line}")?;
            }
        }
        Ok(())
    }
}

/// How many rows of a kind a message names.
const NAMED: usize = 5;

/// The same rows, in any order; or which are missing and which are too many.
pub(super) fn same_rows(found: &[String], expected: &[String]) -> Result<(), String> {
    let mut left: BTreeMap<&String, i64> = BTreeMap::new();
    expected.iter().for_each(|row| *left.entry(row).or_default() += 1);
    found.iter().for_each(|row| *left.entry(row).or_default() -= 1);
    let missing: Vec<String> = left.iter().filter(|(_, n)| **n > 0).map(|(row, n)| times(row, *n)).collect();
    let doubled: Vec<String> =
        left.iter().filter(|(row, n)| **n < 0 && expected.contains(row)).map(|(row, n)| times(row, -n)).collect();
    let foreign: Vec<String> =
        left.iter().filter(|(row, n)| **n < 0 && !expected.contains(row)).map(|(row, n)| times(row, -n)).collect();
    let told = [("missing", missing), ("too often", doubled), ("unexpected", foreign)];
    let told: Vec<String> = told
        .iter()
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(what, rows)| format!("{what}: {}", some(rows)))
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    Err(format!("{} rows instead of {}\n{}", found.len(), expected.len(), told.join("\n")))
}

/// The same rows in the same order; or the first place where they differ.
pub(super) fn same_order(found: &[String], expected: &[String]) -> Result<(), String> {
    same_rows(found, expected)?;
    match found.iter().zip(expected).position(|(found, expected)| found != expected) {
        None => Ok(()),
        Some(at) => {
            let row = |rows: &[String]| rows.get(at).cloned().unwrap_or_default();
            Err(format!("row {} is {} instead of {}: the order differs", at + 1, row(found), row(expected)))
        }
    }
}

fn times(row: &str, n: i64) -> String {
    if n == 1 { row.to_owned() } else { format!("{row} ({n} times)") }
}

fn some(rows: &[String]) -> String {
    let named: Vec<&str> = rows.iter().take(NAMED).map(String::as_str).collect();
    match rows.len().checked_sub(NAMED) {
        None | Some(0) => named.join(", "),
        Some(more) => format!("{} and {more} more", named.join(", ")),
    }
}

/// Asks for something with bytes that the connector has not made. It may refuse or take them; a panic is caught by
/// whoever runs the check.
pub(super) fn foreign_bytes() -> [Vec<u8>; 5] {
    [Vec::new(), vec![0], vec![0xff; 8], vec![0xff; 33], (0..=255).collect()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn what_differs_is_named() {
        assert_eq!(same_rows(&rows("a b b"), &rows("b a b")), Ok(()));
        let told = same_rows(&rows("a c c x"), &rows("a b c")).unwrap_err();
        assert_eq!(told, "4 rows instead of 3\nmissing: b\ntoo often: c\nunexpected: x");
        let told = same_order(&rows("a c b"), &rows("a b c")).unwrap_err();
        assert_eq!(told, "row 2 is c instead of b: the order differs");
        let told = same_rows(&[], &rows("1 2 3 4 5 6 7")).unwrap_err();
        assert_eq!(told, "0 rows instead of 7\nmissing: 1, 2, 3, 4, 5 and 2 more");
    }

    #[test]
    fn a_report_says_what_is_broken_and_where() {
        let mut report = Report::new("source x".to_owned());
        report.check("a", "this is so", || Ok(()));
        report.check("b", "and this", || Err("here\nand here".to_owned()));
        report.skip("c", "and that", "it has none");
        assert_eq!((report.is_ok(), report.broken()), (false, vec!["b"]));
        let expected = "source x: 3 checks, 1 broken\n  kept    a: this is so\n  BROKEN  b: and this\n          here\n          \
                        and here\n  skipped c: and that\n          it has none\n";
        assert_eq!(report.to_string(), expected);
    }
}
