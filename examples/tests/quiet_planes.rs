//! Quiet planes as a user runs it, against a plain loop over the same file.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod kit;

use kit::{Folder, january, run, said, same_rows, unpacked};
use pelton::{TimeSpan, Timestamp};
use std::collections::BTreeMap;

/// A departure of a plane: when, from where, how late.
type Departure = (Timestamp, String, Option<i32>);

/// The departures of each plane, in order of their scheduled time.
fn planes(csv: &str) -> BTreeMap<String, Vec<Departure>> {
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|it| *it == name).unwrap();
    let (at, tail, from, delay) = (column("scheduled"), column("tailnum"), column("origin"), column("dep_delay"));
    let mut planes = BTreeMap::<String, Vec<Departure>>::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        if cells[tail] != "NA" {
            let departure = (cells[at].parse().unwrap(), cells[from].to_owned(), cells[delay].parse().ok());
            planes.entry(cells[tail].to_owned()).or_default().push(departure);
        }
    }
    planes.values_mut().for_each(|departures| departures.sort_by_key(|departure| departure.0));
    planes
}

fn late_twice(planes: &BTreeMap<String, Vec<Departure>>, least: i32) -> Vec<String> {
    let mut rows = Vec::new();
    for (plane, departures) in planes {
        let mut first: Option<(&Departure, i32)> = None;
        for second in departures {
            let Some(minutes) = second.2.filter(|minutes| *minutes >= least) else { continue };
            if let Some((first, before)) = first
                && second.0 - first.0 < TimeSpan::from_hours(24)
            {
                rows.push(format!("{plane},{},{},{before},{},{},{minutes}", first.0, first.1, second.0, second.1));
            }
            first = Some((second, minutes));
        }
    }
    rows
}

fn came_back(planes: &BTreeMap<String, Vec<Departure>>, quiet: TimeSpan) -> Vec<String> {
    let mut rows = Vec::new();
    for (plane, departures) in planes {
        for two in departures.windows(2) {
            let gap = two[1].0 - two[0].0;
            if gap >= quiet {
                let days = gap.micros() / TimeSpan::from_hours(24).micros();
                rows.push(format!("{plane},{},{},{days}", two[0].0, two[1].0));
            }
        }
    }
    rows
}

fn table(header: &str, rows: &[String]) -> String {
    let lines = std::iter::once(header).chain(rows.iter().map(String::as_str));
    lines.map(|line| line.to_owned() + "\n").collect()
}

const TWICE: &str = "plane,first,first_from,first_minutes,second,second_from,second_minutes";
const BACK: &str = "plane,last_seen,back,days";

#[test]
fn the_bare_program_prints_the_planes_that_were_late_twice() {
    let planes = planes(&unpacked(&january()));
    let expected = late_twice(&planes, 240);
    assert!(!expected.is_empty());
    let found = said(run("quiet_planes", [""; 0]));
    let found: String =
        found.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(",") + "\n").collect();
    same_rows(&found, &table(TWICE, &expected), "the table on the terminal");
}

#[test]
fn a_file_of_planes_that_came_back_is_the_right_one() {
    let planes = planes(&unpacked(&january()));
    let folder = Folder::new();
    for (quiet, span) in [("14d", TimeSpan::from_days(14)), ("36h", TimeSpan::from_hours(36))] {
        let (late, back) = (late_twice(&planes, 60), came_back(&planes, span));
        assert!(late.len() > 100 && back.len() > 100, "{} and {}", late.len(), back.len());
        for workers in ["1", "2", "3"] {
            let out = folder.path().join("back.csv");
            let args = ["run", "--back", out.to_str().unwrap(), "--quiet-after", quiet, "--least", "60"];
            let terminal = said(run("quiet_planes", args.into_iter().chain(["--workers", workers, "--quiet"])));
            let cells = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(",") + "\n";
            let terminal: String = terminal.lines().map(cells).collect();
            same_rows(&terminal, &table(TWICE, &late), &format!("late twice, {workers} workers"));
            let found = std::fs::read_to_string(&out).unwrap();
            same_rows(&found, &table(BACK, &back), &format!("back after {quiet}, {workers} workers"));
        }
    }
}
