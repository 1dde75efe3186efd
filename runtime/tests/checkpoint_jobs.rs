//! Small jobs over a store in which things go wrong: between two backends, with files that are added to a folder as the job runs, and
//! where one loses its store. What is published in the end is always the exact answer. `checkpoint_points.rs` has the rest: each fault at
//! each operation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests

mod support;

use pelton::checkpoint::entry::Kind;
use pelton::checkpoint::faulty::{Faulty, Mischief};
use pelton::checkpoint::history::History;
use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::prelude::*;
use pelton::{Backend, Restart};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::{Feed, Row, Step, feed, roomy_pool, splits};

/// A line of the result.
#[derive(Record, Serialize, Clone, Debug)]
struct Line {
    key: u64,
    count: u64,
    sum: u64,
}

pelton::stream! {
    job Sums<Memory> {
        param rows: Feed<Row>;
        param out: PathBuf;
        source all: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, ordered_splits;
        let sums = all.key_by(|r| r.key).aggregate((count(), sum(|r| r.value)), emit at_end, unbounded("few keys"));
        let lines = sums.map(|(key, (count, sum))| Line { key, count, sum });
        sink file(lines) = csv(out);
    }
}

fn config(store: Arc<dyn Store>, workers: usize) -> Config {
    roomy_pool();
    Config::default()
        .workers(workers)
        .state_dir(support::in_memory())
        .checkpoint_store(Arc::new(store))
        .checkpoint_every(Duration::from_millis(5))
        .restart(Restart::Never)
}

fn sorted(path: &Path) -> Vec<String> {
    let mut lines: Vec<String> = std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn folder() -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("pelton-crash-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// A job on some backend.
type Run = fn(PathBuf, Config) -> Result<(), pelton::Error>;

fn sums<B: Backend>(out: PathBuf, config: Config) -> Result<(), pelton::Error> {
    Sums { rows: splits(true), out }.run_on::<B>(config).map(|_| ())
}

fn expected(run: Run) -> Vec<String> {
    let folder = folder();
    let out = folder.join("out.csv");
    run(out.clone(), config(MemoryStore::new(), 1)).unwrap();
    let lines = sorted(&out);
    std::fs::remove_dir_all(&folder).unwrap();
    lines
}

#[test]
fn a_crash_at_any_operation_loses_nothing_where_another_backend_goes_on() {
    crash_everywhere(sums::<Memory>, sums::<FileSystem>);
    crash_everywhere(sums::<FileSystem>, sums::<Memory>);
}

/// Crashed on the one backend, gone on from on the other.
fn crash_everywhere(first: Run, second: Run) {
    let expected = expected(second);
    for mischief in [Mischief::FailBefore, Mischief::FailAfter, Mischief::Short] {
        for at in 1.. {
            let folder = folder();
            let out = folder.join("out.csv");
            let faulty = Faulty::new(MemoryStore::new());
            faulty.crash_at(at, mischief);
            let first = first(out.clone(), config(faulty.clone(), 2));
            // What is published is whole, or not there.
            assert!(!out.exists() || sorted(&out) == expected, "{mischief:?} at {at}");
            if first.is_ok() && faulty.operations() < at {
                assert!(at > 12, "the store is asked {at} times: no checkpoint was kept");
                std::fs::remove_dir_all(&folder).unwrap();
                break;
            }
            faulty.revive();
            let workers = 1 + (at % 3) as usize;
            second(out.clone(), config(faulty.clone(), workers))
                .unwrap_or_else(|error| panic!("{mischief:?} at {at}: {error}\n{:?}", faulty.trace()));
            assert_eq!(sorted(&out), expected, "{mischief:?} at {at}");
            assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left behind");
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }
}

pelton::stream! {
    job Copies<Memory> {
        param rows: Feed<Row>;
        param out: PathBuf;
        source all: Row = feed(rows);
        let sums = all.key_by(|r| r.key).fold(0, |sum, r| *sum += r.value, emit each, unbounded("few keys"));
        let lines = sums.map(|(key, sum)| Line { key, count: 1, sum });
        let copies = all.map(|r| Line { key: r.key, count: 0, sum: r.value });
        // Two writers on each worker.
        sink files(copies, lines) = csv(out);
    }
}

/// What a reader of a folder sees: the rows of all files, of which each is whole.
fn shown(folder: &Path) -> Vec<String> {
    let mut rows = Vec::new();
    for entry in folder.read_dir().into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with('.') {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text.lines().map(str::to_owned);
        assert_eq!(lines.next().as_deref(), Some("key,count,sum"), "{path:?}");
        let before = rows.len();
        rows.extend(lines);
        assert!(text.ends_with('\n') && rows.len() > before, "{path:?}: {text:?}");
    }
    rows.sort();
    rows
}

/// What a reader of a folder does not see.
fn hidden(folder: &Path) -> Vec<String> {
    let names = folder.read_dir().into_iter().flatten().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('.')).collect()
}

/// The rows as they were read, each once. What was made of them depends on how they were divided.
fn copies(rows: &[String]) -> Vec<&String> {
    rows.iter().filter(|row| row.split(',').nth(1) == Some("0")).collect()
}

#[test]
fn a_folder_of_files_holds_each_row_once_wherever_the_run_crashes() {
    let (mut kept, mut early) = (0, 0);
    for mischief in [Mischief::FailBefore, Mischief::FailAfter, Mischief::Short] {
        for at in 1.. {
            let folder = folder();
            let out = PathBuf::from(format!("{}/board/", folder.display()));
            let faulty = Faulty::new(MemoryStore::new());
            faulty.crash_at(at, mischief);
            let first = Copies { rows: splits(true), out: out.clone() }.run(config(faulty.clone(), 2));
            let before = shown(&out);
            early += usize::from(!before.is_empty() && before.len() < 240);
            if first.is_ok() && faulty.operations() < at {
                assert_eq!(before.len(), 240);
                std::fs::remove_dir_all(&folder).unwrap();
                break;
            }
            faulty.revive();
            // It had ended, though it did not hear of it: the next run is one of its own, and adds all rows once more.
            let history = History::read(&*faulty).unwrap();
            let ended = history.entries().any(|(_, e)| e.as_ref().is_ok_and(|e| e.kind() == Kind::Finished));
            if ended {
                assert_eq!((copies(&before).len(), before.len()), (120, 240), "{mischief:?} at {at}");
                std::fs::remove_dir_all(&folder).unwrap();
                continue;
            }
            let workers = 1 + (at % 3) as usize;
            Copies { rows: splits(true), out: out.clone() }
                .run(config(faulty.clone(), workers))
                .unwrap_or_else(|error| panic!("{mischief:?} at {at}: {error}\n{:?}", faulty.trace()));
            let rows = shown(&out);
            let all = (0..120).map(|value| format!("{},0,{value}", value % 7));
            let mut all: Vec<String> = all.collect();
            all.sort();
            assert_eq!(copies(&rows), all.iter().collect::<Vec<_>>(), "{mischief:?} at {at}");
            assert_eq!(rows.len(), 240, "{mischief:?} at {at}");
            // What a reader has seen once stays.
            let mut missing = before.clone();
            missing.retain(|row| !rows.contains(row));
            assert_eq!(missing, [""; 0], "{mischief:?} at {at}");
            kept += before.len();
            assert_eq!(hidden(&out), [""; 0], "left behind, {mischief:?} at {at}");
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }
    assert!(kept > 0 && early > 3, "{early} runs had published something when they crashed");
}

/// The newest checkpoint cannot be read after its files were published: the job falls back, takes back what came behind, and gives each
/// row once. A run before it, whose files lie there too, is left alone.
#[test]
fn a_folder_of_files_takes_back_what_was_published_behind_the_checkpoint_that_is_gone_on_from() {
    // Long enough for some checkpoints, however busy the machine is.
    let mut slow = splits(true);
    let mut slowed: Vec<Vec<Step<Row>>> = slow.splits.to_vec();
    for split in &mut slowed {
        (1..5).rev().for_each(|i| split.insert(i * 9, Step::Dry(Duration::from_millis(15))));
    }
    slow.splits = Arc::new(slowed);
    let mut all: Vec<String> = (0..120).map(|value| format!("{},0,{value}", value % 7)).collect();
    all.extend(all.clone());
    all.sort();
    let mut taken_back = 0;
    for at in (14..400).step_by(3) {
        let folder = folder();
        let out = PathBuf::from(format!("{}/board/", folder.display()));
        // What a run has given that has ended.
        Copies { rows: splits(true), out: out.clone() }.run(config(MemoryStore::new(), 1)).unwrap();
        let earlier = shown(&out);
        let faulty = Faulty::new(MemoryStore::new());
        faulty.crash_at(at, Mischief::FailBefore);
        let over = Copies { rows: slow.clone(), out: out.clone() }.run(config(faulty.clone(), 2)).is_ok();
        faulty.revive();
        let (history, before) = (History::read(&*faulty).unwrap(), shown(&out).len());
        if let ([newest, _, ..], false) = (&history.chain()[..], over)
            && history.is_committing(*newest)
        {
            faulty.put(&pelton::checkpoint::entry::name_of(*newest), &[0; 64]).unwrap();
            Copies { rows: slow.clone(), out: out.clone() }.run(config(faulty.clone(), 1 + (at % 3) as usize)).unwrap();
            let rows = shown(&out);
            assert_eq!(copies(&rows), all.iter().collect::<Vec<_>>(), "crashed at {at}");
            assert_eq!(rows.len(), 480, "crashed at {at}");
            assert!(earlier.iter().all(|row| rows.contains(row)), "the run before is left alone");
            taken_back += usize::from(before > earlier.len());
        }
        std::fs::remove_dir_all(&folder).unwrap();
        if over || taken_back == 8 {
            break;
        }
    }
    assert!(taken_back > 3, "{taken_back} runs fell back behind something that was published");
}

#[test]
fn a_run_that_was_frozen_adds_no_file_after_another_has_taken_over() {
    for mischief in [Mischief::FreezeBefore, Mischief::FreezeAfter] {
        let (mut superseded, mut ended) = (0, 0);
        for at in 1.. {
            let folder = folder();
            let out = PathBuf::from(format!("{}/board/", folder.display()));
            let store: Arc<dyn Store> = MemoryStore::new();
            let faulty = Faulty::new(store.clone());
            faulty.plan(at, mischief);
            let first = {
                let (out, config) = (out.clone(), config(faulty.clone(), 2));
                std::thread::spawn(move || Copies { rows: splits(true), out }.run(config).map(|_| ()))
            };
            while !faulty.wait_until_frozen(Duration::from_millis(5)) && !first.is_finished() {}
            if !faulty.wait_until_frozen(Duration::ZERO) {
                first.join().unwrap().unwrap();
                assert!(at > 24, "the store is asked {at} times");
                println!("{mischief:?}: frozen at {} operations, {superseded} were told", at - 1);
                std::fs::remove_dir_all(&folder).unwrap();
                break;
            }
            let history = History::read(&*store).unwrap();
            if history.entries().any(|(_, e)| e.as_ref().is_ok_and(|e| e.kind() == Kind::Finished)) {
                ended += 1;
                assert_eq!(hidden(&out), [""; 0], "whoever is killed behind its last word leaves nothing");
            }
            let second = Copies { rows: splits(true), out: out.clone() }.run(config(store.clone(), 1));
            let published = shown(&out);
            faulty.wake();
            let first = first.join().unwrap();
            second.unwrap_or_else(|error| panic!("{mischief:?} at {at}: {error}"));
            // Frozen at its very end, it has ended as it was to, and the second is a run of its own.
            let whole = [240, 480].contains(&published.len()) && copies(&published).len() * 2 == published.len();
            assert!(whole, "{mischief:?} at {at}: {}", published.len());
            superseded += u32::from(matches!(first, Err(pelton::Error::Superseded { .. })));
            // Frozen before it had begun, it is a run of its own, which adds all of its rows.
            let behind = shown(&out);
            assert!(
                behind == published || (first.is_ok() && published.len() == 240 && behind.len() == 480),
                "{mischief:?} at {at}: {first:?}"
            );
            std::fs::remove_dir_all(&folder).unwrap();
        }
        assert!(superseded > 3, "{superseded} runs were told that another one has taken over");
        assert_eq!(ended, u32::from(mischief == Mischief::FreezeAfter), "the last word is the last operation");
    }
}

/// The first run loses its store for a while; meanwhile another one takes over. It must not take over again, or each of the two would
/// end the other for ever.
#[test]
fn a_run_that_has_lost_its_store_leaves_it_to_the_one_that_has_taken_over() {
    let mut superseded = 0;
    for at in (6..30).step_by(3) {
        let folder = folder();
        let out = folder.join("out.csv");
        let store: Arc<dyn Store> = MemoryStore::new();
        let faulty = Faulty::new(store.clone());
        faulty.plan(at, Mischief::FreezeBefore);
        let restart = Restart::Fixed { pause: Duration::from_millis(2), at_most: u32::MAX };
        let first = {
            let config = config(faulty.clone(), 2).restart(restart);
            let out = out.clone();
            std::thread::spawn(move || Sums { rows: splits(true), out }.run(config).map(|_| ()))
        };
        if !faulty.wait_until_frozen(Duration::from_secs(2)) {
            first.join().unwrap().unwrap();
            std::fs::remove_dir_all(&folder).unwrap();
            continue;
        }
        let before = History::read(&*store).unwrap();
        let by = before.attempt(1).unwrap().clone();
        let by = pelton::checkpoint::entry::Attempt { time: by.time + 1, ..by };
        let mut second = pelton::checkpoint::log::Log::begin(store.clone(), by).unwrap();
        faulty.crash().unwrap();
        faulty.wake();
        std::thread::sleep(Duration::from_millis(20));
        faulty.revive();
        let ended = first.join().unwrap();
        superseded += u32::from(matches!(ended, Err(pelton::Error::Superseded { .. })));
        assert!(second.finished(1).is_ok(), "frozen at {at}: the first has taken over again: {ended:?}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
    assert!(superseded > 0, "no run was told");
}
