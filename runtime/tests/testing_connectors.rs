//! The conformance kit over the connectors that there are. Standard input and output, of which a process has one, and the sink that forgets are in
//! `testing_standard`.

#![cfg(feature = "testing")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, reason = "not every test needs all of it")]
mod source_kit;

use pelton::channel::{Receiver, Sender, bounded, channel};
use pelton::sink::{Collected, collect, for_each};
use pelton::source::{csv, generate, iter, json, lines, rows, tcp};
use pelton::testing::{Lent, Outcome, Owned, SinkCheck, SourceCheck, Str, check_source};
use serde::{Deserialize, Serialize};
use source_kit::{Folder, gzip, zstd};
use std::cell::RefCell;
use std::io::Write;
use std::path::{Path, PathBuf};

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

/// A text as the files that it may stand in: as it is, and packed; cut within a row where there are several members or frames.
fn files(folder: &Folder, name: &str, text: &str) -> Vec<PathBuf> {
    let (front, back) = text.as_bytes().split_at(text.len() / 2);
    // A frame that is to be skipped, as some packers write it.
    let skipped = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let file = |ending: &str, bytes: &[u8]| folder.file(&format!("{name}{ending}"), bytes);
    vec![
        file("", text.as_bytes()),
        file(".gz", &gzip(text.as_bytes())),
        file(".zst", &zstd(text.as_bytes())),
        file(".members.gz", &[gzip(front), gzip(b""), gzip(back)].concat()),
        file(".frames.zst", &[&zstd(front), &skipped[..], &zstd(back)].concat()),
    ]
}

#[test]
fn csv_files() {
    let folder = Folder::new();
    let expected = trips(300);
    let text = csv_text(&expected);
    for path in &files(&folder, "trips.csv", &text) {
        SourceCheck::<Owned<Trip>, _>::new(|| csv(path).split_bytes(500)).rows(&expected).in_order().run().assert();
    }
    let whole = folder.path().join("trips.csv");
    SourceCheck::<Owned<Trip>, _>::new(|| csv(&whole)).rows(&expected).in_order().run().assert();
    let empty = folder.file("empty.csv", "from,minutes\n");
    check_source::<Owned<Trip>, _>(|| csv(&empty), [(); 0]).assert();
}

#[test]
fn json_files() {
    let folder = Folder::new();
    let expected = trips(300);
    let text: String = expected.iter().map(|trip| serde_json::to_string(trip).unwrap() + "\n").collect();
    for path in &files(&folder, "trips.json", &text) {
        SourceCheck::<Owned<Trip>, _>::new(|| json(path).split_bytes(500)).rows(&expected).in_order().run().assert();
    }
    let whole = folder.path().join("trips.json");
    SourceCheck::<Owned<Trip>, _>::new(|| json(&whole)).rows(&expected).in_order().run().assert();
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
    let whole = format!("{}/", folder.path().display());
    let pattern = format!("{}/*.json", folder.path().display());
    for path in [whole, pattern] {
        SourceCheck::<Owned<Trip>, _>::new(|| json(&path).split_bytes(400)).rows(&expected).in_order().run().assert();
    }
}

/// A file that comes while the folder is watched: under its name only when it is whole.
fn comes(folder: &Folder, name: &str, bytes: &[u8]) {
    let hidden = folder.file(&format!(".{name}"), bytes);
    std::fs::rename(hidden, folder.path().join(name)).unwrap();
}

#[test]
fn watched_folders_and_patterns() {
    let every = pelton::TimeSpan::from_millis(2);
    let expected = trips(60);
    let (first, later) = expected.split_at(40);
    for pattern in ["", "*.csv*"] {
        let folder = Folder::new();
        folder.file("a.csv", csv_text(&first[..20]));
        folder.file("b.csv.zst", zstd(csv_text(&first[20..]).as_bytes()));
        let path = format!("{}/{pattern}", folder.path().display());
        let more = || {
            comes(&folder, "c.csv.gz", &gzip(csv_text(&later[..10]).as_bytes()));
            comes(&folder, "d.csv", csv_text(&later[10..]).as_bytes());
        };
        let make = || csv(&path).watch(every);
        let report = SourceCheck::<Owned<Trip>, _>::new(make).rows(first).in_order().grows(more, later).run();
        println!("{report}");
        report.assert();
    }
    let folder = Folder::new();
    let text =
        |trips: &[Trip]| trips.iter().map(|trip| serde_json::to_string(trip).unwrap() + "\n").collect::<String>();
    folder.file("a.json", text(first));
    let path = format!("{}/", folder.path().display());
    let more = || comes(&folder, "b.json", text(later).as_bytes());
    let make = || json(&path).watch(every);
    SourceCheck::<Owned<Trip>, _>::new(make).rows(first).in_order().grows(more, later).run().assert();
    let folder = Folder::new();
    folder.file("a", "one\ntwo");
    let path = format!("{}/", folder.path().display());
    let more = || comes(&folder, "b", b"three\n\n");
    let make = || lines(&path).watch(every);
    SourceCheck::<Str, _>::new(make).rows(["one", "two"]).in_order().grows(more, ["three", ""]).run().assert();
}

#[test]
fn text_files() {
    let folder = Folder::new();
    let text: String = (0..400).map(|n| format!("line {n}{}", if n % 3 == 0 { "\r\n" } else { "\n" })).collect();
    let text = format!("\u{feff}{text}the last");
    let expected: Vec<String> = (0..400).map(|n| format!("line {n}")).chain(["the last".to_owned()]).collect();
    for path in &files(&folder, "text", &text) {
        SourceCheck::<Str, _>::new(|| lines(path).split_bytes(300)).rows(&expected).in_order().run().assert();
    }
    let whole = folder.path().join("text");
    SourceCheck::<Str, _>::new(|| lines(&whole)).rows(&expected).in_order().run().assert();
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
        folders.borrow().last().unwrap().path().join("out.csv")
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
        PathBuf::from(format!("{}/out/", folders.borrow().last().unwrap().path().display()))
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
        folders.borrow().last().unwrap().path().to_owned()
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
        PathBuf::from(format!("{}/out/", folders.borrow().last().unwrap().path().display()))
    };
    let visible = |path: &PathBuf| shown(path).iter().flat_map(|path| csv_rows(path)).collect::<Vec<_>>();
    let lines = |path: &PathBuf| shown(path).iter().flat_map(|path| json_rows(path)).collect::<Vec<_>>();
    // As many files as rows, some, and one for each writer.
    for at in [1, 60, 1 << 30] {
        let roll = Roll::new(Some(std::time::Duration::from_secs(3600)), Some(at));
        let sink = |path: &PathBuf| csv(path).rolling(roll);
        SinkCheck::new(target, sink, visible, trips(40)).visible_in_its_time().run().assert();
        let sink = |path: &PathBuf| json(path).rolling(roll);
        SinkCheck::new(target, sink, lines, trips(40)).visible_in_its_time().run().assert();
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
        let path = folder.path().join("a.log");
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
        let path = folder.path().join("a.log");
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
            folders.borrow().last().unwrap().path().join("a.log")
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
