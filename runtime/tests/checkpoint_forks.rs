//! Going on from a checkpoint of one's own choice: of another store, of another branch, with other params; and a crash at
//! every operation of the store while that begins.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests

mod support;

use pelton::checkpoint::faulty::{Faulty, Mischief};
use pelton::checkpoint::history::History;
use pelton::checkpoint::manifest::Form;
use pelton::checkpoint::savepoint;
use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::checkpoint::verify::verify;
use pelton::prelude::*;
use pelton::{Backend, FileSystem, Restart};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use support::{Feed, Row, Step, feed};

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
        param end: u64;
        source read: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 0s, ordered_splits;
        let all = read.inspect(|r| assert!(r.value < end, "this is where it ends"));
        let sums = all.key_by(|r| r.key).aggregate((count(), sum(|r| r.value)), emit at_end, unbounded("few keys"));
        let lines = sums.map(|(key, (count, sum))| Line { key, count, sum });
        let each = all.map(|r| Line { key: r.key, count: 1, sum: r.value });
        sink file(lines, each) = csv(out);
    }
}

/// A result of a window.
#[derive(Record, Serialize, Clone, Debug)]
struct Hour {
    key: u64,
    start: i64,
    count: u64,
    firing: u32,
}

pelton::stream! {
    job Hours<Memory> {
        param rows: Feed<Row>;
        param out: PathBuf;
        param again: PathBuf;
        param end: u64;
        source read: Row = feed(rows), event_time |r| Timestamp::from_millis(r.at), late_by 2ms, ordered_splits;
        let all = read.inspect(|r| assert!(r.value < end, "this is where it ends"));
        let by = all.key_by(|r| r.key);
        let hours = by.window(tumbling 10ms).aggregate(count());
        let lines = hours.map(|w| Hour { key: w.key, start: w.start.millis(), count: w.value, firing: w.firing });
        let refired = by.window(tumbling 20ms, allow_late 30ms, refire).aggregate(count());
        let more = refired.map(|w| Hour { key: w.key, start: w.start.millis(), count: w.value, firing: w.firing });
        sink file(lines) = csv(out);
        sink other(more) = csv(again);
        drop hours.late, refired.late;
    }
}

/// Rows with pauses: long enough for some checkpoints.
fn rows() -> Feed<Row> {
    rows_with(false)
}

fn rows_with(late: bool) -> Feed<Row> {
    // Some come late, behind the end of their window.
    let row = |i: u64| {
        Step::Row(Row { key: i % 7, at: i as i64 - if late && i.is_multiple_of(9) { 14 } else { 0 }, value: i })
    };
    // Barriers come between two splits: a reader is not interrupted.
    let split =
        |s: u64| std::iter::once(Step::Busy(Duration::from_millis(4))).chain((s * 6..s * 6 + 6).map(row)).collect();
    Feed::new((0..20).map(split).collect())
}

fn config(store: &Arc<dyn Store>, workers: usize) -> Config {
    Config::default()
        .workers(workers)
        .checkpoint_store(Arc::new(store.clone()))
        .checkpoint_every(Duration::from_millis(5))
        .restart(Restart::Never)
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pelton-forks-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn out(&self) -> PathBuf {
        self.0.join("out.csv")
    }

    fn run(&self, config: Config) -> Result<(), pelton::Error> {
        self.run_to(u64::MAX, config)
    }

    /// Fails at this row.
    fn run_to(&self, end: u64, config: Config) -> Result<(), pelton::Error> {
        Sums { rows: rows(), out: self.out(), end }.run(config).map(drop)
    }

    /// The job of windows, on a backend.
    fn hours<B: Backend>(&self, late: bool, end: u64, config: Config) -> Result<(), pelton::Error> {
        // So little memory that whatever is on disk is dropped from it.
        let config = config.state_memory(1);
        Hours { rows: rows_with(late), out: self.out(), again: self.0.join("again.csv"), end }
            .run_on::<B>(config)
            .map(drop)
    }

    fn both(&self) -> Vec<String> {
        let mut lines = self.lines();
        lines.extend(sorted_lines(&self.0.join("again.csv")));
        lines
    }

    fn lines(&self) -> Vec<String> {
        sorted_lines(&self.out())
    }

    /// What is in it, so that it can be put back.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let paths = std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
    }

    fn put_back(&self, files: &[(PathBuf, Vec<u8>)]) {
        for (path, _) in self.files() {
            std::fs::remove_file(path).unwrap();
        }
        files.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
    }
}

fn sorted_lines(path: &Path) -> Vec<String> {
    let mut lines: Vec<String> = std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn expected() -> Vec<String> {
    let folder = Folder::new();
    folder.run(Config::default().workers(1)).unwrap();
    folder.lines()
}

/// Runs until something of a checkpoint is published, and fails then.
fn crashed(folder: &Folder) -> Arc<dyn Store> {
    crashed_with(2, folder, &|end, config| folder.run_to(end, config))
}

fn crashed_with(
    workers: usize,
    folder: &Folder,
    run: &dyn Fn(u64, Config) -> Result<(), pelton::Error>,
) -> Arc<dyn Store> {
    // How many checkpoints there are until then depends on how busy the machine is.
    for end in (50..115).cycle().step_by(5).take(200) {
        let store: Arc<dyn Store> = MemoryStore::new();
        folder.put_back(&[]);
        run(end, config(&store, workers)).unwrap_err();
        let history = History::read(&*store).unwrap();
        let committed = history.chain().into_iter().filter(|number| history.is_committing(*number)).count();
        let kept = history.head().is_some_and(|head| history.checkpoint(head).unwrap().bytes() > 0);
        if committed > 0 && kept {
            return store;
        }
    }
    panic!("no run has failed behind its first commit")
}

/// A savepoint of a store's newest checkpoint.
fn savepoint_of(store: &Arc<dyn Store>, name: &str) -> String {
    let place = format!("memory://forks-{name}");
    let history = History::read(&**store).unwrap();
    let manifest = history.checkpoint(history.head().unwrap()).unwrap();
    let attempt = history.attempt(manifest.attempt).unwrap().clone();
    savepoint::write(&**store, manifest, attempt, savepoint::open(&place).unwrap(), &std::env::temp_dir()).unwrap();
    place
}

#[test]
fn a_crash_while_a_savepoint_is_restored_loses_nothing() {
    let expected = expected();
    let folder = Folder::new();
    let before = crashed(&folder);
    let place = savepoint_of(&before, "crash");
    let files = folder.files();
    for mischief in [Mischief::FailBefore, Mischief::FailAfter, Mischief::Short] {
        for at in 1.. {
            folder.put_back(&files);
            let faulty = Faulty::new(MemoryStore::new());
            faulty.crash_at(at, mischief);
            let store: Arc<dyn Store> = faulty.clone();
            let restore = |workers| config(&store, workers).from(&place).must_resume(true);
            let first = folder.run(restore(1 + (at % 3) as usize));
            assert!(!folder.out().exists() || folder.lines() == expected, "{mischief:?} at {at}");
            let over = first.is_ok() && faulty.operations() < at;
            faulty.revive();
            if !over {
                // The same once more; or the plain run, if results of a newer checkpoint are there by then.
                let again = folder.run(restore(2));
                match again {
                    Err(error) if error.to_string().contains("`--fork`") => folder.run(config(&store, 2)).unwrap(),
                    again => again.unwrap_or_else(|error| panic!("{mischief:?} at {at}: {error}")),
                }
            }
            assert_eq!(folder.lines(), expected, "{mischief:?} at {at}");
            assert!(verify(&*store).unwrap().is_good() || mischief == Mischief::Short);
            if over {
                assert!(at > 8, "the store is asked {at} times");
                break;
            }
        }
    }
}

#[test]
fn a_savepoint_goes_into_an_unused_place_and_a_fork_into_any() {
    let expected = expected();
    let folder = Folder::new();
    let store = crashed(&folder);
    let place = savepoint_of(&store, "unused");
    let files = folder.files();
    // The checkpoint lies in this store too, and is the newest: nothing is copied, and nothing stands against it.
    folder.run(config(&store, 3).from(&place)).unwrap();
    assert_eq!(folder.lines(), expected);
    // By now the run has ended.
    folder.put_back(&files);
    let error = folder.run(config(&store, 1).from(&place)).unwrap_err().to_string();
    assert!(error.contains("has ended") || error.contains("later run"), "{error}");
    assert_eq!(folder.files().len(), files.len(), "nothing was touched");
    folder.run(config(&store, 1).from(&place).fork(true)).unwrap();
    assert_eq!(folder.lines(), expected);
    // A branch of its own hides what was there before: a run behind it begins anew, and not in the former branch.
    let history = History::read(&*store).unwrap();
    assert!(history.chain().is_empty() && history.head().is_none());
}

#[test]
fn other_params_and_other_jobs_are_refused_unless_it_is_a_fork() {
    let folder = Folder::new();
    let store = crashed(&folder);
    let place = savepoint_of(&store, "params");
    let files = folder.files();
    let elsewhere = folder.0.join("elsewhere.csv");
    let run = |config: Config| Sums { rows: rows(), out: elsewhere.clone(), end: u64::MAX }.run(config).map(drop);
    for config in [config(&store, 1), config(&store, 1).from(&place)] {
        let error = run(config).unwrap_err().to_string();
        assert!(error.contains("out.csv") && error.contains("elsewhere.csv"), "{error}");
    }
    // The parts that are committed have to be where the new params say; what they are called is the sink's.
    for (path, bytes) in &files {
        let name = path.file_name().unwrap().to_string_lossy().replace("out.csv", "elsewhere.csv");
        std::fs::write(folder.0.join(name), bytes).unwrap();
    }
    run(config(&store, 2).fork(true)).unwrap();
    let mut lines: Vec<String> = std::fs::read_to_string(&elsewhere).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, expected());
}

#[test]
fn a_run_that_is_refused_does_not_disturb_one_that_runs() {
    let folder = Folder::new();
    let store: Arc<dyn Store> = MemoryStore::new();
    // It goes on until it is let, and keeps checkpoints meanwhile.
    let gate = Arc::new(AtomicBool::new(false));
    let mut splits: Vec<Vec<Step<Row>>> = rows().splits.to_vec();
    splits.push(vec![Step::Until(gate.clone())]);
    let (more, out) = (Feed::new(splits), folder.out());
    let config_of = |workers| config(&store, workers);
    let running = config_of(2);
    let running = std::thread::spawn(move || Sums { rows: more, out, end: u64::MAX }.run(running).map(drop));
    let kept = || History::read(&*store).unwrap().checkpoints().count() >= 2;
    while !kept() && !running.is_finished() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let attempts = || {
        let history = History::read(&*store).unwrap();
        history.entries().filter(|(number, _)| history.attempt(*number).is_some()).count()
    };
    let elsewhere = folder.0.join("elsewhere.csv");
    let refusals: [(&str, &dyn Fn() -> Result<(), pelton::Error>); 4] = [
        ("other params", &|| Sums { rows: rows(), out: elsewhere.clone(), end: u64::MAX }.run(config_of(1)).map(drop)),
        ("job `Hours`", &|| folder.hours::<Memory>(false, u64::MAX, config_of(1))),
        ("there is no checkpoint 1 ", &|| folder.run(config_of(1).from("1"))),
        ("at least one worker", &|| folder.run(config_of(0))),
    ];
    for (says, refused) in refusals {
        let error = refused().unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
        assert_eq!(attempts(), 1, "{says}: nobody has taken over");
        assert!(!running.is_finished(), "{says}");
    }
    gate.store(true, Ordering::Relaxed);
    running.join().unwrap().unwrap();
    assert_eq!(folder.lines(), expected());
}

#[test]
fn a_savepoint_of_any_backend_restores_on_any_other() {
    let folder = Folder::new();
    let on_disk = |store: &Arc<dyn Store>| {
        let history = History::read(&**store).unwrap();
        history.checkpoint(history.head().unwrap()).unwrap().objects().any(|object| object.form == Form::Blob)
    };
    let run_to = |disk: bool, late: bool, end: u64, config: Config| match disk {
        false => folder.hours::<Memory>(late, end, config),
        true => folder.hours::<FileSystem>(late, end, config),
    };
    let run = |disk: bool, late: bool, config: Config| run_to(disk, late, u64::MAX, config);
    // Which rows are late is a function of the input with one worker alone.
    for (late, before, after) in [(true, 1, 1..=1), (false, 2, 1..=3)] {
        folder.put_back(&[]);
        run(false, late, Config::default().workers(1)).unwrap();
        let expected = folder.both();
        assert_eq!(expected.iter().any(|line| line.ends_with(",1")), late, "a window speaks again");
        for disk in [false, true] {
            let store = crashed_with(before, &folder, &|end, config| run_to(disk, late, end, config));
            assert_eq!(on_disk(&store), disk);
            let place = savepoint_of(&store, &format!("{disk}-{late}"));
            let savepoint = pelton::checkpoint::store::open(&place).unwrap();
            assert!(!on_disk(&savepoint), "a savepoint has entries alone");
            assert!(verify(&*savepoint).unwrap().is_good());
            let files = folder.files();
            for (workers, to_disk) in after.clone().flat_map(|workers| [(workers, false), (workers, true)]) {
                folder.put_back(&files);
                let store: Arc<dyn Store> = MemoryStore::new();
                run(to_disk, late, config(&store, workers).from(&place)).unwrap();
                assert_eq!(folder.both(), expected, "disk {disk} to disk {to_disk}, {workers} workers, late {late}");
            }
        }
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let folder = Folder::new();
    let store: Arc<dyn Store> = MemoryStore::new();
    for (config, says) in [
        (Config::default().from("3"), "without checkpoints"),
        (Config::default().fork(true), "without checkpoints"),
        (config(&store, 1).from("3").fresh(true), "not both"),
        (config(&store, 1).must_resume(true).fresh(true), "not both"),
        (config(&store, 1).must_resume(true), "no checkpoint in"),
        (config(&store, 1).from("3"), "there is no checkpoint 3"),
        (config(&store, 1).from("memory://forks-nothing"), "no checkpoint in"),
    ] {
        let error = folder.run(config).unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
    assert!(store.list("").unwrap().is_empty(), "a refusal leaves nothing behind");
}
