//! Ratios of Pelton to the hand-written loop, both in this process, run in turns.
//!
//! `ratios [w1] [w2] [w3] [w4] [w4combined] [exchange] [latency] [flows] [--reps N] [--workers 1|2]`: without a workload all of
//! them; without `--workers` at one and at two (`exchange` is the exchange alone, at two). The table has million events per second, best and median, and the ratio of the times.
//! `flows` holds flows of another crate against the same operators written in the job: both sides are Pelton.
//! What is timed is the whole of `run`: threads, graph, end of input and commit. The text of W4 is made once, in
//! `target/` or in `$PELTON_BENCH_DATA`.

mod checksum;
mod data;
mod flows;
mod hand;
mod jobs;
mod latency;
mod measure;

use checksum::Total;
use measure::{Run, Side, interleaved, report};
use pelton::Config;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

const WORKLOADS: [&str; 8] = ["w1", "w2", "w3", "w4", "w4combined", "exchange", "latency", "flows"];

struct Options {
    workloads: Vec<String>,
    reps: usize,
    workers: Vec<usize>,
}

fn options() -> Result<Options, String> {
    let mut options = Options { workloads: Vec::new(), reps: 9, workers: vec![1, 2] };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = |name: &str| args.next().and_then(|v| v.parse().ok()).ok_or(format!("{name} needs a number"));
        match arg.as_str() {
            "--reps" => options.reps = number("--reps")?,
            "--workers" => options.workers = vec![number("--workers")?],
            name if WORKLOADS.contains(&name) => options.workloads.push(arg),
            "--bench" => {}
            other => return Err(format!("`{other}` is no workload; there are {}", WORKLOADS.join(", "))),
        }
    }
    Ok(options)
}

fn main() -> std::process::ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("error: {message}");
            return std::process::ExitCode::from(2);
        }
    };
    let want = |name: &str| options.workloads.is_empty() || options.workloads.iter().any(|w| w == name);
    println!(
        "{:24} {:9} {:>9} {:>9}  {:18} {:>9} {:>9}   {:>5} {:>6}",
        "workload", "", "pelton", "median", "by hand", "best", "median", "ratio", "median"
    );
    for &workers in &options.workers {
        let bench = Bench { workers, reps: options.reps };
        if want("w1") {
            bench.numbers();
        }
        if want("w2") {
            bench.running_sums();
        }
        if want("w3") {
            bench.windows();
        }
        if want("w4") || want("w4combined") || want("flows") {
            let folder =
                std::env::var_os("PELTON_BENCH_DATA").map_or_else(|| PathBuf::from("target/bench-data"), PathBuf::from);
            match data::w4::text(&folder) {
                Ok(text) => {
                    bench.words(&text, want("w4"), want("w4combined"));
                    if want("flows") {
                        flows::report(&bench, &text);
                    }
                }
                Err(e) => {
                    eprintln!("error: cannot write the text of W4 to {}: {e}", folder.display());
                    return std::process::ExitCode::FAILURE;
                }
            }
        }
        if want("exchange") && workers > 1 {
            bench.exchange_alone();
        }
        if want("latency") {
            latency::report(workers, 5);
        }
    }
    std::process::ExitCode::SUCCESS
}

struct Bench {
    workers: usize,
    reps: usize,
}

impl Bench {
    fn config(&self) -> Config {
        Config::default().workers(self.workers).pin(true)
    }

    /// Times a job's run.
    fn timed(&self, total: &Total, run: impl FnOnce(Config) -> Result<pelton::Summary, pelton::Error>) -> Run {
        let config = self.config();
        let begun = Instant::now();
        let ran = run(config);
        let time = begun.elapsed();
        match ran {
            Ok(summary) => Run { time, count: summary.records_out, check: total.take() },
            Err(error) => panic!("a job failed: {error}"),
        }
    }

    fn compare(&self, workload: &str, events: u64, mut sides: Vec<Side<'_>>) {
        let times = interleaved(&mut sides, self.reps);
        report(workload, self.workers, events, &sides, &times);
    }

    fn shards<'d, T>(&self, all: &'d [T]) -> Vec<&'d [T]> {
        all.chunks(all.len().div_ceil(self.workers)).collect()
    }

    fn numbers(&self) {
        let data: Arc<[u64]> = (0..data::w1::N).map(data::mix).collect();
        let (shards, total) = (self.shards(&data), Total::default());
        let pelton = || {
            let job = jobs::Numbers { data: data.clone(), total: total.clone() };
            self.timed(&total, |config| job.run(config).map(|r| r.summary))
        };
        let sides = vec![
            Side::new("pelton", pelton),
            Side::new("branchy", || hand::numbers_branchy(&shards)),
            Side::new("masked", || hand::numbers_masked(&shards)),
        ];
        self.compare("W1 map, filter, map", data::w1::N, sides);
    }

    fn running_sums(&self) {
        let data: Arc<[data::w2::Event]> = (0..data::w2::N).map(data::w2::event).collect();
        let (shards, total) = (self.shards(&data), Total::default());
        let pelton = || {
            let job = jobs::RunningSums { data: data.clone(), total: total.clone() };
            self.timed(&total, |config| job.run(config).map(|r| r.summary))
        };
        let sides = vec![Side::new("pelton", pelton), Side::new("one loop", || hand::running_sums(&shards))];
        self.compare("W2 running sums", data::w2::N, sides);
    }

    fn windows(&self) {
        let data: Arc<[data::w3::Bid]> = (0..data::w3::N).map(data::w3::bid).collect();
        // By hand each thread has every other bid, so that both go through time together; a job's splits do that anyhow.
        let workers = self.workers as u64;
        let dealt: Vec<data::w3::Bid> =
            (0..workers).flat_map(|w| (w..data::w3::N).step_by(self.workers)).map(data::w3::bid).collect();
        let (shards, total) = (self.shards(&dealt), Total::default());
        let pelton = || {
            let job = jobs::Windows { data: data.clone(), total: total.clone() };
            self.timed(&total, |config| job.run(config).map(|r| r.summary))
        };
        let sides = vec![Side::new("pelton", pelton), Side::new("one loop", || hand::windows(&shards))];
        self.compare("W3 windows", data::w3::N, sides);
    }

    fn exchange_alone(&self) {
        let (data, total): (Arc<[u64]>, _) = ((0..data::exchange::NUMBERS).map(data::mix).collect(), Total::default());
        let shards = self.shards(&data);
        let pelton = || {
            let job = jobs::ExchangedNumbers { data: data.clone(), total: total.clone() };
            self.timed(&total, |config| job.run(config).map(|r| r.summary))
        };
        let by_hand = || hand::exchanged(&shards, |x| *x);
        let sides = vec![Side::new("pelton", pelton), Side::new("batches, rings", by_hand)];
        self.compare("exchange, u64", data::exchange::NUMBERS, sides);

        let wide = (0..data::exchange::ROWS).map(|i| [data::mix(i); 8]);
        let (data, total): (Arc<[data::exchange::Wide]>, _) = (wide.collect(), Total::default());
        let shards = self.shards(&data);
        let pelton = || {
            let job = jobs::ExchangedRows { data: data.clone(), total: total.clone() };
            self.timed(&total, |config| job.run(config).map(|r| r.summary))
        };
        let by_hand = || hand::exchanged(&shards, |row| row[0]);
        let sides = vec![Side::new("pelton", pelton), Side::new("batches, rings", by_hand)];
        self.compare("exchange, 64 bytes", data::exchange::ROWS, sides);
    }

    fn words(&self, text: &Path, every: bool, combined: bool) {
        let total = Total::default();
        if every {
            let words = hand::words::exchanged(text, 1).count;
            let pelton = || {
                let job = jobs::EveryWord { text: text.to_owned(), total: total.clone() };
                self.timed(&total, |config| job.run(config).map(|r| r.summary))
            };
            let sides =
                vec![Side::new("pelton", pelton), Side::new("one loop", || hand::words::exchanged(text, self.workers))];
            self.compare("W4 every word", words, sides);
        }
        if combined {
            let words = hand::words::exchanged(text, 1).count;
            let pelton = || {
                let job = jobs::WordTotals { text: text.to_owned(), total: total.clone() };
                self.timed(&total, |config| job.run(config).map(|r| r.summary))
            };
            let sides = vec![
                Side::new("pelton", pelton),
                Side::new("count, merge", || hand::words::combined(text, self.workers)),
            ];
            self.compare("W4 combined", words, sides);
        }
    }
}
