//! Jobs between topics of a log: what comes in goes out once, at any width; partitions that come while it runs are read;
//! a run that fails publishes whole epochs or nothing, and harms no later one.

#![cfg(feature = "log")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod log_kit;

use log_kit::{Folder, values};
use pelton::Restart;
use pelton::connect::log::{Log, NewRecord, Topic};
use pelton::prelude::*;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
fn an_endless_job_publishes_each_epoch_until_it_fails_and_leaves_nothing_open() {
    let folder = Folder::new();
    let path = folder.path().join("a.log");
    let log = Log::open(&path).unwrap();
    let topic = log.create_topic("in", 2).unwrap();
    topic.append([NewRecord::new("before").partition(0)]).unwrap();
    let job = std::thread::spawn({
        let path = path.clone();
        move || Forward { path }.run(Config::default().workers(2))
    });
    let published = |rows: &[&str]| {
        eventually(&format!("{rows:?}"), || log.topic("out").is_ok() && all(&log, "out") == rows);
    };
    published(&["before"]);
    topic.append([NewRecord::new("then").partition(0)]).unwrap();
    published(&["before", "then"]);
    topic.append([NewRecord::new("elsewhere").partition(1)]).unwrap();
    published(&["before", "then", "elsewhere"]);
    topic.append([NewRecord::new("not any more").partition(1), NewRecord::new("stop").partition(1)]).unwrap();
    let error = job.join().unwrap().unwrap_err().to_string();
    assert!(error.contains("told to stop") && error.contains("topic `in`, partition 1, record 3"), "{error}");
    // Nothing is left that would hold readers back.
    assert_eq!(all(&log, "out"), ["before", "then", "elsewhere"]);
    assert_eq!(log.unresolved("out/out").unwrap(), []);
}

stream! {
    job ByCard<Memory> {
        param path: PathBuf;
        /// The amount at which it fails.
        param stop: i64;
        source payments: Payment = log(path).topic("payments").json(), event_time |p| p.at, late_by 0s, idle_after 300ms;
        let passed = payments.inspect(|p| assert!(p.cents != stop, "told to stop"));
        let minutes = passed.key_by(|p| p.card).window(tumbling 1min).aggregate(sum(|p| p.cents));
        let rows: (String, i64, i64) = minutes.map(|m| (m.key, m.start.millis() / 60_000, m.value));
        let late: i64 = minutes.late.map(|p| p.cents);
        sink out(rows) = log(path).topic("spent").json();
        sink too_late(late) = log(path).topic("late").json();
    }
}

/// A payment in this minute, for a partition.
fn pay(topic: &Topic, partition: u32, card: &str, minute: i64, cents: i64) {
    let payment = Payment { at: Timestamp::from_millis(minute * 60_000), card: card.to_owned(), cents };
    let value = serde_json::to_vec(&payment).unwrap();
    topic.append([NewRecord::new(&value).partition(partition)]).unwrap();
}

fn sorted(log: &Log, topic: &str) -> Vec<String> {
    let mut rows = if log.topic(topic).is_ok() { all(log, topic) } else { Vec::new() };
    rows.sort();
    rows
}

#[test]
fn what_was_promised_holds_behind_a_restart_at_another_width() {
    for (before, after) in [(1, 3), (3, 1), (2, 3)] {
        let folder = Folder::new();
        let path = folder.path().join("shop.log");
        let log = Log::open(&path).unwrap();
        let topic = log.create_topic("payments", 5).unwrap();
        let run = |workers: usize, stop: i64| {
            let config = Config::default()
                .workers(workers)
                .checkpoints(format!("memory://promised-{before}-{after}"))
                .checkpoint_every(Duration::from_millis(30))
                .restart(Restart::Never);
            let path = path.clone();
            std::thread::spawn(move || ByCard { path, stop }.run(config).unwrap_err().to_string())
        };
        (0..5).for_each(|partition| pay(&topic, partition, &format!("card {partition}"), 0, 7));
        // All but the last one go on, which falls idle.
        (0..4).for_each(|partition| pay(&topic, partition, "many", 5, 1));
        let first = run(before, -1);
        let mut rows: Vec<String> = (0..5).map(|n| format!(r#"["card {n}",0,7]"#)).collect();
        eventually("the first minute", || sorted(&log, "spent") == rows);
        pay(&topic, 0, "any", 5, -1);
        assert!(first.join().unwrap().contains("told to stop"));
        // While nobody reads: what is older than what was reached, where nothing has come for long, and in a partition that
        // is new. It is late, and no window speaks again.
        pay(&topic, 4, "card 4", 0, 10);
        topic.add_partitions(1).unwrap();
        pay(&topic, 5, "card 0", 0, 20);
        let second = run(after, -2);
        eventually("late rows", || sorted(&log, "late") == ["10", "20"]);
        (0..6).for_each(|partition| pay(&topic, partition, "many", 9, 2));
        rows.extend([r#"["any",5,-1]"#.to_owned(), r#"["many",5,4]"#.to_owned()]);
        rows.sort();
        eventually("the fifth minute", || sorted(&log, "spent") == rows);
        pay(&topic, 0, "any", 9, -2);
        assert!(second.join().unwrap().contains("told to stop"));
        assert_eq!(sorted(&log, "late"), ["10", "20"], "{before} workers, then {after}");
    }
}

#[test]
fn partitions_beyond_the_number_of_workers_are_read_also_those_that_are_added_and_time_goes_on() {
    for workers in [1, 2, 3] {
        let folder = Folder::new();
        let path = folder.path().join("shop.log");
        let log = Log::open(&path).unwrap();
        let topic = log.create_topic("payments", 5).unwrap();
        (0..5).for_each(|partition| pay(&topic, partition, &format!("card {partition}"), 0, 7));
        let job = std::thread::spawn({
            let path = path.clone();
            move || ByCard { path, stop: -1 }.run(Config::default().workers(workers).epoch(Duration::from_millis(50)))
        });
        let sorted = |topic: &str| sorted(&log, topic);
        // One partition stays where it is, falls idle, and the others go on.
        (0..4).for_each(|partition| pay(&topic, partition, "many", 5, 1));
        let mut rows: Vec<String> = (0..5).map(|n| format!(r#"["card {n}",0,7]"#)).collect();
        eventually("the first minute", || sorted("spent") == rows);
        topic.add_partitions(3).unwrap();
        (5..8).for_each(|partition| pay(&topic, partition, "new", 6, partition.into()));
        // Wherever the new ones begin, this comes too late in them.
        pay(&topic, 6, "new", 0, 99);
        eventually("a late row", || sorted("late") == ["99"]);
        (0..8).for_each(|partition| pay(&topic, partition, "many", 9, 2));
        rows.extend([r#"["many",5,4]"#.to_owned(), r#"["new",6,18]"#.to_owned()]);
        eventually("the minutes of the new ones", || sorted("spent") == rows);
        pay(&topic, 7, "any", 0, -1);
        let error = job.join().unwrap().unwrap_err().to_string();
        assert!(error.contains("told to stop"), "{error}");
        assert_eq!((sorted("spent"), sorted("late")), (rows, vec!["99".to_owned()]), "{workers} workers");
    }
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

/// Panics at each multiple of `every` rows, so many times in all.
#[derive(Clone)]
pub struct Trap {
    seen: Arc<AtomicU64>,
    every: u64,
    left: Arc<AtomicU64>,
}

impl Trap {
    fn new(every: u64, times: u64) -> Self {
        Trap { seen: Arc::default(), every, left: Arc::new(AtomicU64::new(times)) }
    }
    /// Slow enough for some checkpoints.
    fn pass(&self) {
        let seen = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        if seen.is_multiple_of(50) {
            std::thread::sleep(Duration::from_millis(2));
        }
        if seen.is_multiple_of(self.every)
            && self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
        {
            panic!("trapped at row {seen}");
        }
    }
}

stream! {
    job Trapped<Memory> {
        param path: PathBuf;
        param trap: Trap;
        source payments: Payment = log(path).topic("payments").json().bounded();
        let passed = payments.inspect(|_| trap.pass());
        let rows: (String, i64) = passed.map(|p| (p.card, p.cents));
        let sums = passed.key_by(|p| p.card).aggregate(sum(|p| p.cents), emit at_end, unbounded("few keys"));
        sink each(rows) = log(path).topic("each").json().partitions(2);
        sink out(sums) = log(path).topic("sums").json();
    }
}

/// What is published by a run that nothing happens to.
fn undisturbed(rows: i64) -> (Vec<String>, Vec<String>) {
    let folder = Folder::new();
    let path = folder.path().join("shop.log");
    let log = Log::open(&path).unwrap();
    fill(&log.create_topic("payments", 3).unwrap(), rows);
    Trapped { path, trap: Trap::new(1, 0) }.run(Config::default().workers(1)).unwrap();
    published(&log)
}

fn published(log: &Log) -> (Vec<String>, Vec<String>) {
    let (mut each, mut sums) = (all(log, "each"), all(log, "sums"));
    each.sort();
    sums.sort();
    (each, sums)
}

#[test]
fn a_run_that_fails_and_goes_on_publishes_each_row_once() {
    let expected = undisturbed(6_000);
    assert_eq!((expected.0.len(), expected.1.len()), (6_000, 7));
    for workers in 1..=3 {
        let folder = Folder::new();
        let path = folder.path().join("shop.log");
        let log = Log::open(&path).unwrap();
        fill(&log.create_topic("payments", 3).unwrap(), 6_000);
        let restart = Restart::Fixed { pause: Duration::ZERO, at_most: 1000 };
        let config = Config::default()
            .workers(workers)
            .checkpoints(format!("memory://log-jobs-{workers}"))
            .checkpoint_every(Duration::from_millis(20))
            .restart(restart);
        // So seldom that all of it happens within the rows that there are, however few are read again.
        let trap = Trap::new(900, 6);
        // The log goes wrong meanwhile, too.
        let (faults, over) = (log.faults().clone(), Arc::new(AtomicU64::new(0)));
        let spoiler = std::thread::spawn({
            let over = over.clone();
            move || {
                for turn in 0.. {
                    std::thread::sleep(Duration::from_millis(45));
                    if over.load(Ordering::SeqCst) == 1 {
                        return faults.come_back();
                    }
                    match turn % 5 {
                        0 => faults.lose_answers_to_commits(1),
                        1 => faults.fail_commits(1),
                        2 => faults.fail_prepares(1),
                        3 => faults.fail_appends(1),
                        _ => faults.go_away_for(Duration::from_millis(3)),
                    }
                    if turn == 14 {
                        return faults.come_back();
                    }
                }
            }
        });
        Trapped { path, trap: trap.clone() }.run(config).unwrap();
        over.store(1, Ordering::SeqCst);
        spoiler.join().unwrap();
        assert_eq!(trap.left.load(Ordering::Relaxed), 0, "it has failed as often as it was to");
        let found = published(&log);
        assert_eq!(found.0.len(), expected.0.len(), "{workers} workers");
        assert!(found == expected, "{workers} workers");
        for id in ["each/each", "sums/out"] {
            assert_eq!(log.unresolved(id).unwrap(), []);
        }
    }
}

#[test]
#[ignore = "run by others in a process of its own"]
fn child_runs() {
    let folder = PathBuf::from(std::env::var("PELTON_TEST_FOLDER").unwrap());
    let workers = std::env::var("PELTON_TEST_WORKERS").unwrap().parse().unwrap();
    let config = Config::default()
        .workers(workers)
        .checkpoints(folder.join("checkpoints").display().to_string())
        .checkpoint_every(Duration::from_millis(30));
    Trapped { path: folder.join("shop.log"), trap: Trap::new(1, 0) }.run(config).unwrap();
}

stream! {
    job Forever<Memory> {
        param path: PathBuf;
        source payments: Payment = log(path).topic("payments").json(), event_time |p| p.at, late_by 1h, never_idle;
        let minutes = payments.key_by(|p| p.card).window(tumbling 1min).aggregate(sum(|p| p.cents));
        let rows: (String, i64, i64) = minutes.map(|m| (m.key, m.start.millis() / 60_000, m.value));
        let each: i64 = payments.map(|p| p.cents);
        sink every(each) = log(path).topic("each").json().partitions(2);
        sink out(rows) = log(path).topic("spent").json();
        drop minutes.late;
    }
}

#[test]
#[ignore = "run by others in a process of its own"]
fn child_runs_forever() {
    let folder = PathBuf::from(std::env::var("PELTON_TEST_FOLDER").unwrap());
    let workers = std::env::var("PELTON_TEST_WORKERS").unwrap().parse().unwrap();
    let config = Config::default()
        .workers(workers)
        .checkpoints(folder.join("checkpoints").display().to_string())
        .checkpoint_every(Duration::from_millis(30));
    Forever { path: folder.join("shop.log") }.run(config).unwrap();
}

#[test]
fn an_endless_job_that_is_killed_goes_on_at_another_width_while_its_topic_grows() {
    const ROUNDS: u64 = 8;
    let folder = Folder::new();
    let log = Log::open(folder.path().join("shop.log")).unwrap();
    let topic = log.create_topic("payments", 4).unwrap();
    let number = |topic: &str| if log.topic(topic).is_ok() { all(&log, topic).len() } else { 0 };
    let (mut next, mut sums) = (0i64, std::collections::BTreeMap::<(String, i64), i64>::new());
    for round in 0..ROUNDS {
        let mut job = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_runs_forever", "--ignored", "--test-threads=1"])
            .env("PELTON_TEST_FOLDER", folder.path())
            .env("PELTON_TEST_WORKERS", (1 + round % 3).to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Partitions come while it runs, and while it does not.
        if round % 2 == 1 {
            topic.add_partitions(1).unwrap();
        }
        for burst in 0..4 {
            let partitions = topic.partitions().unwrap();
            let rows: Vec<(u32, Payment)> = (0..150)
                .map(|_| {
                    next += 1;
                    let card = format!("card {}", next % 5);
                    let at = Timestamp::from_millis(next * 500);
                    *sums.entry((card.clone(), next * 500 / 60_000)).or_default() += next;
                    (next as u32 % partitions, Payment { at, card, cents: next })
                })
                .collect();
            let values: Vec<_> = rows.iter().map(|(to, row)| (*to, serde_json::to_vec(row).unwrap())).collect();
            topic.append(values.iter().map(|(to, value)| NewRecord::new(value).partition(*to))).unwrap();
            if burst < 3 {
                let before = number("each");
                eventually("something more", || number("each") > before || number("each") == next as usize);
            }
        }
        if round % 2 == 0 {
            topic.add_partitions(1).unwrap();
        }
        if round + 1 == ROUNDS {
            eventually("all rows", || number("each") == next as usize);
            // Time goes on everywhere, and all that is open closes.
            let end = Payment { at: Timestamp::from_millis(24 * 3_600_000), card: "end".to_owned(), cents: 0 };
            let end = serde_json::to_vec(&end).unwrap();
            topic.append((0..topic.partitions().unwrap()).map(|to| NewRecord::new(&end).partition(to))).unwrap();
            eventually("all windows", || number("spent") >= sums.len());
        } else {
            std::thread::sleep(Duration::from_millis(round * 13 % 40));
        }
        job.kill().unwrap();
        job.wait().unwrap();
    }
    let mut each: Vec<i64> = all(&log, "each").iter().map(|row| row.parse().unwrap()).filter(|n| *n > 0).collect();
    each.sort_unstable();
    assert_eq!(each, (1..=next).collect::<Vec<_>>());
    let mut spent = all(&log, "spent");
    spent.sort();
    let mut expected: Vec<String> =
        sums.into_iter().map(|((card, minute), sum)| format!(r#"["{card}",{minute},{sum}]"#)).collect();
    expected.sort();
    assert_eq!(spent, expected);
}

#[test]
fn a_job_that_is_killed_again_and_again_publishes_each_row_once() {
    let expected = undisturbed(20_000);
    let folder = Folder::new();
    let log = Log::open(folder.path().join("shop.log")).unwrap();
    fill(&log.create_topic("payments", 3).unwrap(), 20_000);
    // How much is committed to the topic of all rows.
    let committed = || match log.topic("each") {
        Ok(topic) => (0..2).map(|partition| topic.extent(partition).unwrap().stable).sum(),
        Err(_) => 0,
    };
    let mut kills = 0;
    for round in 0..100u64 {
        let before = committed();
        let mut job = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_runs", "--ignored", "--test-threads=1"])
            .env("PELTON_TEST_FOLDER", folder.path())
            .env("PELTON_TEST_WORKERS", (1 + round % 3).to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It is killed a moment after it has got on, or, each third time, wherever it is by then.
        let began = Instant::now();
        let soon = Duration::from_millis(if round % 3 == 2 { 100 + round * 10 } else { 30_000 });
        let ended = loop {
            match job.try_wait().unwrap() {
                Some(ended) => break Some(ended),
                None if kills < 15 && (committed() > before || began.elapsed() > soon) => break None,
                None => assert!(began.elapsed() < Duration::from_secs(60), "it does not end"),
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        if let Some(ended) = ended {
            assert!(ended.success(), "{ended}");
            break;
        }
        std::thread::sleep(Duration::from_millis(round * 7 % 40));
        job.kill().unwrap();
        job.wait().unwrap();
        kills += 1;
    }
    assert!(kills >= 5, "{kills} kills: it runs too fast for this test");
    let found = published(&log);
    assert_eq!(found.0.len(), expected.0.len(), "after {kills} kills");
    assert!(found == expected, "after {kills} kills");
    println!("{kills} kills");
}
