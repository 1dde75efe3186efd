//! `roll`: folders with files of a size or an age, each row in one of them once, also behind a failure.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod source_kit;

use pelton::prelude::*;
use source_kit::Folder;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[derive(Record, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    n: u64,
    text: String,
}

stream! {
    job BySize<Memory> {
        param out: String;
        param fails: Arc<AtomicU64>;
        source numbers: u64 = generate(|n| n).limit(20_000);
        let pairs = numbers.map(|n| {
            if n == 15_000 && fails.fetch_sub(1, Ordering::SeqCst) > 0 { panic!("as it was told") }
            if n % 1000 == 0 { std::thread::sleep(Duration::from_millis(3)) }
            Pair { n, text: "x".repeat(20) }
        });
        sink board(pairs) = csv(out), roll at 16KiB;
    }
    job ByAge<Memory> {
        param out: String;
        param every: TimeSpan = 1h;
        param fails: Arc<AtomicU64>;
        source numbers: u64 = generate(|n| n).limit(20_000);
        let pairs = numbers.map(|n| {
            if n == 15_000 && fails.fetch_sub(1, Ordering::SeqCst) > 0 { panic!("as it was told") }
            if n % 1000 == 0 { std::thread::sleep(Duration::from_millis(3)) }
            Pair { n, text: "x".repeat(20) }
        });
        sink board(pairs) = json(out), roll every every or at 1GiB;
    }
}

/// The files that are shown.
fn shown(folder: &Path) -> Vec<Vec<u8>> {
    let mut names: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
    names.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn sorted(mut pairs: Vec<Pair>) -> Vec<u64> {
    pairs.sort();
    pairs.into_iter().map(|pair| pair.n).collect()
}

/// Runs without checkpoints, and with them and two failures.
fn configs(folder: &Folder) -> Vec<(Config, u64)> {
    let mut all = Vec::new();
    for (workers, wire) in [(1, false), (2, false), (3, false), (2, true)] {
        let config = Config::default().workers(workers).wire(wire).epoch(Duration::from_millis(10));
        all.push((config.clone(), 0));
        let place = folder.path().join(format!("checkpoints-{workers}-{wire}"));
        let kept = config.checkpoints(place.display().to_string()).checkpoint_every(Duration::from_millis(10));
        all.push((kept.restart(pelton::Restart::Fixed { pause: Duration::from_millis(1), at_most: 5 }), 2));
    }
    all
}

fn out(folder: &Folder, n: usize) -> String {
    format!("{}/out-{n}/", folder.path().display())
}

#[test]
fn files_of_a_size() {
    let folder = Folder::new();
    for (n, (config, fails)) in configs(&folder).into_iter().enumerate() {
        let out = out(&folder, n);
        let workers = config.clone();
        BySize { out: out.clone(), fails: Arc::new(fails.into()) }.run(config).unwrap_or_else(|e| panic!("{n}: {e}"));
        let files = shown(Path::new(&out));
        let rows = files.iter().flat_map(|file| {
            ::csv::Reader::from_reader(&file[..]).into_deserialize().map(Result::unwrap).collect::<Vec<Pair>>()
        });
        assert!(sorted(rows.collect()) == (0..20_000).collect::<Vec<u64>>(), "{n}: {workers:?}");
        // About 530 KB: what is larger was still in the buffer, what is smaller was the last of its writer.
        assert!(files.len() >= 5 && files.iter().all(|file| file.len() < 150 << 10), "{n}: {} files", files.len());
        assert_eq!(Path::new(&out).read_dir().unwrap().count(), files.len(), "nothing hidden is left");
    }
}

#[test]
fn files_of_an_age() {
    let folder = Folder::new();
    for (n, (config, fails)) in configs(&folder).into_iter().enumerate() {
        for every in [TimeSpan::from_hours(1), TimeSpan::from_micros(1)] {
            let out = format!("{}{}/", out(&folder, n).trim_end_matches('/'), every.micros());
            let config = config.clone().fresh(fails > 0);
            ByAge { out: out.clone(), every, fails: Arc::new(fails.into()) }
                .run(config)
                .unwrap_or_else(|e| panic!("{n}: {e}"));
            let files = shown(Path::new(&out));
            let rows = files.iter().flat_map(|file| file.split(|b| *b == b'\n').filter(|line| !line.is_empty()));
            let rows = rows.map(|line| serde_json::from_slice(line).unwrap());
            assert!(sorted(rows.collect()) == (0..20_000).collect::<Vec<u64>>(), "{n}, every {every:?}");
            // One for each writer and attempt, or for each epoch.
            let many = every < TimeSpan::from_hours(1);
            assert!(if many { files.len() > 1 } else { files.len() <= 9 }, "{n}, every {every:?}: {}", files.len());
        }
    }
}

#[test]
fn one_file_does_not_roll() {
    let folder = Folder::new();
    let out = folder.path().join("one.csv").display().to_string();
    let fault = BySize { out, fails: Arc::default() }.run(Config::default().workers(1)).unwrap_err().to_string();
    assert!(fault.contains("sink `board`: `roll` is for a folder") && fault.contains("write a `/`"), "{fault}");
}
