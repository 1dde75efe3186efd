//! Flows: parts of a pipeline that are written once and used by name, in the same block, another module or another crate.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use pelton::prelude::*;
use std::collections::{BTreeMap, HashMap};

#[derive(Record, Clone, Debug, PartialEq)]
pub struct Trade {
    pub at: Timestamp,
    pub symbol: String,
    pub price: f64,
    pub size: u32,
}

pelton::stream! {
    /// Trades at no more than a price.
    flow cheap(trades: Stream<Trade>, most: f64) -> Trade {
        let low = trades.filter(|t| t.price <= most);
        return low;
    }

    job Cheap<Memory> {
        param trades: Vec<Trade>;
        param most: f64;

        source all: Trade = rows(trades);
        let low = cheap(all, most);
        let symbols: String = low.map(|t| t.symbol);
        sink out(symbols) = collect();
    }
}

/// What is in another module, as if it were in another crate.
mod other {
    use super::Trade;
    use pelton::prelude::*;

    /// Only known here.
    fn worth(trade: &Trade) -> f64 {
        trade.price * f64::from(trade.size)
    }

    pelton::stream! {
        /// Sums per symbol and hour, and what is too small to count.
        pub flow totals(trades: Stream<Trade>, least: u32) -> sums: (String, Timestamp, u64, f64), late: Trade, small: Trade {
            let part = trades.split {
                good: |t| t.size >= least;
                bad: _;
            };
            let hourly = part.good
                .key_by(|t| t.symbol)
                .window(tumbling 10s)
                .aggregate((count(), sum(worth)));
            let sums = hourly.map(|w| (w.key, w.start, w.value.0, w.value.1));
            return sums, late = hourly.late, small = part.bad;
        }

        /// Rows that differ from the one before, per key.
        pub flow changed<T: Record + Clone + PartialEq, F: Fn(&T) -> u64 + Clone>(rows: Stream<T>, key: F) -> T {
            let out = rows.key_by(&key).process {
                state last: Value<T>, unbounded("few keys");
                on event(r, cx) {
                    if last.get() != Some(&r) {
                        last.set(r.clone());
                        cx.emit(r);
                    }
                }
            };
            return out;
        }

        /// Rows that are borrowed, in and out.
        pub flow words(lines: Stream<&str>) -> &str {
            let words = lines.flat_map(|l| l.split(' ')).filter(|w| !w.is_empty());
            return words;
        }

        /// A flow in a flow, and two streams.
        pub flow both(a: Stream<Trade>, b: Stream<Trade>, least: u32) -> sums: (String, Timestamp, u64, f64), gone: u64 {
            let all = union(a, b);
            let t = totals(all, least.max(1));
            let small = t.small.map(|t| u64::from(t.size));
            let late = t.late.map(|_| 1000u64);
            let gone = union(small, late);
            return sums = t.sums, gone;
        }
    }
}

pelton::stream! {
    job Totals<Memory> {
        param trades: Vec<Trade>;
        param least: u32;

        source all: Trade = rows(trades), event_time |t| t.at, late_by 100ms, ordered_splits;
        let t = other::totals(all, least);
        let sums: (String, Timestamp, u64, f64) = t.sums;
        let late: Trade = t.late;
        let small: u64 = t.small.map(|t| u64::from(t.size));
        sink sums_out(sums) = collect();
        sink late_out(late) = collect();
        sink small_out(small) = collect();
    }

    job Pasted<Memory> {
        param trades: Vec<Trade>;
        param least: u32;

        source all: Trade = rows(trades), event_time |t| t.at, late_by 100ms, ordered_splits;
        let part = all.split {
            good: |t| t.size >= least;
            bad: _;
        };
        let hourly = part.good
            .key_by(|t| t.symbol)
            .window(tumbling 10s)
            .aggregate((count(), sum(|t| t.price * f64::from(t.size))));
        let sums: (String, Timestamp, u64, f64) = hourly.map(|w| (w.key, w.start, w.value.0, w.value.1));
        let late: Trade = hourly.late;
        let small: u64 = part.bad.map(|t| u64::from(t.size));
        sink sums_out(sums) = collect();
        sink late_out(late) = collect();
        sink small_out(small) = collect();
    }

    job Changed<Memory> {
        param numbers: Vec<u64>;

        source all: u64 = rows(numbers);
        let tens = all.map(|n| (n % 10, n / 10));
        let c = other::changed(tens, |r| r.0);
        let again = other::changed(c, |r| r.1);
        let out: (u64, u64) = again.filter(|r| r.0 != 3);
        sink out_here(out) = collect();
    }

    job Words<Memory> {
        param text: PathBuf;

        source all: &str = lines(text);
        let w = other::words(all).key_by(|w| *w).aggregate(count(), emit at_end, unbounded("words"));
        let out: (String, u64) = w.map(|(w, n)| (w.to_owned(), n));
        sink counts(out) = collect();
    }

    job Nested<Memory> {
        param one: Vec<Trade>;
        param two: Vec<Trade>;

        source a: Trade = rows(one), event_time |t| t.at, late_by 100ms, ordered_splits;
        source b: Trade = rows(two), event_time |t| t.at, late_by 100ms, ordered_splits;
        let t = other::both(a, b, 3);
        let sums: (String, Timestamp, u64, f64) = t.sums;
        sink sums_out(sums) = collect();
        let gone: u64 = t.gone;
        sink gone_out(gone) = collect();
    }
}

pelton::stream! {
    /// Rows of any type, once each per key.
    pub job Different<Memory, T: Record + Clone + PartialEq, K: Key> {
        param rows_in: Vec<(K, T)>;
        param most: usize = 3;

        source all: (K, T) = rows(rows_in);
        let some = all.key_by(|r| &r.0).process {
            state kept: List<T>, unbounded("at most three");
            on event(r, cx) {
                if kept.len() < most && kept.iter().all(|it| *it != r.1) {
                    kept.push(r.1.clone());
                    cx.emit(r.1);
                }
            }
        };
        let out: T = some;
        let counts: (K, u64) = all.key_by(|r| &r.0).aggregate(count(), emit at_end, unbounded("few")).map(|(k, n)| (K::own(k), n));
        sink different(out) = collect();
        sink counted(counts) = collect();
    }

    /// Not of any type, in the same block.
    job Plain<Memory> {
        param numbers: Vec<u64>;
        source all: u64 = rows(numbers);
        let c = other::changed(all, |n| *n % 7);
        let out: u64 = c;
        sink changed(out) = collect();
    }
}

pelton::stream! {
    /// Fails at a number, in the flow, or behind it.
    flow careful(rows: Stream<u64>, bad: u64) -> u64, rest: u64 {
        let odd = rows.filter(|n| n % 2 == 1);
        let tried = odd.map(|n| {
            assert_ne!(n, bad, "not this one");
            n
        });
        let totals = rows.key_by(|n| n % 10).aggregate(sum(|n| {
            assert_ne!(*n, bad + 1, "nor this one");
            *n
        }), emit each, unbounded("ten keys"));
        let sums = totals.map(|t| t.1);
        return tried, rest = sums;
    }

    job Careful<Memory> {
        param numbers: Vec<u64>;
        param bad: [u64; 3];

        source all: u64 = rows(numbers);
        let c = careful(all, bad[0]);
        let behind: u64 = c.map(|n| {
            assert_ne!(n, bad[1], "behind it");
            n
        });
        let sums: u64 = c.rest.inspect(|n| assert_ne!(*n, bad[2], "behind the other"));
        sink out(behind, sums) = collect();
    }
}

fn trades(many: usize) -> Vec<Trade> {
    let trade = |n: usize| Trade {
        at: Timestamp::from_millis(n as i64 * 100 + (n * n * 37 % 1900) as i64),
        symbol: ["A", "B", "C", "D", "E"][n * 31 % 5].to_owned(),
        price: (n * 17 % 100) as f64,
        size: (n % 10) as u32,
    };
    (0..many).map(trade).collect()
}

/// Each way of running a job: so many workers, natively and as bytes.
fn ways() -> impl Iterator<Item = Config> {
    (1..=3).flat_map(|workers| [false, true].map(|wire| Config::default().workers(workers).wire(wire)))
}

fn sorted<T: PartialOrd>(mut rows: Vec<T>) -> Vec<T> {
    rows.sort_by(|a, b| a.partial_cmp(b).expect("no NaN"));
    rows
}

#[test]
fn a_stateless_flow_of_the_same_block() {
    for config in ways() {
        let out = Cheap { trades: trades(1000), most: 20.0 }.run(config).unwrap().out;
        let expected = trades(1000).into_iter().filter(|t| t.price <= 20.0).map(|t| t.symbol);
        assert_eq!(sorted(out), sorted(expected.collect()));
    }
}

#[test]
fn a_flow_with_windows_and_outputs_gives_what_the_same_operators_give() {
    let input = || trades(20_000);
    let sizes = |trades: &[Trade]| sorted(trades.iter().map(|t| (t.at, t.size)).collect());
    for (alone, config) in ways().enumerate().map(|(n, config)| (n < 2, config)) {
        let flow = Totals { trades: input(), least: 3 }.run(config.clone()).unwrap();
        let pasted = Pasted { trades: input(), least: 3 }.run(config).unwrap();
        assert!(sorted(flow.small_out) == sorted(pasted.small_out));
        let counted: u64 = flow.sums_out.iter().map(|row| row.2).sum();
        assert_eq!(counted as usize + flow.late_out.len(), 14_000);
        if alone {
            // who is late depends on the input alone
            assert!(flow.late_out.len() > 100, "{}", flow.late_out.len());
            assert!(sorted(flow.sums_out) == sorted(pasted.sums_out));
            assert_eq!(sizes(&flow.late_out), sizes(&pasted.late_out));
        }
    }
}

#[test]
fn a_generic_flow_is_used_twice_each_with_its_own_state() {
    let numbers: Vec<u64> = (0..5000).map(|n| n * n % 97).collect();
    let mut first: HashMap<u64, (u64, u64)> = HashMap::new();
    let mut second: HashMap<u64, (u64, u64)> = HashMap::new();
    let mut expected = vec![];
    for row in numbers.iter().map(|n| (n % 10, n / 10)) {
        if first.insert(row.0, row) != Some(row) && second.insert(row.1, row) != Some(row) && row.0 != 3 {
            expected.push(row);
        }
    }
    for wire in [false, true] {
        let config = Config::default().workers(1).wire(wire);
        let out = Changed { numbers: numbers.clone() }.run(config).unwrap().out_here;
        assert_eq!(out, expected);
    }
    for config in ways() {
        // with several workers the order of rows at the second depends on how they arrive
        let out = Changed { numbers: numbers.clone() }.run(config).unwrap().out_here;
        assert!(!out.is_empty() && out.iter().all(|row| row.0 != 3 && numbers.contains(&(row.0 + row.1 * 10))));
    }
}

#[test]
fn rows_are_borrowed_through_a_flow() {
    let text = std::env::temp_dir().join(format!("pelton-flows-{}.txt", std::process::id()));
    std::fs::write(&text, "a b  a\nc a\n\nb\n".repeat(1000)).unwrap();
    for config in ways() {
        let counts = Words { text: text.clone() }.run(config).unwrap().counts;
        let expected = [("a", 3000u64), ("b", 2000), ("c", 1000)].map(|(word, n)| (word.to_owned(), n));
        assert_eq!(sorted(counts), expected);
    }
    std::fs::remove_file(&text).unwrap();
}

#[test]
fn flows_use_flows() {
    let mut all = trades(5000);
    all.sort_by_key(|t| t.at);
    let (one, two): (Vec<Trade>, Vec<Trade>) = all.into_iter().partition(|t| t.symbol.as_str() < "C");
    let mut sums: BTreeMap<(String, Timestamp), (u64, f64)> = BTreeMap::new();
    for t in trades(5000).iter().filter(|t| t.size >= 3) {
        let hour = Timestamp::from_millis(t.at.millis() / 10_000 * 10_000);
        let sum = sums.entry((t.symbol.clone(), hour)).or_default();
        *sum = (sum.0 + 1, sum.1 + t.price * f64::from(t.size));
    }
    let expected: Vec<_> = sums.into_iter().map(|((symbol, hour), (n, sum))| (symbol, hour, n, sum)).collect();
    for config in ways() {
        let results = Nested { one: one.clone(), two: two.clone() }.run(config).unwrap();
        let late = results.gone_out.iter().filter(|size| **size == 1000).count();
        let small = trades(5000).iter().filter(|t| t.size < 3).count();
        assert_eq!(results.gone_out.len(), late + small);
        let found: u64 = results.sums_out.iter().map(|row| row.2).sum();
        assert_eq!(found as usize + late + small, 5000);
        if late == 0 {
            assert_eq!(sorted(results.sums_out), expected);
        }
    }
}

#[test]
fn the_plan_shows_what_is_inside_of_flows() {
    let job = Nested { one: vec![], two: vec![] };
    let plan = job.plan(&Config::default().workers(1)).unwrap().to_string();
    println!("{plan}");
    for name in ["t/t/hourly", "t/all", "t/t/part.good", "t/t.small", "t.gone", "t.sums", "flow both", "flow totals"] {
        assert!(plan.contains(name), "{name} in\n{plan}");
    }
}

#[test]
fn a_summary_counts_inside_of_flows() {
    let summary = Totals { trades: trades(1000), least: 3 }.run(Config::default().workers(2)).unwrap().summary;
    let rows = |name: &str| {
        let of: Vec<_> = summary.operators.iter().filter(|operator| operator.name == name).collect();
        assert_eq!(of.len(), 1, "{name} in {:?}", summary.operators);
        (of[0].rows_in, of[0].rows_out)
    };
    assert_eq!(rows("t/part.bad"), (1000, 300));
    assert_eq!(rows("t/part.good"), (1000, 700));
    assert_eq!(rows("t.small"), (300, 300));
    assert_eq!(rows("small_out"), (300, 300));
}

#[test]
fn a_job_of_any_type() {
    let rows: Vec<(String, u64)> = (0..1000u64).map(|n| ((n % 4).to_string(), n * n % 5)).collect();
    for config in ways() {
        let results = Different { rows_in: rows.clone(), most: 2 }.run(config).unwrap();
        assert_eq!(results.different.len(), 8);
        assert_eq!(sorted(results.counted)[3], ("3".to_owned(), 250));
    }
    let rows = vec![(1u32, "a".to_owned()), (1, "a".to_owned()), (2, "b".to_owned())];
    let results = Different { rows_in: rows, most: 9 }.run(Config::default()).unwrap();
    assert_eq!(sorted(results.different), ["a", "b"]);
    assert_eq!(Plain { numbers: vec![1, 1, 8, 1] }.run(Config::default()).unwrap().changed, [1, 8, 1]);
}

#[test]
fn a_panic_names_the_operator_wherever_it_is_written() {
    let fails = |bad: [u64; 3]| {
        let ran = Careful { numbers: (0..100).collect(), bad }.run(Config::default());
        match ran.map(|_| ()) {
            Err(pelton::Error::Panic { operator, .. }) => operator,
            other => panic!("{other:?}"),
        }
    };
    const NONE: u64 = 1000;
    assert_eq!(fails([51, NONE, NONE]), "c/tried");
    assert_eq!(fails([50, NONE, NONE]), "aggregate sum");
    assert_eq!(fails([NONE, 51, NONE]), "behind");
    assert_eq!(fails([NONE, NONE, 105]), "sums");
    let results = Careful { numbers: (0..100).collect(), bad: [NONE; 3] }.run(Config::default()).unwrap();
    assert_eq!(results.out.len(), 150);
}
