//! The log by itself: transactions, fencing, what a reader sees, faults on request, damage, several processes, kills.

#![cfg(feature = "log")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod log_kit;

use log_kit::{Folder, values};
use pelton::Timestamp;
use pelton::connect::log::{Batch, Extent, Log, LogError, NewRecord, Producer, Ticket, Topic, TransactionState};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn prepared(producer: &Producer, topic: &Topic, values: &[&str]) -> Ticket {
    let mut transaction = producer.begin();
    for value in values {
        transaction.append(topic, NewRecord::new(*value)).unwrap();
    }
    transaction.prepare().unwrap().unwrap()
}

#[test]
fn records_come_back_as_they_went_in_also_when_the_log_is_opened_anew() {
    let folder = Folder::new();
    let path = folder.path().join("a.log");
    let at = Timestamp::from_millis(-7);
    {
        let topic = Log::open(&path).unwrap().create_topic("t", 2).unwrap();
        topic.append([NewRecord::new("one").key("k").at(at).partition(1), NewRecord::new("").partition(1)]).unwrap();
        assert_eq!(topic.extent(1).unwrap(), Extent { end: 2, stable: 2 });
    }
    let log = Log::open(&path).unwrap();
    let topic = log.topic("t").unwrap();
    let mut batch = Batch::new();
    topic.read(1, 0, 10, &mut batch).unwrap();
    let records: Vec<_> = batch.records().collect();
    assert_eq!(
        (records[0].offset, records[0].at, records[0].key, records[0].value),
        (0, at, Some(&b"k"[..]), &b"one"[..])
    );
    assert_eq!((records[1].offset, records[1].key, records[1].value), (1, None, &b""[..]));
    // A record without a time has that of its appending.
    assert!(records[1].at > "2024-01-01T00:00:00Z".parse().unwrap());
    assert_eq!((batch.len(), batch.next_offset()), (2, 2));
    assert_eq!(values(&topic, 0), [""; 0]);
    assert_eq!(log.topics().unwrap(), ["t"]);
}

#[test]
fn keys_keep_their_partition_and_records_without_one_go_round() {
    let folder = Folder::new();
    let topic = Log::open(folder.path().join("a.log")).unwrap().create_topic("t", 3).unwrap();
    let texts: Vec<String> = (0..30).map(|n| n.to_string()).collect();
    topic.append(texts.iter().map(NewRecord::new)).unwrap();
    assert_eq!((0..3).map(|p| values(&topic, p).len()).collect::<Vec<_>>(), [10, 10, 10]);
    topic.append(texts.iter().map(|text| NewRecord::new("x").key(text))).unwrap();
    topic.append(texts.iter().map(|text| NewRecord::new("x").key(text))).unwrap();
    let mut batch = Batch::new();
    let mut found = BTreeMap::<Vec<u8>, Vec<u32>>::new();
    for partition in 0..3 {
        topic.read(partition, 10, 100, &mut batch).unwrap();
        assert!(batch.len() >= 10, "keys do not spread");
        for record in batch.records() {
            found.entry(record.key.unwrap().to_vec()).or_default().push(partition);
        }
    }
    assert_eq!(found.len(), 30);
    assert!(found.values().all(|partitions| partitions.len() == 2 && partitions[0] == partitions[1]));
}

/// Whoever looks while somebody else makes the log sees a log, and not tables of another program.
#[test]
fn a_new_log_may_be_opened_by_several_at_once() {
    for _ in 0..30 {
        let folder = Folder::new();
        let path = folder.path().join("new.log");
        let start = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for n in 0..4 {
                let (path, start) = (&path, &start);
                scope.spawn(move || {
                    start.wait();
                    Log::open(path).unwrap().create_topic(&format!("topic {n}"), 1).unwrap();
                });
            }
        });
    }
}

#[test]
fn nothing_is_seen_before_its_commit_nor_behind_an_open_transaction() {
    let folder = Folder::new();
    let log = Log::open(folder.path().join("a.log")).unwrap();
    let topic = log.create_topic("t", 1).unwrap();
    let (one, two) = (log.producer("one").unwrap(), log.producer("two").unwrap());
    let first = prepared(&one, &topic, &["a", "b"]);
    topic.append([NewRecord::new("plain")]).unwrap();
    let second = prepared(&two, &topic, &["c"]);
    two.commit([&second]).unwrap();
    assert_eq!(values(&topic, 0), [""; 0]);
    assert_eq!(topic.extent(0).unwrap(), Extent { end: 4, stable: 0 });
    one.abort([&first]).unwrap();
    assert_eq!(values(&topic, 0), ["plain", "c"]);
    assert_eq!(topic.extent(0).unwrap(), Extent { end: 4, stable: 4 });
    // Aborted records at the end are passed over too.
    let third = prepared(&one, &topic, &["d"]);
    one.abort([&third]).unwrap();
    let mut batch = Batch::new();
    topic.read(0, 4, 9, &mut batch).unwrap();
    assert_eq!((batch.len(), batch.next_offset()), (0, 5));
}

#[test]
fn commits_and_aborts_can_be_repeated_and_contradict_each_other() {
    let folder = Folder::new();
    let path = folder.path().join("a.log");
    let (yes, no, epoch) = {
        let log = Log::open(&path).unwrap();
        let topic = log.create_topic("t", 1).unwrap();
        let producer = log.producer("job").unwrap();
        let (yes, no) = (prepared(&producer, &topic, &["yes"]), prepared(&producer, &topic, &["no"]));
        assert_eq!((yes.sequence, no.sequence), (0, 1));
        producer.commit([&yes]).unwrap();
        producer.abort([&no]).unwrap();
        (yes, no, producer.epoch())
    };
    // After a crash the next owner does it again.
    let log = Log::open(&path).unwrap();
    let producer = log.producer("job").unwrap();
    assert!(producer.epoch() > epoch);
    producer.commit([&yes]).unwrap();
    producer.abort([&no]).unwrap();
    assert!(matches!(producer.commit([&no]), Err(LogError::Aborted(_))));
    assert!(matches!(producer.abort([&yes]), Err(LogError::Committed(_))));
    let never = Ticket { sequence: 99, ..yes.clone() };
    assert!(matches!(producer.commit([&never]), Err(LogError::Unknown(_))));
    // Another epoch's transaction of the same number is not this one.
    let other = Ticket { epoch: epoch + 7, ..yes.clone() };
    assert!(matches!(producer.commit([&other]), Err(LogError::Unknown(_))));
    assert_eq!(values(&log.topic("t").unwrap(), 0), ["yes"]);
    assert_eq!(Ticket::decode(&yes.encode()), Some(yes.clone()));
    for len in 0..yes.encode().len() {
        assert_eq!(Ticket::decode(&yes.encode()[..len]), None);
    }
}

#[test]
fn a_commit_of_several_is_all_or_nothing() {
    let folder = Folder::new();
    let log = Log::open(folder.path().join("a.log")).unwrap();
    let topic = log.create_topic("t", 1).unwrap();
    let producer = log.producer("job").unwrap();
    let (a, b) = (prepared(&producer, &topic, &["a"]), prepared(&producer, &topic, &["b"]));
    producer.abort([&b]).unwrap();
    assert!(matches!(producer.commit([&a, &b]), Err(LogError::Aborted(_))));
    assert_eq!(values(&topic, 0), [""; 0]);
    producer.commit([&a]).unwrap();
    assert_eq!(values(&topic, 0), ["a"]);
}

#[test]
fn a_zombie_can_do_nothing_and_its_open_transaction_is_aborted() {
    let folder = Folder::new();
    let log = Log::open(folder.path().join("a.log")).unwrap();
    let topic = log.create_topic("t", 1).unwrap();
    let old = log.producer("job").unwrap();
    let ready = prepared(&old, &topic, &["ready"]);
    let mut open = old.begin();
    for _ in 0..9000 {
        // More than what waits in memory.
        open.append(&topic, NewRecord::new("open")).unwrap();
    }
    assert_eq!(topic.extent(0).unwrap().end, 1 + 8192);
    let new = log.producer("job").unwrap();
    assert_eq!(log.unresolved("job").unwrap(), [(ready.clone(), TransactionState::Prepared)]);
    let fenced = |result: Result<(), LogError>| match result {
        Err(LogError::Fenced { epoch, current, .. }) => assert_eq!((epoch, current), (old.epoch(), new.epoch())),
        other => panic!("{other:?}"),
    };
    fenced(open.prepare().map(drop));
    fenced(old.commit([&ready]));
    fenced(old.abort([&ready]));
    let mut late = old.begin();
    late.append(&topic, NewRecord::new("late")).unwrap();
    fenced(late.commit());
    new.commit([&ready]).unwrap();
    assert_eq!(values(&topic, 0), ["ready"]);
    // Of another id it is no business.
    let other = log.producer("other").unwrap();
    assert!(matches!(other.commit([&ready]), Err(LogError::Refused(_))));
}

#[test]
fn what_owners_before_have_left_can_be_aborted() {
    let folder = Folder::new();
    let log = Log::open(folder.path().join("a.log")).unwrap();
    let topic = log.create_topic("t", 1).unwrap();
    let old = log.producer("job").unwrap();
    let (a, b) = (prepared(&old, &topic, &["a"]), prepared(&old, &topic, &["b"]));
    let new = log.producer("job").unwrap();
    let c = prepared(&new, &topic, &["c"]);
    new.commit([&a]).unwrap();
    assert_eq!(new.abort_earlier().unwrap(), 1);
    assert_eq!(log.unresolved("job").unwrap(), [(c.clone(), TransactionState::Prepared)]);
    assert!(matches!(new.commit([&b]), Err(LogError::Aborted(_))));
    new.commit([&c]).unwrap();
    prepared(&new, &topic, &["d"]);
    assert_eq!((new.abort_all().unwrap(), new.abort_all().unwrap()), (1, 0));
    assert_eq!(values(&topic, 0), ["a", "c"]);
}

#[test]
fn partitions_are_added_while_a_transaction_is_open() {
    let folder = Folder::new();
    let log = Log::open(folder.path().join("a.log")).unwrap();
    let topic = log.create_topic("t", 1).unwrap();
    let mut transaction = log.producer("job").unwrap().begin();
    let into_second = NewRecord::new("x").partition(1);
    transaction.append(&topic, into_second).unwrap();
    log.topic("t").unwrap().add_partitions(1).unwrap();
    assert_eq!(topic.partitions().unwrap(), 2);
    transaction.commit().unwrap();
    assert_eq!(values(&topic, 1), ["x"]);
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let folder = Folder::new();
    let log = Log::open(folder.path().join("a.log")).unwrap();
    let topic = log.create_topic("payments", 2).unwrap();
    let wrong = log.topic("payment").unwrap_err();
    assert_eq!(wrong.to_string(), "the log has no topic `payment`");
    assert_eq!(wrong.help().unwrap(), "there is a topic `payments`");
    assert_eq!(log.topic("x").unwrap_err().help().unwrap(), "there are: payments");
    assert_eq!(log.create_topic("payments", 2).unwrap().name(), "payments");
    assert!(matches!(log.create_topic("payments", 3), Err(LogError::TopicExists { partitions: 2, .. })));
    assert!(matches!(log.create_topic("", 3), Err(LogError::Refused(_))));
    assert!(matches!(log.create_topic("x", 0), Err(LogError::Refused(_))));
    assert!(matches!(topic.add_partitions(u32::MAX), Err(LogError::Refused(_))));
    assert!(matches!(log.producer(&"x".repeat(256)), Err(LogError::Refused(_))));
    let mut batch = Batch::new();
    assert!(matches!(topic.read(2, 0, 1, &mut batch), Err(LogError::NoPartition { there: 2, .. })));
    assert!(matches!(topic.read(0, 1, 1, &mut batch), Err(LogError::OutOfRange { end: 0, .. })));
    let nowhere = [NewRecord::new("x").partition(0), NewRecord::new("x").partition(7)];
    assert!(matches!(topic.append(nowhere), Err(LogError::NoPartition { partition: 7, .. })));
    assert_eq!(values(&topic, 0), [""; 0], "half of what was appended together");
    let told = Log::open(folder.path()).unwrap_err().to_string();
    assert!(told.contains("is a directory"), "{told}");
    let told = Log::open(folder.path().join("no/such.log")).unwrap_err().to_string();
    assert!(told.contains("cannot find the directory"), "{told}");
    let text = folder.file("text", "this is no log, but it is as long as one might be ".repeat(300));
    let told = Log::open(text).unwrap_err().to_string();
    assert!(told.contains("it is no log"), "{told}");
}

#[test]
fn one_process_has_one_log_however_its_path_is_written() {
    let folder = Folder::new();
    let log = Log::open(folder.path().join("a.log")).unwrap();
    log.create_topic("t", 1).unwrap();
    std::os::unix::fs::symlink(folder.path().join("a.log"), folder.path().join("link")).unwrap();
    for path in ["./a.log", "link"] {
        let again = Log::open(folder.path().join(path)).unwrap();
        log.faults().go_away();
        assert!(matches!(again.topics(), Err(LogError::Away)), "{path}");
        again.faults().come_back();
        assert_eq!(log.topics().unwrap(), ["t"]);
    }
}

#[test]
fn faults_come_when_they_are_asked_for_and_end() {
    let folder = Folder::new();
    let log = Log::open(folder.path().join("a.log")).unwrap();
    let topic = log.create_topic("t", 1).unwrap();
    let producer = log.producer("job").unwrap();
    let faults = log.faults();

    faults.fail_appends(2);
    assert!(matches!(topic.append([NewRecord::new("x")]), Err(LogError::Injected(_))));
    let mut transaction = producer.begin();
    assert!(matches!(transaction.append(&topic, NewRecord::new("x")), Err(LogError::Injected(_))));
    transaction.append(&topic, NewRecord::new("a")).unwrap();
    let ticket = transaction.prepare().unwrap().unwrap();

    faults.fail_commits(1);
    assert!(matches!(producer.commit([&ticket]), Err(LogError::Injected(_))));
    assert_eq!(values(&topic, 0), [""; 0]);
    faults.lose_answers_to_commits(1);
    assert!(matches!(producer.commit([&ticket]), Err(LogError::Injected(_))));
    assert_eq!(values(&topic, 0), ["a"], "it took effect");
    producer.commit([&ticket]).unwrap();
    assert_eq!(values(&topic, 0), ["a"], "once");

    faults.fail_prepares(1);
    let mut transaction = producer.begin();
    transaction.append(&topic, NewRecord::new("b")).unwrap();
    assert!(matches!(transaction.prepare(), Err(LogError::Injected(_))));
    assert_eq!(log.unresolved("job").unwrap(), []);

    faults.go_away_for(Duration::from_millis(100));
    assert!(matches!(topic.partitions(), Err(LogError::Away)));
    let began = Instant::now();
    while topic.partitions().is_err() {
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(5));
    }
    faults.delay(Duration::from_millis(30));
    let began = Instant::now();
    topic.partitions().unwrap();
    assert!(began.elapsed() >= Duration::from_millis(30));
    faults.come_back();
}

#[test]
fn a_failed_transaction_is_not_half_there() {
    let folder = Folder::new();
    let log = Log::open(folder.path().join("a.log")).unwrap();
    let topic = log.create_topic("t", 1).unwrap();
    let producer = log.producer("job").unwrap();
    let mut transaction = producer.begin();
    let big = vec![b'x'; 1 << 20];
    transaction.append(&topic, NewRecord::new(&big)).unwrap();
    log.faults().go_away();
    assert!(matches!(transaction.append(&topic, NewRecord::new(&big)), Err(LogError::Away)));
    log.faults().come_back();
    assert!(matches!(transaction.append(&topic, NewRecord::new(&big)), Err(LogError::Failed)));
    assert_eq!(topic.extent(0).unwrap(), Extent { end: 1, stable: 0 });
    drop(transaction);
    assert_eq!(topic.extent(0).unwrap(), Extent { end: 1, stable: 1 });
    assert_eq!(values(&topic, 0), [""; 0]);
}

#[test]
fn old_transactions_are_forgotten_and_said_to_be() {
    let folder = Folder::new();
    let log = Log::open(folder.path().join("a.log")).unwrap();
    let topic = log.create_topic("t", 1).unwrap();
    let producer = log.producer("job").unwrap();
    let first = prepared(&producer, &topic, &["first"]);
    let kept = prepared(&producer, &topic, &["kept"]);
    producer.commit([&first]).unwrap();
    for _ in 0..1100 {
        let mut transaction = producer.begin();
        transaction.append(&topic, NewRecord::new("x")).unwrap();
        transaction.commit().unwrap();
    }
    assert!(matches!(producer.commit([&first]), Err(LogError::Unknown(_))));
    // What is not resolved is never forgotten.
    producer.commit([&kept]).unwrap();
    assert_eq!(values(&topic, 0).len(), 1102);
}

#[test]
fn watchers_are_told_of_commits_and_not_after_they_are_gone() {
    let folder = Folder::new();
    let log = Log::open(folder.path().join("a.log")).unwrap();
    let topic = log.create_topic("t", 1).unwrap();
    let told = Arc::new(AtomicUsize::new(0));
    let waker = told.clone();
    let watch = log.watch(Arc::new(move || {
        waker.fetch_add(1, Ordering::SeqCst);
    }));
    topic.append([NewRecord::new("x")]).unwrap();
    assert!(told.load(Ordering::SeqCst) >= 1);
    drop(watch);
    let before = told.load(Ordering::SeqCst);
    topic.append([NewRecord::new("x")]).unwrap();
    assert_eq!(told.load(Ordering::SeqCst), before);
}

/// What a random history does next.
#[derive(Clone, Copy, Debug)]
enum Step {
    TakeOver(usize),
    Append(usize, u32),
    Prepare(usize),
    Commit(usize),
    Abort(usize),
    Plain(u32),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0usize..2).prop_map(Step::TakeOver),
        6 => (0usize..4, 0u32..2).prop_map(|(t, p)| Step::Append(t, p)),
        2 => (0usize..4).prop_map(Step::Prepare),
        2 => (0usize..8).prop_map(Step::Commit),
        2 => (0usize..8).prop_map(Step::Abort),
        1 => (0u32..2).prop_map(Step::Plain),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Against a list of who wrote what: a reader sees exactly the committed records before the first unresolved one.
    #[test]
    fn a_reader_sees_what_is_committed_in_order_up_to_what_is_not_resolved(
        steps in proptest::collection::vec(step(), 1..60)
    ) {
        #[derive(Clone, Copy, PartialEq, Debug)]
        enum Fate { Unresolved, Committed, Aborted }
        let folder = Folder::new();
        let path = folder.path().join("a.log");
        let mut log = Log::open(&path).unwrap();
        let mut topic = log.create_topic("t", 2).unwrap();
        let mut producers = vec![log.producer("p0").unwrap(), log.producer("p1").unwrap()];
        // What each partition holds, with the transaction that wrote it, and what became of those.
        let mut lanes: [Vec<(String, usize)>; 2] = Default::default();
        let mut fates: Vec<Fate> = Vec::new();
        let mut open: BTreeMap<usize, (pelton::connect::log::Transaction, Vec<(u32, String)>)> = BTreeMap::new();
        let mut tickets: Vec<(usize, usize, Ticket)> = Vec::new();
        let mut number = 0;
        for step in steps {
            number += 1;
            let text = number.to_string();
            match step {
                Step::TakeOver(who) => {
                    producers[who] = log.producer(&format!("p{who}")).unwrap();
                }
                Step::Append(slot, partition) => {
                    let (transaction, texts) = open.entry(slot).or_insert_with(|| (producers[slot % 2].begin(), Vec::new()));
                    transaction.append(&topic, NewRecord::new(&text).partition(partition)).unwrap();
                    texts.push((partition, text));
                }
                Step::Prepare(slot) => if let Some((transaction, texts)) = open.remove(&slot) {
                    match transaction.prepare() {
                        Ok(ticket) => {
                            let id = fates.len();
                            fates.push(Fate::Unresolved);
                            for (partition, text) in texts {
                                lanes[partition as usize].push((text, id));
                            }
                            tickets.push((id, slot % 2, ticket.unwrap()));
                        }
                        Err(error) => prop_assert!(matches!(error, LogError::Fenced { .. }), "{}", error),
                    }
                },
                Step::Commit(which) => if let Some((id, who, ticket)) = tickets.get(which % tickets.len().max(1)) {
                    let done = producers[*who].commit([ticket]);
                    match fates[*id] {
                        Fate::Aborted => prop_assert!(matches!(done, Err(LogError::Aborted(_))), "{:?}", done),
                        _ => { done.unwrap(); fates[*id] = Fate::Committed; }
                    }
                },
                Step::Abort(which) => if let Some((id, who, ticket)) = tickets.get(which % tickets.len().max(1)) {
                    let done = producers[*who].abort([ticket]);
                    match fates[*id] {
                        Fate::Committed => prop_assert!(matches!(done, Err(LogError::Committed(_))), "{:?}", done),
                        _ => { done.unwrap(); fates[*id] = Fate::Aborted; }
                    }
                },
                Step::Plain(partition) => {
                    topic.append([NewRecord::new(&text).partition(partition)]).unwrap();
                    lanes[partition as usize].push((text, fates.len()));
                    fates.push(Fate::Committed);
                }
                Step::Reopen => {
                    open.clear();
                    producers.clear();
                    drop(topic);
                    drop(log);
                    log = Log::open(&path).unwrap();
                    topic = log.topic("t").unwrap();
                    producers = vec![log.producer("p0").unwrap(), log.producer("p1").unwrap()];
                }
            }
            for partition in 0..2 {
                let lane = &lanes[partition as usize];
                let stable = lane.iter().position(|(_, id)| fates[*id] == Fate::Unresolved).unwrap_or(lane.len());
                let expected: Vec<&String> =
                    lane[..stable].iter().filter(|(_, id)| fates[*id] == Fate::Committed).map(|(text, _)| text).collect();
                let found = values(&topic, partition);
                prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected);
                prop_assert_eq!(
                    topic.extent(partition).unwrap(),
                    Extent { end: lane.len() as u64, stable: stable as u64 }
                );
            }
        }
    }
}

/// Opens a log and reads everything.
fn all(path: &std::path::Path) -> Result<Vec<Vec<String>>, LogError> {
    let log = Log::open(path)?;
    let topic = log.topic("t")?;
    log.unresolved("job")?;
    let mut found = Vec::new();
    for partition in 0..topic.partitions()? {
        let mut batch = Batch::new();
        topic.read(partition, 0, 10_000, &mut batch)?;
        found.push(batch.records().map(|record| String::from_utf8_lossy(record.value).into_owned()).collect());
    }
    Ok(found)
}

static SHOW: AtomicUsize = AtomicUsize::new(0);

#[test]
fn damage_is_an_error_and_never_another_answer() {
    let folder = Folder::new();
    let path = folder.path().join("a.log");
    {
        let log = Log::open(&path).unwrap();
        let topic = log.create_topic("t", 2).unwrap();
        let texts: Vec<String> = (0..200).map(|n| format!("record {n}")).collect();
        topic.append(texts.iter().map(NewRecord::new)).unwrap();
        prepared(&log.producer("job").unwrap(), &topic, &["open"]);
    }
    let (good, bytes) = (all(&path).unwrap(), std::fs::read(&path).unwrap());
    assert_eq!(good.iter().map(Vec::len).sum::<usize>(), 200);
    // The store reports what it cannot make sense of with panics; they are caught, and need not be printed.
    let (here, hook) = (std::thread::current().id(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() != here || SHOW.load(Ordering::SeqCst) != 0 {
            hook(panic);
        }
    }));
    let (mut found, mut tried) = (0, 0);
    let places = (0..4096).step_by(7).chain((4096..bytes.len()).step_by(211));
    for at in places {
        let mut other = bytes.clone();
        other[at] ^= 1 << (at % 8);
        let copy = folder.file("copy.log", &other);
        tried += 1;
        match all(&copy) {
            Ok(rows) => assert_eq!(rows, good, "byte {at}"),
            Err(_) => found += 1,
        }
        std::fs::remove_file(copy).unwrap();
    }
    for len in (0..bytes.len()).step_by(1999) {
        let copy = folder.file("copy.log", &bytes[..len]);
        // An empty file is a new log, in which nothing is.
        assert!(all(&copy).is_err(), "cut at {len}");
        std::fs::remove_file(copy).unwrap();
    }
    SHOW.store(1, Ordering::SeqCst);
    assert!(found * 20 > tried, "{found} of {tried} flips were found; the others were where nothing is");
}

/// Runs one of the `child_` tests below in a process of its own.
fn child(test: &str, path: &std::path::Path, number: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env("PELTON_TEST_LOG", path)
        .env("PELTON_TEST_NUMBER", number.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn of_child() -> (Log, String) {
    (Log::open(std::env::var("PELTON_TEST_LOG").unwrap()).unwrap(), std::env::var("PELTON_TEST_NUMBER").unwrap())
}

#[test]
#[ignore = "run by others in a process of its own"]
fn child_appends() {
    let (log, number) = of_child();
    let topic = log.topic("t").unwrap();
    for n in 0..40 {
        topic.append([NewRecord::new(&format!("{number}.{n}"))]).unwrap();
    }
}

#[test]
fn processes_share_a_log() {
    let folder = Folder::new();
    let path = folder.path().join("a.log");
    let topic = Log::open(&path).unwrap().create_topic("t", 1).unwrap();
    let (told, told_of) = std::sync::mpsc::channel();
    let told = std::sync::Mutex::new(told);
    let _watch = topic.log().watch(Arc::new(move || {
        let _ = told.lock().unwrap().send(());
    }));
    let mut children: Vec<Child> = (0..2).map(|number| child("child_appends", &path, number)).collect();
    for n in 0..40 {
        topic.append([NewRecord::new(&format!("2.{n}"))]).unwrap();
    }
    // Only what wakes makes it look again.
    while values(&topic, 0).len() < 120 {
        told_of.recv_timeout(Duration::from_secs(30)).expect("nobody said that there is more");
    }
    children.iter_mut().for_each(|child| assert!(child.wait().unwrap().success()));
    let all = values(&topic, 0);
    for number in 0..3 {
        let own = all.iter().filter_map(|text| text.strip_prefix(&format!("{number}.")));
        assert!(own.eq((0..40).map(|n| n.to_string()).collect::<Vec<_>>().iter()), "{number}");
    }
}

#[test]
#[ignore = "run by others in a process of its own"]
fn child_is_killed() {
    let (log, number) = of_child();
    let topic = log.topic("t").unwrap();
    let producer = log.producer("job").unwrap();
    for n in 0.. {
        let mut transaction = producer.begin();
        for record in 0..5 {
            transaction.append(&topic, NewRecord::new(&format!("{number}.{n}.{record}"))).unwrap();
        }
        let ticket = transaction.prepare().unwrap().unwrap();
        println!("\nprepared {n}");
        if n % 3 == 0 {
            producer.abort([&ticket]).unwrap();
            println!("\naborted {n}");
        } else {
            producer.commit([&ticket]).unwrap();
            println!("\ncommitted {n}");
        }
    }
}

#[test]
fn a_killed_process_leaves_whole_transactions() {
    let folder = Folder::new();
    let path = folder.path().join("a.log");
    Log::open(&path).unwrap().create_topic("t", 2).unwrap();
    let (mut expected, mut left) = (BTreeMap::<String, usize>::new(), 0);
    for round in 0..12 {
        let mut process = child("child_is_killed", &path, round);
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        for line in lines.by_ref() {
            said.push(line.unwrap());
            if said.iter().filter(|line| line.starts_with("prepared")).count() > round {
                break;
            }
        }
        std::thread::sleep(Duration::from_micros(700 * round as u64));
        process.kill().unwrap();
        process.wait().unwrap();
        said.extend(lines.map_while(Result::ok));
        for line in &said {
            if let Some(n) = line.strip_prefix("committed ") {
                expected.insert(format!("{round}.{n}"), 5);
            }
        }
        // The next owner finds what is prepared and commits it.
        let log = Log::open(&path).unwrap();
        let owner = log.producer("job").unwrap();
        let unresolved = log.unresolved("job").unwrap();
        left += unresolved.len();
        assert!(unresolved.iter().all(|(_, state)| *state == TransactionState::Prepared));
        owner.commit(unresolved.iter().map(|(ticket, _)| ticket)).unwrap();
        let topic = log.topic("t").unwrap();
        let mut found = BTreeMap::<String, usize>::new();
        for text in (0..2).flat_map(|partition| values(&topic, partition)) {
            *found.entry(text.rsplit_once('.').unwrap().0.to_owned()).or_default() += 1;
        }
        assert!(found.values().all(|records| *records == 5), "half a transaction: {found:?}");
        for (transaction, records) in &expected {
            assert_eq!(found.get(transaction), Some(records), "{transaction} was lost");
        }
        expected = found;
    }
    println!("{left} transactions were left prepared");
}
