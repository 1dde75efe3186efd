//! Flows: parts of a pipeline that are written once and used by name, in the same block, another module or another crate.

use pelton::Config;
use pelton::prelude::*;
use std::collections::BTreeMap;

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
                .window(tumbling 1h)
                .aggregate((count(), sum(|t| worth(t))));
            let sums = hourly.map(|w| (w.key, w.start, w.value.0, w.value.1));
            return sums, late = hourly.late, small = part.bad;
        }

        /// Rows that differ from the one before, per key.
        pub flow changed<T: Record + Clone + PartialEq, F: Fn(&T) -> u64 + Clone>(rows: Stream<T>, key: F) -> T {
            let out = rows.key_by(|r| key(r)).process {
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
            let t = totals(all, least + 0);
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
            .window(tumbling 1h)
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

fn trades(many: usize) -> Vec<Trade> {
    let trade = |n: usize| Trade {
        at: Timestamp::from_millis(n as i64 * 100 + (n as i64 * 7919) % 500),
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

#[test]
fn a_stateless_flow_of_the_same_block() {
    for config in ways() {
        let job = Cheap { trades: trades(1000), most: 20.0 };
        let mut out = job.run(config).unwrap().out;
        out.sort();
        let mut expected: Vec<String> =
            trades(1000).into_iter().filter(|t| t.price <= 20.0).map(|t| t.symbol).collect();
        expected.sort();
        assert_eq!(out, expected);
    }
}
