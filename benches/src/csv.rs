//! Reading csv into parsed records, against the `csv` crate with the same struct in a plain loop; and what a second worker adds.
//!
//! `cargo run --profile bench -p pelton-benches --bin csv`, with the number of repetitions (7) and of million rows (2) as arguments.

mod measure;

use measure::{Run, Side, interleaved, report};
use pelton::prelude::*;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// A departure, as in the flight data of the examples.
#[derive(Record, Deserialize, Clone)]
struct Departure {
    year: u16,
    month: u8,
    day: u8,
    dep_time: Option<u16>,
    dep_delay: Option<i32>,
    carrier: String,
    flight: u32,
    tailnum: Option<String>,
    origin: String,
    dest: String,
    distance: f64,
}

/// What is counted of the records, on one worker; added to the others' when it ends.
struct Tally {
    count: u64,
    check: u64,
    into: Arc<[AtomicU64; 2]>,
}

impl Tally {
    fn add(&mut self, it: &Departure) {
        self.count += 1;
        let date = u64::from(it.year) + u64::from(it.month) + u64::from(it.day) + u64::from(it.dep_time.unwrap_or(0));
        let text = it.carrier.len() + it.tailnum.as_ref().map_or(0, String::len) + it.origin.len() + it.dest.len();
        let rest = u64::from(it.flight) + it.distance as u64 + i64::from(it.dep_delay.unwrap_or(0)).cast_unsigned();
        self.check = self.check.wrapping_add(date).wrapping_add(text as u64).wrapping_add(rest);
    }
}

impl Clone for Tally {
    fn clone(&self) -> Self {
        Tally { count: 0, check: 0, into: self.into.clone() }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.into[0].fetch_add(self.count, Ordering::Relaxed);
        self.into[1].fetch_add(self.check, Ordering::Relaxed);
    }
}

stream! {
    job Read<Memory> {
        param file: PathBuf;
        param tally: Tally;
        source all: Departure = csv(file);
        sink seen(all) = for_each({ let mut tally = tally; move |it: Departure| tally.add(&it) });
    }
}

fn timed(run: impl FnOnce(Tally)) -> Run {
    let into = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let begun = Instant::now();
    run(Tally { count: 0, check: 0, into: into.clone() });
    let time = begun.elapsed();
    Run { time, count: into[0].load(Ordering::Relaxed), check: into[1].load(Ordering::Relaxed) }
}

fn pelton(file: &Path, workers: usize) -> Run {
    timed(|tally| {
        let job = Read { file: file.to_owned(), tally };
        job.run(Config::default().workers(workers).progress(false)).expect("the job runs");
    })
}

fn plain_loop(file: &Path) -> Run {
    timed(|mut tally| {
        let mut reader = ::csv::Reader::from_path(file).expect("the file is there");
        for record in reader.deserialize::<Departure>() {
            tally.add(&record.expect("each record is a row"));
        }
    })
}

fn write(file: &Path, rows: u64) -> std::io::Result<()> {
    let mut to = BufWriter::new(File::create(file)?);
    writeln!(to, "year,month,day,dep_time,dep_delay,carrier,flight,tailnum,origin,dest,distance")?;
    let airports = ["JFK", "EWR", "LGA", "ATL", "ORD", "LAX", "SFO", "BOS"];
    let mut state = 7u64;
    for _ in 0..rows {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let r = state >> 20;
        let (month, day, time) = (r % 12 + 1, r % 28 + 1, r % 2400);
        let (carrier, flight, distance) = (["UA", "AA", "B6", "DL", "EV"][r as usize % 5], r % 7000, r % 4000);
        let (from, to_airport) = (airports[r as usize % 3], airports[r as usize % 8]);
        if r.is_multiple_of(50) {
            writeln!(to, "2013,{month},{day},,,{carrier},{flight},,{from},{to_airport},{distance}")?;
        } else {
            let delay = (r % 200) as i64 - 20;
            writeln!(
                to,
                "2013,{month},{day},{time},{delay},{carrier},{flight},N{:05},{from},{to_airport},{distance}",
                r % 99_999
            )?;
        }
    }
    to.flush()
}

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let reps = arguments.next().unwrap_or(7) as usize;
    let rows = arguments.next().unwrap_or(2) * 1_000_000;
    let file = std::env::temp_dir().join(format!("pelton-bench-{}.csv", std::process::id()));
    write(&file, rows)?;
    println!(
        "{} MB, {rows} records; million records/s, best and median, and the ratios of them",
        file.metadata()?.len() / 1_000_000
    );
    let mut sides = [Side::new("pelton", || pelton(&file, 1)), Side::new("csv crate", || plain_loop(&file))];
    let times = interleaved(&mut sides, reps);
    report("csv to records", 1, rows, &sides, &times);
    let mut sides = [Side::new("pelton", || pelton(&file, 2)), Side::new("pelton, 1 worker", || pelton(&file, 1))];
    let times = interleaved(&mut sides, reps);
    report("csv to records", 2, rows, &sides, &times);
    drop(sides);
    std::fs::remove_file(&file)
}
