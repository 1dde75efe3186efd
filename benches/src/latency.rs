//! How long a record is under way through one exchange, at a low rate.
//!
//! A record is on its way from the moment the iterator gives it until the chain behind the exchange has it. The first
//! second is not counted. The exchange is by a key that is another one for each record, so with two workers half of them
//! change hands.

use pelton::prelude::*;
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
            .aggregate(max(|r| r.1), emit each, unbounded("as many keys as are measured"))
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

/// Records per second.
const RATE: u64 = 10_000;

/// Runs at [`RATE`] for so many seconds and prints the distribution in microseconds.
pub fn report(workers: usize, seconds: u64) {
    let taken = Taken::default();
    let job = Latency { begun: Instant::now(), rate: RATE, records: RATE * (seconds + 1), taken: taken.clone() };
    if let Err(error) = job.run(Config::default().workers(workers)) {
        panic!("the job failed: {error}");
    }
    let mut taken = taken.lock().map(|mut taken| std::mem::take(&mut *taken)).unwrap_or_default();
    taken.sort();
    assert!(!taken.is_empty(), "no record came through");
    let at = |part: f64| taken[((taken.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e6;
    println!(
        "latency, {RATE} records/s {workers} worker{} p50 {:.0} us, p90 {:.0}, p99 {:.0}, p99.9 {:.0}, greatest {:.0}",
        if workers == 1 { " " } else { "s" },
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}
