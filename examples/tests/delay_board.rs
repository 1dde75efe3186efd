//! The delay board as a user runs it: with no flag, and with all of them, from packed and plain files.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod kit;

use kit::{Folder, bundled, january, run, said, same_rows, unpacked, whole_year};
use std::path::Path;

#[test]
fn the_bare_program_prints_january() {
    let board = said(run("delay_board", [""; 0]));
    let mut lines = board.lines();
    let header = lines.next().unwrap();
    assert_eq!(header, "origin  window_start          departed  cancelled  delay_sum  delay_max");
    assert!(lines.all(|line| line.len() <= header.len()), "a line is wider than the board");
    // Only the last two cells are ever empty, so a line is its cells.
    let cells = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(",");
    let found: String = board.lines().map(|line| cells(line) + "\n").collect();
    let expected = unpacked(&bundled("expected/delay_board.csv.gz"));
    let expected: String = expected.lines().map(|line| line.trim_end_matches(',').to_owned() + "\n").collect();
    same_rows(&found, &expected, "the board on the terminal");
}

/// At one, two and three workers, from the packed and from the plain file.
fn equals(departures: &Path, expected: &Path) {
    let folder = Folder::new();
    let expected = unpacked(expected);
    let plain = folder.file("departures.csv", unpacked(departures));
    for departures in [departures, &plain] {
        for workers in ["1", "2", "3"] {
            let out = folder.path().join("board.csv");
            let args = ["run", "--departures", departures.to_str().unwrap(), "--out", out.to_str().unwrap()];
            said(run("delay_board", args.into_iter().chain(["--workers", workers, "--quiet"])));
            let what = format!("{} at {workers} workers", departures.display());
            same_rows(&std::fs::read_to_string(&out).unwrap(), &expected, &what);
            std::fs::remove_file(&out).unwrap();
            assert_eq!(folder.names(), ["departures.csv"], "something was left behind");
        }
    }
}

#[test]
fn a_file_of_january_is_the_right_one() {
    equals(&january(), &bundled("expected/delay_board.csv.gz"));
}

#[test]
fn the_whole_year_too_where_it_is() {
    if let Some(year) = whole_year("departures-2013.csv.gz")
        && let Some(expected) = whole_year("expected/hourly_delays.csv.gz")
    {
        equals(&year, &expected);
    }
}

#[test]
fn the_summary_says_what_was_done() {
    let output = run("delay_board", ["--workers", "2"]);
    let summary = String::from_utf8(output.stderr.clone()).unwrap();
    said(output);
    for expected in ["DelayBoard finished in", "on 2 workers", "records in   26,820", "late              0", "hourly"] {
        assert!(summary.contains(expected), "no `{expected}` in {summary}");
    }
}

#[test]
fn help_explains_every_param_and_the_plan_shows_every_stream() {
    let help = said(run("delay_board", ["--help"]));
    for expected in ["--departures", "plain or packed", "--out", "[optional]", "--workers", "plan"] {
        assert!(help.contains(expected), "no `{expected}` in {help}");
    }
    let plan = said(run("delay_board", ["plan", "--workers", "3"]));
    for expected in ["flights", "key_by", "hourly", "window tumbling 1h", "board", "terminal", "file"] {
        assert!(plan.contains(expected), "no `{expected}` in {plan}");
    }
}
