//! Folders, patterns and watched folders as sources: which files are read and in which order, what is found while a job runs, and what a file
//! that changes does.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod source_kit;

use pelton::prelude::*;
use pelton::source::{Found, Polled, Reader, RowType, Source};
use source_kit::{Folder, Kept, gzip, zstd};
use std::time::{Duration, Instant};

#[derive(Record, Deserialize, Clone, Debug, PartialEq)]
struct Reading {
    at: Timestamp,
    value: u64,
}

stream! {
    job Windows<Memory> {
        param files: PathBuf;
        source readings: Reading = csv(files).split_bytes(40), event_time |r| r.at, late_by 0s, ordered_splits;
        let sums = readings.key_by(|_| 0u8).window(tumbling 1min).aggregate(sum(|r| r.value));
        let rows: (i64, u64) = sums.map(|w| (w.start.millis() / 60_000, w.value));
        let late: Reading = sums.late;
        sink out(rows) = collect();
        sink too_late(late) = collect();
    }
    job Texts<Memory> {
        param files: PathBuf;
        source text: &str = lines(files);
        let owned: String = text.map(|t| t.to_owned());
        sink out(owned) = collect();
    }
}

fn at(minute: u64, value: u64) -> String {
    format!("1970-01-01T00:{minute:02}:00Z,{value}\n")
}

#[test]
fn files_in_the_order_of_their_paths_are_one_ordered_input() {
    let folder = Folder::new();
    // Each with a header of its own, in an order of its own, and one of them packed.
    let minutes = |from: u64| (from..from + 10).map(|m| at(m, m) + &at(m, 1)).collect::<String>();
    folder.file("day-1.csv", format!("at,value\n{}", minutes(0)));
    folder.file("day-2.csv.gz", gzip(format!("at,value\n{}", minutes(10)).as_bytes()));
    let turned: String =
        minutes(20).lines().map(|l| l.split_once(',').map(|(a, v)| format!("{v},x,{a}\n")).unwrap()).collect();
    folder.file("day-3.csv", format!("value,note,at\n{turned}"));
    folder.file("day-4.csv", "at,value\n");
    folder.file("day-5.csv", "");
    folder.file(".day-0.csv", "not for readers");
    std::fs::create_dir(folder.path().join("day-6.csv")).unwrap();
    let expected: Vec<(i64, u64)> = (0..30i64).map(|m| (m, m.unsigned_abs() + 1)).collect();
    let whole = format!("{}/", folder.path().display());
    for files in [whole, format!("{}/day-?.csv*", folder.path().display())] {
        for workers in [1, 2, 3] {
            let mut got = Windows { files: files.clone().into() }.run(Config::default().workers(workers)).unwrap();
            got.out.sort();
            assert_eq!((got.out, got.too_late), (expected.clone(), vec![]), "{files} at {workers}");
        }
    }
}

#[test]
fn a_pattern_goes_into_folders_and_a_folder_does_not() {
    let folder = Folder::new();
    for (name, text) in [("a.txt", "a"), ("in/b.txt", "b"), ("in/deep/c.txt", "c"), (".in/d.txt", "d"), ("e.csv", "e")]
    {
        std::fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        folder.file(name, text);
    }
    folder.file("in/[f]", "f");
    let read = |path: &str| {
        let files = format!("{}/{path}", folder.path().display());
        Texts { files: files.into() }.run(Config::default().workers(1)).map(|got| got.out).map_err(|e| e.to_string())
    };
    assert_eq!(read("").unwrap(), ["a", "e"]);
    assert_eq!(read("*.txt").unwrap(), ["a"]);
    assert_eq!(read("**/*.txt").unwrap(), ["a", "b", "c"]);
    assert_eq!(read("in/[ab].txt").unwrap(), ["b"]);
    assert_eq!(read("in/[f]").unwrap(), ["f"], "a file with exactly this name");
    for (path, told) in [
        ("*.json", "no file matches the pattern"),
        ("***", "the path is no pattern of files"),
        ("none/", "cannot look into the folder"),
        ("in", "write a `/` behind it"),
    ] {
        let fault = read(path).unwrap_err();
        assert!(fault.contains(told), "{path}: {fault}");
    }
}

struct Text;
impl RowType for Text {
    type Row<'a> = &'a str;
}

/// Reads what there is, until nothing more comes for a while.
fn read_all(
    enumerator: &mut dyn pelton::source::Enumerator,
    reader: &mut impl Reader<Text>,
    quiet: Duration,
) -> Result<Vec<String>, pelton::error::Fault> {
    let mut kept = Kept::<Text, _, _>::new(str::to_owned);
    let mut since = Instant::now();
    while since.elapsed() < quiet {
        let Found::Split(split) = enumerator.next()? else {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        };
        reader.open(split, None)?;
        while reader.poll(10, &mut kept)? != Polled::SplitDone {}
        since = Instant::now();
    }
    Ok(kept.rows)
}

const QUIET: Duration = Duration::from_millis(150);
const EVERY: TimeSpan = TimeSpan::from_millis(20);

#[test]
fn what_appears_is_read_once_and_what_is_gone_is_forgotten() {
    let folder = Folder::new();
    let path = format!("{}/*.txt", folder.path().display());
    let mut source = lines(&path).watch(EVERY);
    let mut enumerator = Source::<Text>::enumerator(&mut source, None).unwrap();
    let mut reader = Source::<Text>::reader(&mut source).unwrap();
    assert_eq!(read_all(&mut *enumerator, &mut reader, QUIET).unwrap(), [""; 0], "a pattern may match nothing yet");
    folder.file("b.txt", "b1\nb2");
    folder.file("a.txt", gzip(b"a1\n"));
    folder.file("c.csv", "no");
    let mut rows = read_all(&mut *enumerator, &mut reader, QUIET).unwrap();
    rows.sort();
    assert_eq!(rows, ["a1", "b1", "b2"]);
    folder.file("c.txt", zstd(b"c1\n"));
    std::fs::remove_file(folder.path().join("a.txt")).unwrap();
    assert_eq!(read_all(&mut *enumerator, &mut reader, QUIET).unwrap(), ["c1"]);
    // Another file under a name that was there once; also for who goes on.
    folder.file("a.txt", "a2\n");
    let state = enumerator.state();
    let mut enumerator = Source::<Text>::enumerator(&mut source, Some(&state)).unwrap();
    assert_eq!(read_all(&mut *enumerator, &mut reader, QUIET).unwrap(), ["a2"]);
}

#[test]
fn a_file_that_is_being_written_is_waited_for() {
    let folder = Folder::new();
    let path = format!("{}/", folder.path().display());
    let mut source = lines(&path).watch(TimeSpan::from_millis(300));
    let mut enumerator = Source::<Text>::enumerator(&mut source, None).unwrap();
    let mut reader = Source::<Text>::reader(&mut source).unwrap();
    let mut text = String::new();
    for n in 0..10 {
        text += &format!("{n}\n");
        folder.file("slow", &text);
        assert_eq!(read_all(&mut *enumerator, &mut reader, Duration::from_millis(50)).unwrap(), [""; 0]);
    }
    assert_eq!(read_all(&mut *enumerator, &mut reader, Duration::from_millis(900)).unwrap().len(), 10);
}

#[test]
fn a_file_that_changes_when_it_has_been_found_is_an_error() {
    for (write, told) in [("one\ntwo\nthree\n", "14 bytes now and had 8"), ("one\nTWO\n", "was written anew")] {
        let folder = Folder::new();
        let path = format!("{}/", folder.path().display());
        folder.file("a", "one\ntwo\n");
        std::thread::sleep(Duration::from_millis(30));
        let mut source = lines(&path).watch(EVERY);
        let mut enumerator = Source::<Text>::enumerator(&mut source, None).unwrap();
        let mut reader = Source::<Text>::reader(&mut source).unwrap();
        let Found::Split(split) = enumerator.next().unwrap() else { panic!("it was not found") };
        let state = enumerator.state();
        folder.file("a", write);
        // Whoever comes first: the reader that opens it, the enumerator that looks again, or that of the next run.
        let fault = Reader::<Text>::open(&mut reader, split, None).unwrap_err().to_string();
        assert!(fault.contains(told) && fault.contains("rename them when they are whole"), "{fault}");
        let fault = read_all(&mut *enumerator, &mut reader, QUIET).unwrap_err();
        assert!(fault.lasting && fault.to_string().contains(told), "{fault}");
        let next = Source::<Text>::enumerator(&mut source, Some(&state));
        let fault = next.and_then(|mut next| read_all(&mut *next, &mut reader, QUIET)).unwrap_err().to_string();
        assert!(fault.contains(told), "{fault}");
    }
}

#[test]
fn what_is_watched_is_a_folder_for_some_time_and_stays_so() {
    let folder = Folder::new();
    let file = folder.file("a", "x");
    let path = format!("{}/", folder.path().display());
    let fault =
        |mut source: pelton::source::Lines, from: Option<&[u8]>| match Source::<Text>::enumerator(&mut source, from) {
            Ok(_) => panic!("it was taken"),
            Err(fault) => fault.to_string(),
        };
    assert!(fault(lines(&file).watch(EVERY), None).contains("this is one file"));
    assert!(fault(lines(&path).watch(TimeSpan::ZERO), None).contains("write how often to look"));
    let state = Source::<Text>::enumerator(&mut lines(&path), None).unwrap().state();
    let told = fault(lines(&path).watch(EVERY), Some(&state));
    assert!(told.contains("without `.watch(..)` so far"), "{told}");
}

#[test]
fn a_file_of_a_set_that_is_gone_or_another_one_behind_a_restart_is_told() {
    let folder = Folder::new();
    let path = format!("{}/", folder.path().display());
    folder.file("a", "a\n");
    let b = folder.file("b", "b\n");
    let mut source = lines(&path);
    let mut enumerator = Source::<Text>::enumerator(&mut source, None).unwrap();
    assert!(matches!(enumerator.next().unwrap(), Found::Split(_)));
    let state = enumerator.state();
    // What comes later is for a later job.
    folder.file("c", "c\n");
    let mut again = Source::<Text>::enumerator(&mut source, Some(&state)).unwrap();
    assert!(matches!(again.next().unwrap(), Found::Split(split) if split.id == 1));
    assert!(matches!(again.next().unwrap(), Found::Finished));
    folder.file("b", "b, and more\n");
    let told = |source: &mut pelton::source::Lines| {
        Source::<Text>::enumerator(source, Some(&state)).err().unwrap().to_string()
    };
    assert!(told(&mut source).contains("the file has 12 bytes now and had 2"), "{}", told(&mut source));
    std::fs::remove_file(b).unwrap();
    assert!(told(&mut source).contains("is not there any more"), "{}", told(&mut source));
}
