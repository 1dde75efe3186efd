//! Event time through flows of other modules: a flow that hands its rows on to one that goes by event time asks for it, too, and one
//! that hands them on to any other does not.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use pelton::prelude::*;
use std::collections::BTreeMap;

#[derive(Record, Clone, Debug, PartialEq)]
pub struct Trade {
    pub at: Timestamp,
    pub symbol: u64,
    pub size: u64,
}

/// As if it were a crate of its own: the first of three.
mod first {
    use super::Trade;
    use pelton::prelude::*;

    pelton::stream! {
        /// Sums per symbol and window.
        pub flow sums(trades: Stream<Trade>, size: TimeSpan) -> (u64, i64, u64), late: Trade {
            let windows = trades.key_by(|t| t.symbol).window(tumbling size).aggregate(sum(|t| t.size));
            let sums = windows.map(|w| (w.key, w.start.millis(), w.value));
            return sums, late = windows.late;
        }

        /// Counts per key and window.
        pub flow counts<K: Key, T: Record>(rows: Stream<(K, T)>) -> (K, u64) {
            let counts = rows.key_by(|r| &r.0).window(tumbling 10s).aggregate(count());
            let out = counts.map(|w| (w.key, w.value));
            drop counts.late;
            return out;
        }

        /// The same of rows that come with their key.
        pub flow keyed<K: Key>(trades: Keyed<K, Trade>) -> (K, u64) {
            let counts = trades.window(tumbling 10s).aggregate(count());
            let out = counts.map(|w| (w.key, w.value));
            drop counts.late;
            return out;
        }

        /// Asks nothing.
        pub flow doubled(trades: Stream<Trade>) -> Trade {
            let out = trades.map(|t| Trade { size: t.size * 2, ..t });
            return out;
        }

        /// Asks it of the second of its streams alone, which is the third of its parameters.
        pub flow one_of_two(plain: Stream<Trade>, least: u64, timed: Stream<Trade>) -> u64, sizes: u64 {
            let windows = timed.key_by(|t| t.symbol).window(tumbling 10s).aggregate(count());
            let counts = windows.map(|w| w.value);
            let sizes = plain.map(|t| t.size).filter(|size| *size >= least);
            drop windows.late;
            return counts, sizes;
        }
    }
}

/// The second: of its flows none goes by event time itself.
mod second {
    use super::first::keyed as by_key;
    use super::first::sums;
    use super::{Trade, first};
    use pelton::prelude::*;

    pelton::stream! {
        /// By a path.
        pub flow straight(trades: Stream<Trade>) -> (u64, i64, u64) {
            let t = first::sums(trades, 10s);
            drop t.late;
            return t;
        }

        /// By a name that is imported, behind operators.
        pub flow large(trades: Stream<Trade>, least: u64) -> (u64, i64, u64), late: Trade {
            let large = trades.filter(|t| t.size >= least).map(|t| t);
            let t = sums(large, 10s);
            return t, late = t.late;
        }

        /// Of both of its streams.
        pub flow both(a: Stream<Trade>, b: Stream<Trade>) -> (u64, i64, u64) {
            let all = union(a, b);
            let t = sums(all, 10s);
            drop t.late;
            return t;
        }

        /// Behind a flow that asks nothing, with a total on the way that may use it.
        pub flow doubled(trades: Stream<Trade>) -> (u64, i64, u64), last: u64 {
            let d = first::doubled(trades);
            let t = sums(d, 10s);
            let last = d.key_by(|t| t.symbol).aggregate(last(|t| t.size), emit at_end, ttl 1h).map(|l| l.1);
            drop t.late;
            return t, last;
        }

        /// Asks nothing.
        pub flow twice(trades: Stream<Trade>) -> Trade {
            let once = first::doubled(trades);
            let twice = first::doubled(once);
            return twice;
        }

        /// Asks it of the first of its streams alone.
        pub flow turned(timed: Stream<Trade>, plain: Stream<Trade>) -> u64, sizes: u64 {
            let t = first::one_of_two(plain, 5, timed);
            return t, sizes = t.sizes;
        }

        /// For rows of any type.
        pub flow counts<K: Key, T: Record, F: Fn(&T) -> K + Clone>(rows: Stream<T>, key: F) -> (K, u64) {
            let pairs = rows.map(|r| (key(&r), r));
            let t = first::counts(pairs);
            return t;
        }

        /// For rows with their key.
        pub flow keyed<K: Key>(trades: Keyed<K, Trade>) -> (K, u64) {
            let t = by_key(trades);
            return t;
        }

        /// By way of another flow of the block.
        pub flow around(trades: Stream<Trade>, least: u64) -> (u64, i64, u64) {
            let t = large(trades, least);
            drop t.late;
            return t;
        }
    }
}

/// The third.
mod third {
    use super::{Trade, second};

    pelton::stream! {
        pub flow straight(trades: Stream<Trade>) -> (u64, i64, u64) {
            let t = second::straight(trades);
            return t;
        }

        pub flow around(trades: Stream<Trade>) -> (u64, i64, u64) {
            let t = crate::second::around(trades, 0);
            return t;
        }
    }
}

pelton::stream! {
    job Straight<Memory> {
        param trades: Vec<Trade>;
        source all: Trade = rows(trades), event_time |t| t.at, late_by 10s;
        let t = second::straight(all);
        let rows: (u64, i64, u64) = t;
        sink out(rows) = collect();
    }

    job Large<Memory> {
        param trades: Vec<Trade>;
        source all: Trade = rows(trades), event_time |t| t.at, late_by 10s;
        let t = second::large(all, 50);
        let rows: (u64, i64, u64) = t;
        sink out(rows) = collect();
        drop t.late;
    }

    job Both<Memory> {
        param trades: Vec<Trade>;
        source all: Trade = rows(trades), event_time |t| t.at, late_by 10s;
        let odd = all.filter(|t| t.size % 2 == 1);
        let even = all.filter(|t| t.size % 2 == 0);
        let t = second::both(odd, even);
        let rows: (u64, i64, u64) = t;
        sink out(rows) = collect();
    }

    job Doubled<Memory> {
        param trades: Vec<Trade>;
        source all: Trade = rows(trades), event_time |t| t.at, late_by 10s;
        let t = second::doubled(all);
        let rows: (u64, i64, u64) = t;
        sink out(rows) = collect();
        let last: u64 = t.last;
        sink last_out(last) = collect();
    }

    job Counts<Memory> {
        param trades: Vec<Trade>;
        source all: Trade = rows(trades), event_time |t| t.at, late_by 10s;
        let t = second::counts(all, |t| t.symbol % 3);
        let rows: (u64, u64) = t;
        sink out(rows) = collect();
    }

    job Keyed<Memory> {
        param trades: Vec<Trade>;
        source all: Trade = rows(trades), event_time |t| t.at, late_by 10s;
        let by = all.key_by(|t| t.symbol % 3);
        let t = second::keyed(by);
        let rows: (u64, u64) = t;
        sink out(rows) = collect();
    }

    job Around<Memory> {
        param trades: Vec<Trade>;
        source all: Trade = rows(trades), event_time |t| t.at, late_by 10s;
        let t = second::around(all, 50);
        let rows: (u64, i64, u64) = t;
        sink out(rows) = collect();
    }

    job Outer<Memory> {
        param trades: Vec<Trade>;
        source all: Trade = rows(trades), event_time |t| t.at, late_by 10s;
        let t = third::straight(all);
        let rows: (u64, i64, u64) = t;
        sink out(rows) = collect();
    }

    job OuterAround<Memory> {
        param trades: Vec<Trade>;
        source all: Trade = rows(trades), event_time |t| t.at, late_by 10s;
        let t = third::around(all);
        let rows: (u64, i64, u64) = t;
        sink out(rows) = collect();
    }

    /// No event time where none is asked for.
    job Untimed<Memory> {
        param trades: Vec<Trade>;

        source all: Trade = rows(trades);
        source timed: Trade = rows(trades), event_time |t| t.at, late_by 10s;
        let t = second::twice(all);
        let sizes: u64 = t.map(|t| t.size);
        sink sizes_out(sizes) = collect();
        let turned = second::turned(timed, all);
        let counts: u64 = turned;
        let plain: u64 = turned.sizes;
        sink counts_out(counts) = collect();
        sink plain_out(plain) = collect();
    }
}

fn trades() -> Vec<Trade> {
    let trade = |n: u64| Trade { at: Timestamp::from_millis(n as i64 * 7), symbol: n * 31 % 5, size: n * n % 97 };
    (0..10_000).map(trade).collect()
}

/// Each way of running a job: so many workers, natively and as bytes.
fn ways() -> impl Iterator<Item = Config> {
    (1..=3).flat_map(|workers| [false, true].map(|wire| Config::default().workers(workers).wire(wire)))
}

fn sorted<T: Ord>(mut rows: Vec<T>) -> Vec<T> {
    rows.sort();
    rows
}

/// Sums per symbol and window of what is at least so large.
fn sums(least: u64, times: u64) -> Vec<(u64, i64, u64)> {
    let mut sums: BTreeMap<(u64, i64), u64> = BTreeMap::new();
    for t in trades().into_iter().filter(|t| t.size >= least) {
        *sums.entry((t.symbol, t.at.millis() / 10_000 * 10_000)).or_default() += t.size * times;
    }
    sums.into_iter().map(|((symbol, start), sum)| (symbol, start, sum)).collect()
}

/// Rows per window of what each symbol counts as.
fn counts(key: fn(u64) -> u64) -> Vec<(u64, u64)> {
    let mut counts: BTreeMap<(u64, i64), u64> = BTreeMap::new();
    for t in trades() {
        *counts.entry((key(t.symbol), t.at.millis() / 10_000)).or_default() += 1;
    }
    sorted(counts.into_iter().map(|((key, _), n)| (key, n)).collect())
}

#[test]
fn a_flow_brings_event_time_to_flows_of_other_modules() {
    for config in ways() {
        assert_eq!(sorted(Straight { trades: trades() }.run(config.clone()).unwrap().out), sums(0, 1));
        assert_eq!(sorted(Large { trades: trades() }.run(config.clone()).unwrap().out), sums(50, 1));
        assert_eq!(sorted(Both { trades: trades() }.run(config.clone()).unwrap().out), sums(0, 1));
        let doubled = Doubled { trades: trades() }.run(config.clone()).unwrap();
        assert_eq!(sorted(doubled.out), sums(0, 2));
        assert_eq!(doubled.last_out.len(), 5);
        assert_eq!(sorted(Counts { trades: trades() }.run(config.clone()).unwrap().out), counts(|symbol| symbol % 3));
        assert_eq!(sorted(Keyed { trades: trades() }.run(config.clone()).unwrap().out), counts(|symbol| symbol % 3));
        assert_eq!(sorted(Around { trades: trades() }.run(config.clone()).unwrap().out), sums(50, 1));
        assert_eq!(sorted(Outer { trades: trades() }.run(config.clone()).unwrap().out), sums(0, 1));
        assert_eq!(sorted(OuterAround { trades: trades() }.run(config).unwrap().out), sums(0, 1));
    }
}

#[test]
fn a_flow_asks_no_event_time_for_flows_that_ask_none() {
    for config in ways() {
        let results = Untimed { trades: trades() }.run(config).unwrap();
        assert_eq!(sorted(results.sizes_out), sorted(trades().iter().map(|t| t.size * 4).collect()));
        let counted = counts(|symbol| symbol).into_iter().map(|(_, n)| n).collect();
        assert_eq!(sorted(results.counts_out), sorted(counted));
        let plain = trades().into_iter().map(|t| t.size).filter(|size| *size >= 5).collect();
        assert_eq!(sorted(results.plain_out), sorted(plain));
    }
}
