//! What state costs: checkpoints under load, the backends, and coming back.
//!
//! `state [checkpoints] [backends] [pauses] [change] [restart] [memory] [--seconds N] [--keys N] [--on BACKEND] [--trace]`: without a name all of them. Two
//! workers. Each run takes at least `--seconds` (20); the large states have `--keys` keys (14 million) with values of 64 bytes. Files
//! go to `target/bench-state` or `$PELTON_BENCH_STATE`, and are removed again. With the feature `rocksdb` (`eval "$(scripts/rocksdb)"`
//! before) all of them are taken on `RocksDb`, too. `--trace` prints the throughput of each half second beside, and what a worker did
//! in the longest frames.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints figures")]

#[cfg(feature = "rocksdb")]
mod by_hand;
mod figures;
mod gaps;
mod generated;
mod jobs;
mod warm;

use std::path::PathBuf;
use std::time::Duration;

/// What to measure.
const FIGURES: [&str; 6] = ["memory", "checkpoints", "backends", "pauses", "change", "restart"];

/// How.
pub struct Options {
    figures: Vec<String>,
    /// The least time of a run.
    pub seconds: u64,
    /// Keys of a large state.
    pub keys: u64,
    /// Backends to measure; none means all.
    pub on: Vec<String>,
    /// Where files go.
    pub folder: PathBuf,
}

fn options() -> Result<Options, String> {
    let folder =
        std::env::var_os("PELTON_BENCH_STATE").map_or_else(|| PathBuf::from("target/bench-state"), PathBuf::from);
    let mut options = Options { figures: Vec::new(), seconds: 20, keys: 14_000_000, on: Vec::new(), folder };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--on" {
            options.on.extend(args.next());
            continue;
        }
        let mut number = |name: &str| args.next().and_then(|v| v.parse().ok()).ok_or(format!("{name} needs a number"));
        match arg.as_str() {
            "--seconds" => options.seconds = number("--seconds")?,
            "--keys" => options.keys = number("--keys")?,
            name if FIGURES.contains(&name) => options.figures.push(arg),
            "--trace" => {
                generated::trace();
                gaps::trace();
            }
            "--bench" => {}
            other => return Err(format!("`{other}` is no figure; there are {}", FIGURES.join(", "))),
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
    let want = |name: &str| options.figures.is_empty() || options.figures.iter().any(|figure| figure == name);
    let all: [(&str, fn(&Options)); 6] = [
        ("memory", figures::memory),
        ("checkpoints", figures::checkpoints),
        ("backends", figures::backends),
        ("pauses", figures::pauses),
        ("change", figures::change),
        ("restart", figures::restart),
    ];
    warm::warm(options.keys);
    for (name, measure) in all.iter().filter(|(name, _)| want(name)) {
        println!("{name}");
        measure(&options);
        // Whatever a run has left behind.
        let _ = std::fs::remove_dir_all(&options.folder);
    }
    std::process::ExitCode::SUCCESS
}

impl Options {
    /// A folder that is not there yet.
    pub fn place(&self, name: &str) -> PathBuf {
        let place = self.folder.join(name);
        let _ = std::fs::remove_dir_all(&place);
        place
    }

    /// Whether a backend is measured.
    pub fn on<B: pelton::Backend>(&self) -> bool {
        self.on.is_empty() || self.on.iter().any(|name| name == B::NAME)
    }

    /// The least time of a run.
    pub fn least(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}
