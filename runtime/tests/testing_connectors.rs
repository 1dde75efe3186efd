//! The conformance kit over the connectors that there are. All but `stdout()`, which promises nothing: what was printed has been seen.

#![cfg(feature = "testing")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use pelton::channel::{Receiver, Sender, bounded, channel};
use pelton::sink::{Collected, collect, for_each};
use pelton::source::{csv, generate, iter, json, lines, rows, tcp};
use pelton::testing::{Lent, Outcome, Owned, SinkCheck, SourceCheck, Str, check_source};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of its own, removed at the end.
struct Folder(PathBuf);
impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pelton-kit-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, pelton::Record)]
struct Trip {
    from: String,
    minutes: Option<i32>,
}

fn trips(n: i32) -> Vec<Trip> {
    (0..n).map(|n| Trip { from: format!("stop \"{n}\",\n{}", n * n), minutes: (n % 3 > 0).then_some(n) }).collect()
}

fn csv_text(trips: &[Trip]) -> String {
    let mut lines = ::csv::Writer::from_writer(Vec::new());
    trips.iter().for_each(|trip| lines.serialize(trip).unwrap());
    String::from_utf8(lines.into_inner().unwrap()).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn csv_files() {
    let folder = Folder::new();
    let expected = trips(300);
    let text = csv_text(&expected);
    let plain = folder.file("trips.csv", &text);
    let packed = folder.file("trips.csv.gz", gzip(text.as_bytes()));
    for (path, bytes) in [(&plain, 500), (&plain, 1 << 20), (&packed, 500)] {
        SourceCheck::<Owned<Trip>, _>::new(|| csv(path).split_bytes(bytes)).rows(&expected).in_order().run().assert();
    }
    let empty = folder.file("empty.csv", "from,minutes\n");
    check_source::<Owned<Trip>, _>(|| csv(&empty), [(); 0]).assert();
}

#[test]
fn json_files() {
    let folder = Folder::new();
    let expected = trips(300);
    let text: String = expected.iter().map(|trip| serde_json::to_string(trip).unwrap() + "\n").collect();
    let plain = folder.file("trips.json", &text);
    let packed = folder.file("trips.json.gz", gzip(text.as_bytes()));
    for (path, bytes) in [(&plain, 500), (&plain, 1 << 20), (&packed, 500)] {
        SourceCheck::<Owned<Trip>, _>::new(|| json(path).split_bytes(bytes)).rows(&expected).in_order().run().assert();
    }
}

#[test]
fn folders_and_patterns() {
    let folder = Folder::new();
    let expected = trips(90);
    let line = |trip: &Trip| serde_json::to_string(trip).unwrap() + "\n";
    for (n, name) in ["1.json", "10.json", "2.json"].into_iter().enumerate() {
        let text: String = expected[n * 30..n * 30 + 30].iter().map(line).collect();
        match n {
            1 => folder.file(name, gzip(text.as_bytes())),
            _ => folder.file(name, text),
        };
    }
    folder.file(".hidden.json", "no JSON");
    folder.file("3.json", "");
    let whole = format!("{}/", folder.0.display());
    let pattern = format!("{}/*.json", folder.0.display());
    for path in [whole, pattern] {
        SourceCheck::<Owned<Trip>, _>::new(|| json(&path).split_bytes(400)).rows(&expected).in_order().run().assert();
    }
}

#[test]
fn watched_folders() {
    let folder = Folder::new();
    let expected = trips(60);
    let text = |trips: &[Trip]| csv_text(trips);
    folder.file("a.csv", text(&expected[..20]));
    folder.file("b.csv", text(&expected[20..40]));
    let path = format!("{}/", folder.0.display());
    let more = || {
        folder.file(".c.csv", text(&expected[40..60]));
        std::fs::rename(folder.0.join(".c.csv"), folder.0.join("c.csv")).unwrap();
    };
    let make = || csv(&path).watch(pelton::TimeSpan::from_millis(2));
    let report =
        SourceCheck::<Owned<Trip>, _>::new(make).rows(&expected[..40]).in_order().grows(more, &expected[40..]).run();
    println!("{report}");
    report.assert();
}

#[test]
fn text_files() {
    let folder = Folder::new();
    let text: String = (0..400).map(|n| format!("line {n}{}", if n % 3 == 0 { "\r\n" } else { "\n" })).collect();
    let text = format!("\u{feff}{text}the last");
    let expected: Vec<String> = (0..400).map(|n| format!("line {n}")).chain(["the last".to_owned()]).collect();
    let plain = folder.file("text", &text);
    let packed = folder.file("text.gz", gzip(text.as_bytes()));
    for (path, bytes) in [(&plain, 300), (&plain, 1 << 20), (&packed, 300)] {
        SourceCheck::<Str, _>::new(|| lines(path).split_bytes(bytes)).rows(&expected).in_order().run().assert();
    }
}

#[test]
fn rows_in_memory() {
    let few: Vec<u32> = (0..500).collect();
    SourceCheck::<Lent<u32>, _>::new(|| rows(few.clone())).rows(&few).in_order().run().assert();
    let many: Vec<u16> = (0..70_000).map(|n| n as u16).collect();
    let data: std::sync::Arc<[u16]> = many.clone().into();
    SourceCheck::<Owned<u16>, _>::new(|| rows(data.clone())).rows(&many).in_order().run().assert();
}

#[test]
fn iterators() {
    let expected: Vec<String> = (0..3000).map(|n| format!("row {n}")).collect();
    let make = || iter(|| (0..3000).map(|n| format!("row {n}")));
    SourceCheck::<Owned<String>, _>::new(make).rows(&expected).in_order().run().assert();
    let slow =
        || iter(|| (0..20u32).inspect(|n| std::thread::sleep(std::time::Duration::from_millis(u64::from(n % 2)))));
    SourceCheck::<Owned<u32>, _>::new(slow).rows(0..20u32).in_order().run().assert();
}

#[test]
fn generated_rows() {
    let square = |n: u64| n * n;
    let expected: Vec<u64> = (0..9000).map(square).collect();
    SourceCheck::<Owned<u64>, _>::new(|| generate(square).limit(9000)).rows(&expected).in_order().run().assert();
    check_source::<Owned<u64>, _>(|| generate(square).limit(0), [0u64; 0]).assert();
}

#[test]
fn channels() {
    let expected: Vec<String> = (0..300).map(|n| format!("row {n}")).collect();
    let make = || {
        let (sender, receiver) = bounded(1000);
        expected.iter().for_each(|row| sender.send(row.clone()).unwrap());
        channel(receiver)
    };
    let why = "rows are gone when they are taken";
    SourceCheck::<Owned<String>, _>::new(make).rows(&expected).in_order().without_replay(why).run().assert();
    type Target = ((Sender<Trip>, Receiver<Trip>), RefCell<Vec<Trip>>);
    let target = || (bounded(1000), RefCell::new(Vec::new()));
    let visible = |((_, receiver), seen): &Target| {
        seen.borrow_mut().extend(std::iter::from_fn(|| receiver.try_recv().ok()));
        seen.borrow().clone()
    };
    let check = SinkCheck::new(target, |((sender, _), _): &Target| channel(sender.clone()), visible, trips(40));
    check.without_fencing("what it writes to ends with the process").run().assert();
}

#[test]
fn what_a_server_sends() {
    let expected: Vec<String> = (0..200).map(|n| format!("line {n}")).collect();
    let text: String = expected.iter().map(|line| format!("{line}\n")).collect();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        while let Ok((mut to, _)) = listener.accept() {
            let _ = to.write_all(text.as_bytes());
        }
    });
    let make = || lines(tcp(&address));
    SourceCheck::<Str, _>::new(make).rows(&expected).in_order().without_replay("a server sends on").run().assert();
}

#[test]
fn functions_that_are_called_with_each_row() {
    type Target = std::rc::Rc<RefCell<Vec<Trip>>>;
    let sink = |target: &Target| {
        let target = target.clone();
        for_each(move |trip: Trip| target.borrow_mut().push(trip))
    };
    let check = SinkCheck::new(Target::default, sink, |target| target.borrow().clone(), trips(40));
    check.at_once("whoever is called has seen the row").run().assert();
}

fn csv_rows(path: &Path) -> Vec<Trip> {
    match ::csv::Reader::from_path(path) {
        Ok(mut lines) => lines.deserialize().map(Result::unwrap).collect(),
        Err(_) => Vec::new(),
    }
}

#[test]
fn one_csv_file_as_a_sink() {
    let folders = RefCell::new(Vec::new());
    let target = || {
        folders.borrow_mut().push(Folder::new());
        folders.borrow().last().unwrap().0.join("out.csv")
    };
    let report = SinkCheck::new(target, |path: &PathBuf| csv(path), |path| csv_rows(path), trips(40));
    let report = report.visible_at_finish().run();
    println!("{report}");
    report.assert();
}

#[test]
fn a_folder_of_csv_files_as_a_sink() {
    let folders = RefCell::new(Vec::new());
    let target = || {
        folders.borrow_mut().push(Folder::new());
        PathBuf::from(format!("{}/out/", folders.borrow().last().unwrap().0.display()))
    };
    let visible = |path: &PathBuf| shown(path).iter().flat_map(|path| csv_rows(path)).collect::<Vec<_>>();
    let report = SinkCheck::new(target, |path: &PathBuf| csv(path), visible, trips(40)).run();
    println!("{report}");
    report.assert();
}

fn json_rows(path: &Path) -> Vec<Trip> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn one_json_file_and_a_folder_of_them_as_a_sink() {
    let folders = RefCell::new(Vec::new());
    let place = || {
        folders.borrow_mut().push(Folder::new());
        folders.borrow().last().unwrap().0.clone()
    };
    let one = || place().join("out.json");
    let check = SinkCheck::new(one, |path: &PathBuf| json(path), |path| json_rows(path), trips(40));
    check.visible_at_finish().run().assert();
    let many = || PathBuf::from(format!("{}/out/", place().display()));
    let visible = |path: &PathBuf| shown(path).iter().flat_map(|path| json_rows(path)).collect::<Vec<_>>();
    SinkCheck::new(many, |path: &PathBuf| json(path), visible, trips(40)).run().assert();
}

#[test]
fn folders_with_files_of_several_epochs() {
    use pelton::sink::{Roll, Rolls};
    let folders = RefCell::new(Vec::new());
    let target = || {
        folders.borrow_mut().push(Folder::new());
        PathBuf::from(format!("{}/out/", folders.borrow().last().unwrap().0.display()))
    };
    let visible = |path: &PathBuf| shown(path).iter().flat_map(|path| csv_rows(path)).collect::<Vec<_>>();
    // As many files as rows, some, and one for each writer.
    for at in [1, 60, 1 << 30] {
        let sink = |path: &PathBuf| csv(path).rolling(Roll::new(Some(std::time::Duration::from_secs(3600)), Some(at)));
        SinkCheck::new(target, sink, visible, trips(40)).visible_in_its_time().run().assert();
    }
}

/// The files of a folder as whoever reads it sees them.
fn shown(folder: &Path) -> Vec<PathBuf> {
    let names = folder.read_dir().into_iter().flatten().map(|entry| entry.unwrap().path());
    names.filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.')).collect()
}

#[test]
fn collected_rows() {
    type Target = (Collected<Trip>, RefCell<Vec<Trip>>);
    let visible = |(collected, seen): &Target| {
        seen.borrow_mut().extend(collected.take());
        seen.borrow().clone()
    };
    let target = || (Collected::new(), RefCell::new(Vec::new()));
    let check = SinkCheck::new(target, |(collected, _): &Target| collect(collected), visible, trips(40));
    let report = check.without_fencing("what it writes to ends with the process").run();
    report.assert();
    assert_eq!(
        report.checks().iter().filter(|check| matches!(check.outcome, Outcome::Skipped(_))).count(),
        2,
        "no fencing, and it takes nothing back"
    );
}

#[cfg(feature = "log")]
mod log {
    use super::{Folder, RefCell, Trip, trips};
    use pelton::connect::log::{Batch, Log, NewRecord, Topic, log};
    use pelton::testing::{Owned, SinkCheck, SourceCheck, Str};
    use std::path::PathBuf;

    fn feed(topic: &Topic, partition: u32, trips: &[Trip]) {
        let values: Vec<Vec<u8>> = trips.iter().map(|trip| serde_json::to_vec(trip).unwrap()).collect();
        topic.append(values.iter().map(|value| NewRecord::new(value).partition(partition))).unwrap();
    }

    /// Some records of both partitions are aborted, in the middle and at the end.
    fn with_aborted(topic: &Topic) {
        let mut transaction = topic.log().producer("other").unwrap().begin();
        for partition in [0, 1, 0] {
            transaction.append(topic, NewRecord::new("{").partition(partition)).unwrap();
        }
        let producer = topic.log().producer("another").unwrap();
        let ticket = transaction.prepare();
        assert!(ticket.is_ok());
        drop(producer);
        let owner = topic.log().producer("other").unwrap();
        assert_eq!(owner.abort_all().unwrap(), 1);
    }

    #[test]
    fn a_topic_as_a_source() {
        let folder = Folder::new();
        let path = folder.0.join("a.log");
        let topic = Log::open(&path).unwrap().create_topic("trips", 2).unwrap();
        let expected = trips(90);
        feed(&topic, 0, &expected[..30]);
        with_aborted(&topic);
        feed(&topic, 0, &expected[30..40]);
        feed(&topic, 1, &expected[40..60]);
        with_aborted(&topic);
        let make = || log(&path).topic("trips").json().bounded();
        SourceCheck::<Owned<Trip>, _>::new(make).rows(&expected[..60]).in_order().run().assert();
        let more = || {
            feed(&topic, 1, &expected[60..70]);
            with_aborted(&topic);
            topic.add_partitions(1).unwrap();
            feed(&topic, 2, &expected[70..90]);
        };
        let make = || log(&path).topic("trips").json();
        let report = SourceCheck::<Owned<Trip>, _>::new(make)
            .rows(&expected[..60])
            .in_order()
            .grows(more, &expected[60..])
            .run();
        println!("{report}");
        report.assert();
    }

    #[test]
    fn a_topic_of_text() {
        let folder = Folder::new();
        let path = folder.0.join("a.log");
        let topic = Log::open(&path).unwrap().create_topic("t", 1).unwrap();
        let texts: Vec<String> = (0..50).map(|n| format!("text {n}")).collect();
        topic.append(texts.iter().map(NewRecord::new)).unwrap();
        SourceCheck::<Str, _>::new(|| log(&path).topic("t").text().bounded()).rows(&texts).run().assert();
        SourceCheck::<Owned<String>, _>::new(|| log(&path).topic("t").text()).rows(&texts).endless().run().assert();
        let bytes: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
        let make = || log(&path).topic("t").bytes().bounded();
        SourceCheck::<Owned<Vec<u8>>, _>::new(make).rows(&bytes).run().assert();
    }

    #[test]
    fn a_topic_as_a_sink() {
        let folders = RefCell::new(Vec::new());
        let target = || {
            folders.borrow_mut().push(Folder::new());
            folders.borrow().last().unwrap().0.join("a.log")
        };
        let visible = |path: &PathBuf| {
            let log = Log::open(path).unwrap();
            let Ok(topic) = log.topic("out") else { return Vec::new() };
            let (mut all, mut batch) = (Vec::<Trip>::new(), Batch::new());
            for partition in 0..topic.partitions().unwrap() {
                topic.read(partition, 0, 1000, &mut batch).unwrap();
                all.extend(batch.records().map(|record| serde_json::from_slice(record.value).unwrap()));
                // What is not seen is gone, and holds nothing back.
            }
            all
        };
        let sink = |path: &PathBuf| log(path).topic("out").json().partitions(3).key(|trip: &Trip| trip.from.clone());
        let report = SinkCheck::new(target, sink, visible, trips(40)).run();
        println!("{report}");
        report.assert();
    }
}
