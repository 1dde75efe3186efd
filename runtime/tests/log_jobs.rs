//! Jobs between topics of a log: what comes in goes out once, at any width; partitions that come while it runs are read;
//! a run that fails publishes whole epochs or nothing, and harms no later one.

#![cfg(feature = "log")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod log_kit;

use log_kit::{Folder, values};
use pelton::connect::log::{Log, NewRecord, Topic};
use pelton::prelude::*;
use std::time::{Duration, Instant};

#[derive(Record, Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Payment {
    at: Timestamp,
    card: String,
    cents: i64,
}

#[derive(Record, Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Spent {
    card: String,
    from: Timestamp,
    cents: i64,
}

stream! {
    pub job PerMinute<Memory> {
        param path: PathBuf;
        source payments: Payment = log(path).topic("payments").json().bounded(), event_time |p| p.at, late_by 5s;
        let minutes = payments.key_by(|p| p.card).window(tumbling 1min).aggregate(sum(|p| p.cents));
        let rows: Spent = minutes.map(|m| Spent { card: m.key, from: m.start, cents: m.value });
        sink out(rows) = log(path).topic("spent").json().partitions(3).key(|s: &Spent| s.card.clone());
        drop minutes.late;
    }
}

stream! {
    pub job Forward<Memory> {
        param path: PathBuf;
        source texts: String = log(path).topic("in").text();
        let kept = texts.inspect(|t| assert!(t != "stop", "told to stop"));
        sink out(kept) = log(path).topic("out").text();
    }
}

fn fill(topic: &Topic, n: i64) -> i64 {
    let payments = (0..n).map(|n| Payment {
        at: Timestamp::from_millis(n * 1000),
        card: format!("card {}", n % 7),
        cents: n * n % 1000,
    });
    let values: Vec<(String, Vec<u8>)> = payments.map(|p| (p.card.clone(), serde_json::to_vec(&p).unwrap())).collect();
    topic.append(values.iter().map(|(card, value)| NewRecord::new(value).key(card))).unwrap();
    (0..n).map(|n| n * n % 1000).sum()
}

fn all(log: &Log, topic: &str) -> Vec<String> {
    let topic = log.topic(topic).unwrap();
    (0..topic.partitions().unwrap()).flat_map(|partition| values(&topic, partition)).collect()
}

#[test]
fn a_job_between_two_topics_gives_the_same_at_any_width() {
    let mut answers = Vec::new();
    for workers in [1, 2, 3] {
        let folder = Folder::new();
        let path = folder.path().join("shop.log");
        let log = Log::open(&path).unwrap();
        let cents = fill(&log.create_topic("payments", 4).unwrap(), 1000);
        PerMinute { path: path.clone() }.run(Config::default().workers(workers)).unwrap();
        let mut rows = all(&log, "spent");
        let found: i64 = rows.iter().map(|row| serde_json::from_str::<Spent>(row).unwrap().cents).sum();
        assert_eq!(found, cents);
        // A key's records are in one partition, in the order of their windows.
        let spent = log.topic("spent").unwrap();
        for partition in 0..3 {
            let rows = values(&spent, partition);
            let rows: Vec<Spent> = rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
            let mine: Vec<_> = rows.iter().filter(|row| row.card == "card 3").map(|row| row.from).collect();
            assert!(mine.is_empty() || mine.len() == 17, "{mine:?}");
            assert!(mine.is_sorted(), "{mine:?}");
        }
        rows.sort();
        answers.push(rows);
        // The log goes on from there with the next run.
        PerMinute { path }.run(Config::default().workers(workers)).unwrap();
        assert_eq!(all(&log, "spent").len(), 2 * answers[0].len());
    }
    assert!(answers.array_windows().all(|[a, b]| a == b));
    assert_eq!(answers[0].len(), 17 * 7);
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_endless_job_reads_what_comes_also_in_new_partitions_and_publishes_each_epoch() {
    let folder = Folder::new();
    let path = folder.path().join("a.log");
    let log = Log::open(&path).unwrap();
    let topic = log.create_topic("in", 1).unwrap();
    topic.append([NewRecord::new("before")]).unwrap();
    let job = std::thread::spawn({
        let path = path.clone();
        move || Forward { path }.run(Config::default().workers(2))
    });
    let published = |rows: &[&str]| {
        eventually(&format!("{rows:?}"), || log.topic("out").is_ok() && all(&log, "out") == rows);
    };
    published(&["before"]);
    topic.append([NewRecord::new("then")]).unwrap();
    published(&["before", "then"]);
    topic.add_partitions(1).unwrap();
    topic.append([NewRecord::new("elsewhere").partition(1)]).unwrap();
    published(&["before", "then", "elsewhere"]);
    topic.append([NewRecord::new("not any more").partition(1), NewRecord::new("stop").partition(1)]).unwrap();
    let error = job.join().unwrap().unwrap_err().to_string();
    assert!(error.contains("told to stop") && error.contains("topic `in`, partition 1, record 3"), "{error}");
    // Nothing is left that would hold readers back.
    assert_eq!(all(&log, "out"), ["before", "then", "elsewhere"]);
    assert_eq!(log.unresolved("out/out").unwrap(), []);
}

#[test]
fn a_log_that_goes_away_ends_the_run_and_the_next_one_begins_anew() {
    let folder = Folder::new();
    let path = folder.path().join("shop.log");
    let log = Log::open(&path).unwrap();
    fill(&log.create_topic("payments", 2).unwrap(), 200);
    log.faults().fail_prepares(1);
    let error = PerMinute { path: path.clone() }.run(Config::default().workers(2)).unwrap_err().to_string();
    assert!(error.contains("sink `out`: the log was told to fail: a transaction is not prepared"), "{error}");
    assert_eq!(all(&log, "spent"), [""; 0]);
    log.faults().fail_commits(1);
    let error = PerMinute { path: path.clone() }.run(Config::default().workers(2)).unwrap_err().to_string();
    assert!(error.contains("a commit is refused"), "{error}");
    assert_eq!(all(&log, "spent"), [""; 0]);
    log.faults().go_away();
    let error = PerMinute { path: path.clone() }.run(Config::default().workers(2)).unwrap_err().to_string();
    assert!(error.contains("the log is away"), "{error}");
    log.faults().come_back();
    PerMinute { path }.run(Config::default().workers(2)).unwrap();
    assert_eq!(all(&log, "spent").len(), 28);
    assert_eq!(log.unresolved("spent/out").unwrap(), []);
}

#[test]
fn mistakes_are_told_at_the_source() {
    let folder = Folder::new();
    let path = folder.path().join("shop.log");
    let log = Log::open(&path).unwrap();
    log.create_topic("payment", 1).unwrap();
    let error = PerMinute { path: path.clone() }.run(Config::default()).unwrap_err().to_string();
    assert!(error.contains("source `payments`: the log has no topic `payments`"), "{error}");
    assert!(error.contains("help: there is a topic `payment`"), "{error}");
    let topic = log.create_topic("payments", 1).unwrap();
    topic.append([NewRecord::new("{\"at\": 7}")]).unwrap();
    let error = PerMinute { path }.run(Config::default()).unwrap_err().to_string();
    assert!(error.contains("the record is no row") && error.contains("partition 0, record 1"), "{error}");
}
