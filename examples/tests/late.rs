//! Which rows are late is a property of the input: with one worker it depends neither on frames nor on splits.
//!
//! The right numbers come from `expected/oracle.py`. With a bound of one hour 16,303 of the year's 336,776 rows come
//! after their hour has closed under the rows before them; judged once per 64 rows it would be 9,487.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod kit;

use kit::{Folder, bundled, january, unpacked, whole_year};
use pelton::prelude::*;
use std::path::Path;

#[derive(Record, Deserialize, Clone)]
struct Departure {
    origin: String,
    scheduled: Timestamp,
}

stream! {
    /// What is late is kept.
    job Kept<Memory> {
        param departures: PathBuf;
        param split_bytes: usize;

        source flights: Departure = csv(departures).split_bytes(split_bytes),
            event_time |d| d.scheduled, late_by 1h, ordered_splits, on_error fail;
        let hourly = flights.key_by(|d| d.origin).window(tumbling 1h).aggregate(count());
        let counts: u64 = hourly.map(|h| h.value);
        let late: Departure = hourly.late;
        sink in_time(counts) = collect();
        sink too_late(late) = collect();
    }

    /// What is late is dropped, so rows are combined in front of the exchange.
    job Dropped<Memory> {
        param departures: PathBuf;
        param split_bytes: usize;

        source flights: Departure = csv(departures).split_bytes(split_bytes),
            event_time |d| d.scheduled, late_by 1h, ordered_splits, on_error fail;
        let hourly = flights.key_by(|d| d.origin).window(tumbling 1h).aggregate(count());
        let counts: u64 = hourly.map(|h| h.value);
        sink in_time(counts) = collect();
        drop hourly.late;
    }
}

/// From the packed file, and from the plain one in one split and in many.
fn exactly(departures: &Path, rows: u64, late: u64) {
    let folder = Folder::new();
    let text = unpacked(departures);
    let plain = folder.file("departures.csv", &text);
    for frame_rows in [1, 7, 64, 4096] {
        for (path, split_bytes) in [(departures, text.len()), (&plain, text.len()), (&plain, 100_003)] {
            let what = format!("{} in splits of {split_bytes} bytes, {frame_rows} rows a frame", path.display());
            let config = Config::default().workers(1).frame_rows(frame_rows);
            let kept = Kept { departures: path.to_owned(), split_bytes }.run(config.clone()).unwrap();
            assert_eq!(kept.too_late.len() as u64, late, "kept, {what}");
            assert_eq!(kept.summary.late, late, "kept, {what}");
            assert_eq!(kept.in_time.iter().sum::<u64>(), rows - late, "kept, {what}");
            let dropped = Dropped { departures: path.to_owned(), split_bytes }.run(config).unwrap();
            assert_eq!(dropped.summary.late, late, "dropped, {what}");
            assert_eq!(dropped.in_time.iter().sum::<u64>(), rows - late, "dropped, {what}");
        }
    }
}

#[test]
fn january_has_exactly_its_late_rows() {
    let late = std::fs::read_to_string(bundled("expected/late.txt")).unwrap().trim().parse().unwrap();
    exactly(&january(), 26_820, late);
}

#[test]
fn the_whole_year_too_where_it_is() {
    if let Some(year) = whole_year("departures-2013.csv.gz") {
        exactly(&year, 336_776, 16_303);
    }
}
