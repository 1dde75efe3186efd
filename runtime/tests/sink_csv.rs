//! Csv as a sink: one whole file under its name, or none.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use pelton::error::Fault;
use pelton::sink::{Accepts, Committer, CsvWriter, Prepared, Sink, SinkContext, Writer};
use pelton::source::{Csv, csv};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Clone, Debug, PartialEq, pelton::Record, Serialize)]
struct Board {
    origin: String,
    departed: u32,
    delay: Option<f64>,
}

fn board(origin: &str, departed: u32, delay: Option<f64>) -> Board {
    Board { origin: origin.to_owned(), departed, delay }
}

/// A directory of its own, removed at the end.
struct Folder(PathBuf);
impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pelton-sink-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
    fn target(&self) -> PathBuf {
        self.0.join("board.csv")
    }
    /// Names of what is there.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.0.read_dir().unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn context(worker: usize, attempt: u64) -> SinkContext {
    SinkContext {
        name: "board".into(),
        worker,
        workers: 3,
        part: 0,
        attempt,
        resumable: false,
        log: None,
        published: false,
    }
}

/// A sink as the engine drives it.
struct Run {
    writers: Vec<CsvWriter>,
    committer: Box<dyn Committer>,
    epoch: u64,
}

impl Run {
    fn new(make: impl Fn() -> Csv, workers: usize, attempt: u64) -> Result<Run, Fault> {
        let mut committer = make().committer(&context(0, attempt), None)?;
        committer.begin()?;
        let writers = (0..workers).map(|w| make().writer(&context(w, attempt))).collect::<Result<_, _>>()?;
        Ok(Run { writers, committer, epoch: 0 })
    }
    fn prepare(&mut self) -> Result<Vec<(usize, Prepared)>, Fault> {
        self.epoch += 1;
        let mut all = Vec::new();
        for (worker, writer) in self.writers.iter_mut().enumerate() {
            all.extend(writer.prepare(self.epoch)?.map(|prepared| (worker, prepared)));
        }
        Ok(all)
    }
    fn finish(&mut self) {
        self.committer.finish().unwrap();
        self.committer.finished();
    }
    fn epoch(&mut self) {
        let prepared = self.prepare().unwrap();
        self.committer.commit(self.epoch, prepared).unwrap();
    }
}

fn write<X>(writer: &mut CsvWriter, row: X)
where
    CsvWriter: Accepts<X>,
{
    assert!(<CsvWriter as Accepts<X>>::PROBLEM.is_none());
    writer.write(row).unwrap();
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn parts_of_all_workers_become_one_file_with_one_header() {
    let folder = Folder::new();
    let mut run = Run::new(|| csv(folder.target()), 3, 1).unwrap();
    write(&mut run.writers[1], board("b,1", 1, Some(0.5)));
    write(&mut run.writers[0], board("a\n\"1\"", 2, None));
    run.epoch();
    run.epoch();
    write(&mut run.writers[1], board("b2", 3, Some(-1.0)));
    run.epoch();
    assert!(!folder.target().exists(), "half a file under its name");
    run.finish();
    let expected = "origin,departed,delay\n\"a\n\"\"1\"\"\",2,\n\"b,1\",1,0.5\nb2,3,-1.0\n";
    assert_eq!(text(&folder.target()), expected);
    assert_eq!(folder.names(), ["board.csv"]);
}

#[test]
fn what_is_prepared_and_not_committed_does_not_appear() {
    let folder = Folder::new();
    let mut run = Run::new(|| csv(folder.target()), 2, 1).unwrap();
    write(&mut run.writers[0], board("in", 1, None));
    let prepared = run.prepare().unwrap();
    run.committer.commit(1, prepared.clone()).unwrap();
    // Again, as after a restart.
    run.committer.commit(1, prepared).unwrap();
    write(&mut run.writers[0], board("out", 2, None));
    write(&mut run.writers[1], board("out", 3, None));
    run.prepare().unwrap();
    run.finish();
    assert_eq!(text(&folder.target()), "origin,departed,delay\nin,1,\n");
}

#[test]
fn tuples_have_no_header_and_settings_are_kept() {
    let folder = Folder::new();
    let mut run = Run::new(|| csv(folder.target()).separator(b';'), 1, 1).unwrap();
    write(&mut run.writers[0], ("a;b".to_owned(), 1u8));
    run.epoch();
    run.finish();
    assert_eq!(text(&folder.target()), "\"a;b\";1\n");
    let mut run = Run::new(|| csv(folder.target()).no_header(), 1, 1).unwrap();
    write(&mut run.writers[0], board("x", 1, None));
    run.epoch();
    run.finish();
    assert_eq!(text(&folder.target()), "x,1,\n");
}

#[test]
fn what_was_there_stays_until_the_end_and_is_replaced_then() {
    let folder = Folder::new();
    std::fs::write(folder.target(), "before").unwrap();
    let mut run = Run::new(|| csv(folder.target()), 1, 1).unwrap();
    write(&mut run.writers[0], board("x", 1, None));
    run.epoch();
    assert_eq!(text(&folder.target()), "before");
    run.committer.abort();
    drop(run);
    assert_eq!((text(&folder.target()), folder.names()), ("before".to_owned(), vec!["board.csv".to_owned()]));
    let mut run = Run::new(|| csv(folder.target()), 1, 2).unwrap();
    run.epoch();
    run.finish();
    // Without a row nobody knows the header.
    assert_eq!(text(&folder.target()), "");
}

#[test]
fn a_run_that_is_dropped_leaves_nothing() {
    let folder = Folder::new();
    let mut run = Run::new(|| csv(folder.target()), 2, 1).unwrap();
    write(&mut run.writers[0], board("x", 1, None));
    run.epoch();
    assert_eq!(folder.names().len(), 2, "the part, and what is to be joined");
    drop(run);
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn what_a_crashed_run_left_is_removed_and_what_is_not_its_own_is_not() {
    let folder = Folder::new();
    for left in [".board.csv.pelton-1f-1-0", ".board.csv.pelton-1f-1-all", ".board.csv.pelton-ab-7-3"] {
        std::fs::write(folder.0.join(left), "left").unwrap();
    }
    let others = [".board.csv.pelton-x", ".board.csv.swp", ".other.csv.pelton-1f-1-all", "board.csv.pelton-1f-1-0"];
    for other in others {
        std::fs::write(folder.0.join(other), "other").unwrap();
    }
    let mut run = Run::new(|| csv(folder.target()), 1, 1).unwrap();
    run.finish();
    let mut expected = others.to_vec();
    expected.push("board.csv");
    expected.sort();
    assert_eq!(folder.names(), expected);
}

#[test]
fn a_file_that_another_run_is_writing_is_refused() {
    let folder = Folder::new();
    let other = std::fs::File::create(folder.0.join(".board.csv.pelton-1f-1-all")).unwrap();
    other.try_lock().unwrap();
    let fault = Run::new(|| csv(folder.target()), 1, 1).map(|_| ()).unwrap_err();
    assert!(fault.what.contains("another run is writing to this file"), "{fault}");
    let first = Run::new(|| csv(folder.0.join("b.csv")), 1, 1).unwrap();
    let fault = Run::new(|| csv(folder.0.join("b.csv")), 1, 1).map(|_| ()).unwrap_err();
    assert!(fault.help.as_ref().unwrap().contains("a file of its own"), "{fault}");
    drop(first);
}

#[test]
fn without_a_path_nothing_is_written() {
    let mut run = Run::new(|| csv(None::<PathBuf>), 2, 1).unwrap();
    write(&mut run.writers[0], board("x", 1, None));
    assert_eq!(run.prepare().unwrap(), []);
    run.committer.commit(1, vec![]).unwrap();
    run.finish();
    assert_eq!(Sink::describe(&csv(None::<PathBuf>)), "csv (no file given)");
}

fn refused(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    let fault = Run::new(|| csv(path), 1, 1).map(|_| ()).unwrap_err().to_string();
    let writer = csv(path).writer(&context(1, 1)).map(|_| ());
    assert!(writer.is_err() || fault.contains("cannot write"), "{fault}");
    fault
}

#[test]
fn targets_that_cannot_be_written_are_refused_at_the_start() {
    let folder = Folder::new();
    let path = |name: &str| folder.0.join(name);
    let missing = refused(path("no/parts/"));
    assert!(missing.contains("cannot make the folder") && missing.contains("whose directory is"), "{missing}");
    assert!(refused(&folder.0).contains("a directory where a file is to be written"));
    let missing = refused(path("no/board.csv"));
    assert!(missing.contains("is not there") && missing.contains("create the directory"), "{missing}");
    assert!(refused("/dev/null").contains("neither a file nor a directory"));
    assert!(Path::new("/dev/null").metadata().is_ok_and(|about| !about.is_file()));
    let long = refused(path(&"n".repeat(250)));
    assert!(long.contains("cannot write the file"), "{long}");
    let fault = Run::new(|| csv(folder.target()).separator(b'\n'), 1, 1).map(|_| ()).unwrap_err();
    assert!(fault.what.contains("cannot separate"), "{fault}");
    assert_eq!(folder.names(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let folder = Folder::new();
    std::fs::write(folder.0.join("real.csv"), "before").unwrap();
    std::os::unix::fs::symlink("real.csv", folder.target()).unwrap();
    let mut run = Run::new(|| csv(folder.target()), 1, 1).unwrap();
    write(&mut run.writers[0], ("x".to_owned(), 1u8));
    run.epoch();
    run.finish();
    assert!(folder.target().symlink_metadata().unwrap().is_symlink());
    assert_eq!(text(&folder.0.join("real.csv")), "x,1\n");
}

#[test]
fn a_part_that_was_changed_by_others_is_a_fault_and_nothing_appears() {
    let folder = Folder::new();
    let mut run = Run::new(|| csv(folder.target()), 1, 1).unwrap();
    write(&mut run.writers[0], board("x", 1, None));
    run.epoch();
    let part = folder.names().into_iter().find(|name| !name.ends_with("all")).unwrap();
    std::fs::write(folder.0.join(part), "").unwrap();
    let fault = run.committer.finish().unwrap_err();
    assert!(fault.what.contains("0 bytes of the"), "{fault}");
    drop(run);
    assert_eq!(folder.names(), [""; 0]);
}

/// A folder of files in the folder, and what a reader sees in it: names and texts, in the order of the names.
fn shown(folder: &Folder) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = (folder.0.join("board").read_dir().unwrap())
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), text(&path)))
        .filter(|(name, _)| !name.starts_with('.'))
        .collect();
    all.sort();
    all
}

#[test]
fn a_folder_gets_a_file_per_writer_and_epoch() {
    let folder = Folder::new();
    let mut run = Run::new(|| csv(folder.0.join("board/")), 2, 1).unwrap();
    write(&mut run.writers[1], board("b", 1, None));
    write(&mut run.writers[0], board("a", 2, None));
    run.epoch();
    run.epoch();
    write(&mut run.writers[1], board("c", 3, None));
    run.epoch();
    let seen = shown(&folder);
    write(&mut run.writers[1], board("d", 4, None));
    let prepared = run.prepare().unwrap();
    assert_eq!(shown(&folder), seen, "prepared and not committed");
    drop(prepared);
    run.committer.abort();
    drop(run);
    assert_eq!(shown(&folder), seen);
    let head = "origin,departed,delay\n";
    let texts: Vec<&str> = seen.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["a,2,\n", "b,1,\n", "c,3,\n"].map(|row| format!("{head}{row}")));
    for ((name, _), start) in seen.iter().zip(["part-00000001-0-0-1-", "part-00000001-1-0-1-", "part-00000003-1-0-1-"])
    {
        assert!(name.starts_with(start) && name.ends_with(".csv"), "{name}");
    }
    // Another run adds to it, and what was left is gone.
    let mut run = Run::new(|| csv(folder.0.join("board/")).no_header(), 1, 2).unwrap();
    write(&mut run.writers[0], board("e", 5, None));
    run.epoch();
    run.finish();
    assert_eq!(shown(&folder).len(), 4);
    assert_eq!(folder.0.join("board").read_dir().unwrap().count(), 4, "nothing is hidden");
    assert!(shown(&folder).iter().any(|(_, text)| text == "e,5,\n"));
}

#[test]
fn a_folder_is_written_by_one_run_at_a_time() {
    let folder = Folder::new();
    let path = || folder.0.join("board/");
    let first = Run::new(|| csv(path()), 1, 1).unwrap();
    let fault = Run::new(|| csv(path()), 1, 1).map(|_| ()).unwrap_err();
    assert!(fault.help.as_ref().unwrap().contains("a folder of its own"), "{fault}");
    drop(first);
    let other = std::fs::File::create(folder.0.join("board/.pelton-1f-1-lock")).unwrap();
    other.try_lock().unwrap();
    let fault = Run::new(|| csv(path()), 1, 1).map(|_| ()).unwrap_err();
    assert!(fault.what.contains("another run is writing to this folder"), "{fault}");
    drop(other);
    // A later attempt takes the place of one that goes on all the same.
    let mut old = Run::new(|| csv(path()), 1, 1).unwrap();
    write(&mut old.writers[0], board("old", 1, None));
    let ready = old.prepare().unwrap();
    let mut new = Run::new(|| csv(path()), 1, 2).unwrap();
    let fault = old.committer.commit(1, ready).unwrap_err();
    assert!(fault.what.contains("has taken the folder over"), "{fault}");
    write(&mut new.writers[0], board("new", 1, None));
    new.epoch();
    assert_eq!(shown(&folder).len(), 1);
}

#[test]
fn a_file_of_a_folder_that_was_changed_or_moved_by_others_is_a_fault() {
    let folder = Folder::new();
    let mut run = Run::new(|| csv(folder.0.join("board/")), 1, 1).unwrap();
    write(&mut run.writers[0], board("x", 1, None));
    let prepared = run.prepare().unwrap();
    let names = || folder.0.join("board").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let hidden = names().find(|path| !path.to_string_lossy().ends_with("lock")).unwrap();
    let whole = text(&hidden);
    std::fs::write(&hidden, "x").unwrap();
    let fault = run.committer.commit(1, prepared.clone()).unwrap_err();
    assert!(fault.what.contains("a file has 1 bytes of the"), "{fault}");
    std::fs::write(&hidden, &whole).unwrap();
    run.committer.commit(1, prepared.clone()).unwrap();
    run.committer.commit(1, prepared.clone()).unwrap();
    assert_eq!(shown(&folder).len(), 1);
    // Somebody takes it away before the commit is noted.
    std::fs::remove_file(folder.0.join("board").join(&shown(&folder)[0].0)).unwrap();
    let fault = run.committer.commit(1, prepared).unwrap_err();
    assert!(fault.help.as_ref().unwrap().contains("put it back if it has been moved away"), "{fault}");
}

#[test]
fn rows_that_differ_in_their_fields_are_a_fault() {
    #[derive(pelton::Record, Serialize)]
    struct Odd {
        a: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        b: Option<u8>,
    }
    let folder = Folder::new();
    let mut run = Run::new(|| csv(folder.target()), 1, 1).unwrap();
    write(&mut run.writers[0], Odd { a: 1, b: Some(2) });
    let fault = run.writers[0].write(Odd { a: 1, b: None }).unwrap_err();
    assert!(fault.what.contains("1 fields behind rows of 2"), "{fault}");
}
