//! A job of flows of another crate, as a user runs it: the board is that of `delay_board`, and the records are found in it.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod kit;

use kit::{Folder, bundled, run, said, same_rows, unpacked};
use std::collections::BTreeMap;

/// The records of a board: of each airport, the hours whose greatest delay is greater than all before.
fn records(board: &str) -> String {
    let mut hours: Vec<Vec<&str>> = board.lines().skip(1).map(|line| line.split(',').collect()).collect();
    hours.sort_by_key(|cells| cells[1]);
    let mut best: BTreeMap<&str, i32> = BTreeMap::new();
    let mut found = "origin,window_start,delay\n".to_owned();
    for cells in hours {
        let Ok(delay) = cells[5].parse::<i32>() else { continue };
        if best.get(cells[0]).is_none_or(|best| delay > *best) {
            best.insert(cells[0], delay);
            found += &format!("{},{},{delay}\n", cells[0], cells[1]);
        }
    }
    found
}

#[test]
fn the_board_and_its_records() {
    let folder = Folder::new();
    let expected = unpacked(&bundled("expected/delay_board.csv.gz"));
    let worst = records(&expected);
    assert!(worst.lines().count() > 20, "{worst}");
    for workers in ["1", "2", "3"] {
        let out = folder.path().join("board.csv");
        let table = said(run("flows", ["run", "--out", out.to_str().unwrap(), "--workers", workers, "--quiet"]));
        same_rows(&std::fs::read_to_string(&out).unwrap(), &expected, &format!("the board at {workers} workers"));
        let cells = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(",");
        let table: String = table.lines().map(|line| cells(line) + "\n").collect();
        same_rows(&table, &worst, &format!("the records at {workers} workers"));
        std::fs::remove_file(&out).unwrap();
    }
}

#[test]
fn the_plan_shows_what_is_inside_of_the_flows() {
    let plan = said(run("flows", ["plan"]));
    for line in ["hours/windows  window tumbling", "worst/records", "flow board", "flow records", "hours/rows"] {
        assert!(plan.contains(line), "no `{line}` in\n{plan}");
    }
}
