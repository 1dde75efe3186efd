//! How long a record is under way through one exchange, at a low rate.
//!
//! `latency [--workers N] [--rate RECORDS_PER_SECOND] [--seconds S]`; 2 workers, 10,000 records a second, 5 seconds by default.
//! A record is on its way from the moment the iterator gives it until the chain behind the exchange has it. The first
//! second is not counted. The exchange is by a key that is another one for each record, so half of them change workers.

use pelton::prelude::*;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Times under way.
type Taken = Arc<Mutex<Vec<Duration>>>;

stream! {
    job Latency<Memory> {
        param begun: Instant;
        param rate: u64;
        param records: u64;
        param taken: Taken;

        source all: (u64, u64) = iter(move || Paced { begun, rate, records, next: 0 });
        let counted = all
            .key_by(|r| r.0)
            .aggregate(max(|r| r.1), emit each)
            .inspect(|(number, sent)| if *number >= rate {
                let now = begun.elapsed();
                if let Ok(mut taken) = taken.lock() { taken.push(now.saturating_sub(Duration::from_nanos(*sent))) }
            })
            .filter(|_| false);
        let none: (u64, u64) = counted;
        sink out(none) = collect();
    }
}

/// Gives a record whenever one is due: its number, and the time in ns.
struct Paced {
    begun: Instant,
    rate: u64,
    records: u64,
    next: u64,
}

impl Iterator for Paced {
    type Item = (u64, u64);
    fn next(&mut self) -> Option<(u64, u64)> {
        if self.next >= self.records {
            return None;
        }
        let due = Duration::from_nanos(self.next * 1_000_000_000 / self.rate);
        let now = self.begun.elapsed();
        if due > now {
            std::thread::sleep(due - now);
        }
        self.next += 1;
        Some((self.next - 1, self.begun.elapsed().as_nanos() as u64))
    }
}

fn main() -> ExitCode {
    let (mut workers, mut rate, mut seconds) = (2, 10_000, 5);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args.next().and_then(|value| value.parse::<u64>().ok()).filter(|value| *value > 0);
        match (arg.as_str(), value) {
            ("--workers", Some(n)) => workers = n as usize,
            ("--rate", Some(n)) => rate = n,
            ("--seconds", Some(n)) => seconds = n,
            _ => {
                eprintln!("error: latency [--workers N] [--rate RECORDS_PER_SECOND] [--seconds S]");
                return ExitCode::from(2);
            }
        }
    }
    let taken = Taken::default();
    let job = Latency { begun: Instant::now(), rate, records: rate * (seconds + 1), taken: taken.clone() };
    if let Err(error) = job.run(Config::default().workers(workers)) {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    let Ok(mut taken) = taken.lock() else { return ExitCode::FAILURE };
    taken.sort();
    let Some(last) = taken.len().checked_sub(1) else { return ExitCode::FAILURE };
    let at = |part: f64| taken[((last as f64) * part) as usize].as_secs_f64() * 1e6;
    println!("{} records at {rate}/s, {workers} workers, microseconds from record in to record out:", taken.len());
    println!(
        "p50 {:.0}  p90 {:.0}  p99 {:.0}  p99.9 {:.0}  greatest {:.0}",
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(1.0)
    );
    ExitCode::SUCCESS
}
