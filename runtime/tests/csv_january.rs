//! Real data: the bundled month of departures, packed and unpacked, against the `csv` crate; the whole year where it is.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod source_kit;

use pelton::source::{RowType, csv, lines};
use serde::Deserialize;
use source_kit::{Folder, How, read};
use std::io::Read;
use std::path::{Path, PathBuf};

#[derive(Debug, Deserialize, PartialEq)]
struct Departure {
    origin: String,
    scheduled: String,
    departed: String,
    tailnum: Option<String>,
    flight: u16,
    dep_delay: Option<i32>,
    distance: u32,
}
impl RowType for Departure {
    type Row<'a> = Departure;
}
struct Lent;
impl RowType for Lent {
    type Row<'a> = (&'a str, &'a str, &'a str, u16);
}
struct Text;
impl RowType for Text {
    type Row<'a> = &'a str;
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// By the `csv` crate, which knows of no missing values but empty ones.
fn expected(text: &str) -> Vec<Departure> {
    let text: String = text.lines().map(|line| line.replace(",NA", ",") + "\n").collect();
    ::csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

fn all_ways(path: &Path, rows: usize) {
    let text = unpacked(path);
    let expected = expected(&text);
    assert_eq!(expected.len(), rows);
    let folder = Folder::new();
    let plain = folder.file("plain.csv", &text);
    for (path, readers, bytes) in [(path, 1, 1 << 20), (&plain, 1, 1 << 30), (&plain, 2, 1 << 20), (&plain, 3, 77_777)]
    {
        let how = How { readers, budget: 4096 };
        let got = read::<Departure, _, _>(|| csv(path).na("NA").split_bytes(bytes), how, |row| row).unwrap();
        assert!(got.bad.is_empty(), "{}", got.bad[0]);
        assert!(got.rows == expected, "{path:?} {readers} {bytes}");
    }
    let got = read::<Lent, _, _>(|| csv(&plain), How::default(), |row| row.3).unwrap();
    assert!(got.rows.iter().eq(expected.iter().map(|row| &row.flight)));
    let got = read::<Text, _, _>(|| lines(&plain), How { readers: 2, budget: 1000 }, str::len).unwrap();
    assert_eq!(got.rows.len(), rows + 1);
    assert_eq!(got.rows.iter().sum::<usize>() + rows + 1, text.len());
}

#[test]
fn the_bundled_month_is_read_alike_in_every_way() {
    all_ways(&repository().join("examples/data/departures-2013-01.csv.gz"), 26_820);
}

#[test]
fn the_whole_year_too_where_it_is() {
    let year = repository().join("../shared/data/flights/departures-2013.csv.gz");
    if year.exists() {
        all_ways(&year, 336_776);
    }
}
