//! Rows without a key on their way to other workers: `rebalance`, `shuffle`, `broadcast`, `partition_by`, `global`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "support/everywhere.rs"]
#[allow(dead_code, reason = "a part of it is used")]
mod everywhere;

use everywhere::same;
use pelton::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which worker this is: the name of its thread.
fn here() -> String {
    std::thread::current().name().unwrap_or_default().to_owned()
}

pelton::stream! {
    job Spread<Memory> {
        param data: Arc<[u64]>;
        param shards: u64 = 6;

        source numbers: u64 = rows(data);
        let odd = numbers.filter(|n| n % 2 == 1);
        let turn: (String, u64) = odd.rebalance().map(|n| (here(), n));
        let chance: (String, u64) = odd.map(|n| n + 1).shuffle().filter(|n| *n > 0).map(|n| (here(), n));
        let all: (String, u64) = odd.broadcast().map(|n| (here(), n));
        let named: (String, u64) = odd.partition_by(|r, n| r / 2 % shards + n as u64).map(|n| (here(), n));
        let one: (String, u64) = odd.global().map(|n| (here(), n));
        // on to a key, and again
        let sums: (u64, u64) = odd.rebalance().flat_map(|n| [n, n]).shuffle().map(|n| n * 2).key_by(|n| n % 3)
            .aggregate(count(), emit at_end, unbounded("three"));
        let same: u64 = union(odd, numbers).rebalance();
        sink a(turn) = collect();
        sink b(chance) = collect();
        sink c(all) = collect();
        sink d(named) = collect();
        sink e(one) = collect();
        sink f(sums) = collect();
        sink g(same) = collect();
    }
}

fn per_worker(rows: &[(String, u64)]) -> BTreeMap<&str, usize> {
    let mut all = BTreeMap::new();
    for (worker, _) in rows {
        *all.entry(worker.as_str()).or_default() += 1;
    }
    all
}

fn numbers(rows: &[(String, u64)]) -> Vec<u64> {
    rows.iter().map(|row| row.1).collect()
}

#[test]
fn every_row_arrives_where_it_should() {
    for workers in 1..=3usize {
        for wire in [false, true] {
            let config = Config::default().workers(workers).wire(wire);
            let results = Spread { data: (0..6000).collect(), shards: 6 }.run(config).unwrap();
            let odd = || (0..6000u64).filter(|n| n % 2 == 1);
            same(numbers(&results.a), odd());
            same(numbers(&results.b), odd().map(|n| n + 1));
            same(numbers(&results.c), (0..workers).flat_map(|_| odd()));
            same(numbers(&results.d), odd());
            same(numbers(&results.e), odd());
            same(results.f, [(0, 2000), (1, 2000), (2, 2000)]);
            same(results.g, odd().chain(0..6000));
            let turn = per_worker(&results.a);
            assert!(turn.len() == workers && turn.values().all(|n| n.abs_diff(3000 / workers) <= workers), "{turn:?}");
            let chance = per_worker(&results.b);
            assert!(chance.len() == workers && chance.values().all(|n| n.abs_diff(3000 / workers) < 200), "{chance:?}");
            assert!(per_worker(&results.c).values().all(|n| *n == 3000));
            assert_eq!(per_worker(&results.e).len(), 1);
            // a shard is on one worker
            let mut shards = BTreeMap::<u64, Vec<&str>>::new();
            results.d.iter().for_each(|(worker, n)| shards.entry(n / 2 % 6).or_default().push(worker));
            assert!(shards.values().all(|on| on.iter().all(|worker| worker == &on[0])));
            assert_eq!(per_worker(&results.d).len(), workers);
        }
    }
}

type Event = (i64, u64);

#[derive(Record, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    start: i64,
    rows: u64,
    sum: u64,
}

pelton::stream! {
    job Whole<Memory> {
        param data: Arc<[Event]>;

        source events: Event = rows(data), event_time |e| Timestamp::from_millis(e.0), late_by 1s, ordered_splits;
        let windows: Found = events.global().window(tumbling 10s).aggregate((count(), sum(|e| e.1)))
            .map(|w| Found { start: w.start.millis(), rows: w.value.0, sum: w.value.1 });
        let all = events.global();
        let total: u64 = all.aggregate(sum(|e| e.1), emit at_end, unbounded("one")).map(|((), sum)| sum);
        let least: Event = all.reduce(|a, b| a.min(b), emit at_end, unbounded("one")).map(|(_, least)| least);
        let first: Event = all.process {
            state seen: Value<u64>, unbounded("one");
            on event(e, cx) { seen.update(|n| n + 1); if e.1 == 0 { cx.emit(e) } }
            on end(cx) { cx.emit((-1, *seen.get().unwrap_or(&0))) }
        };
        let here: (String, u64) = all.map(|e| (here(), e.1));
        let late: Event = windows.late;
        // what is spread and brought together again has its time with it
        let again: Found = events.rebalance().map(|e| e).key_by(|_| 7u8).window(tumbling 10s).aggregate((count(), sum(|e| e.1)))
            .map(|w| Found { start: w.start.millis(), rows: w.value.0, sum: w.value.1 });
        sink a(windows) = collect();
        sink b(total) = collect();
        sink c(least) = collect();
        sink d(first) = collect();
        sink e(here) = collect();
        sink f(late) = collect();
        sink g(again) = collect();
        drop again.late;
    }
}

#[test]
fn global_is_one_key_for_operators_with_state_and_one_worker_for_others() {
    for (workers, wire) in (1..=3).flat_map(|workers| [(workers, false), (workers, true)]) {
        let config = Config::default().workers(workers).wire(wire);
        // a second behind the latest at most, but for one row that is late; whether it is late for several senders, they decide together
        let mut data: Vec<Event> = (0..5000i64).map(|n| (n * 20 - n * 7919 % 1000, n as u64)).collect();
        let late = if workers == 1 { 4000 } else { usize::MAX };
        if let Some(row) = data.get_mut(late) {
            row.0 = 5;
        }
        let mut windows = BTreeMap::<i64, Found>::new();
        for (n, (at, value)) in data.iter().enumerate() {
            let start = at.div_euclid(10_000) * 10_000;
            let found = windows.entry(start).or_insert(Found { start, rows: 0, sum: 0 });
            if n != late {
                (found.rows, found.sum) = (found.rows + 1, found.sum + value);
            }
        }
        let results = Whole { data: data.clone().into() }.run(config).unwrap();
        same(results.a, windows.clone().into_values());
        same(results.f, data.get(late).copied());
        assert_eq!((results.b, results.c), (vec![(0..5000).sum()], vec![*data.iter().min().unwrap()]));
        same(results.d, [data[0], (-1, 5000)]);
        assert_eq!(per_worker(&results.e).len(), 1);
        same(numbers(&results.e), 0..5000);
        same(results.g, windows.into_values());
    }
}

#[test]
fn the_plan_has_the_kind_of_each_edge() {
    let config = Config::default().workers(2);
    let plan = Spread { data: Arc::new([]), shards: 1 }.plan(&config).unwrap();
    let text = plan.to_string();
    for how in [
        "to each worker in turn; cut because of rebalance",
        "to any worker, by chance; cut because of shuffle",
        "to every worker; cut because of broadcast",
        "to the worker that the block names; cut because of partition_by",
        "to one worker; cut because of global",
    ] {
        assert!(text.contains(how), "{how}: {text}");
    }
    assert!(plan.edges.iter().all(|edge| edge.bound_bytes > 0));
    let plan = Whole { data: Arc::new([]) }.plan(&config).unwrap();
    let combined = plan.edges.iter().filter(|edge| edge.because == "global" && edge.combined).count();
    // the window has late rows that go somewhere; the total is combined in front
    assert_eq!(combined, 1, "{plan}");
}
