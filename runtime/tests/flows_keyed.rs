//! Flows that take a keyed stream: the key is the caller's, the operators behind it are the flow's.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use pelton::prelude::*;

#[derive(Record, Clone, Debug, PartialEq)]
pub struct Trade {
    pub at: Timestamp,
    pub symbol: String,
    pub venue: u8,
    pub price: u64,
}

#[derive(Key, Record, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub symbol: String,
    pub venue: u8,
}

/// What is in another module, as if it were in another crate.
mod other {
    use super::Trade;
    use pelton::prelude::*;

    pelton::stream! {
        /// What only looks at rows, with a key that is a string.
        pub flow totals(trades: Keyed<String, Trade>, least: u64) -> (String, u64, u64) {
            let sums = trades.aggregate((count(), sum(|t| t.price + least)), emit at_end, unbounded("few symbols"));
            let rows = sums.map(|(symbol, (many, sum))| (symbol.to_owned(), many, sum));
            return rows;
        }

        /// What takes rows, twice, with any key and any rows.
        pub flow changes<K: Key, T: Record + Clone + PartialEq>(rows: Keyed<K, T>) -> T, first: T {
            let out = rows.process {
                state last: Value<T>, unbounded("few keys");
                on event(r, cx) {
                    if last.get() != Some(&r) {
                        last.set(r.clone());
                        cx.emit(r);
                    }
                }
            };
            let first = rows.reduce(|a, _| a, emit at_end, unbounded("few keys"));
            let kept = first.map(|it| it.1);
            return out, first = kept;
        }

        /// Windows, an aggregate in front of which values are taken, one with rows, and a flow in a flow.
        pub flow all_of_it<K: Key>(trades: Keyed<K, Trade>) -> windows: (K, Timestamp, u64), late: Trade, last: (K, u64), changed: Trade {
            let hourly = trades.window(tumbling 10s).aggregate(max(|t| t.price));
            let windows = hourly.map(|w| (w.key, w.start, w.value));
            let newest = trades.aggregate(max_by(|t| t.at), emit at_end, unbounded("few keys"));
            let last = newest.map(|(k, t)| (K::own(k), t.price));
            let c = changes(trades);
            drop c.first;
            let changed = c.map(|t| t);
            return windows, late = hourly.late, last, changed;
        }
    }
}

pelton::stream! {
    job Totals<Memory> {
        param trades: Vec<Trade>;
        source all: Trade = rows(trades);
        let by = all.key_by(|t| t.symbol);
        let t = other::totals(by, 2);
        let out: (String, u64, u64) = t;
        // beside it, of the same stream
        let most = by.aggregate(max(|t| t.price), emit at_end, unbounded("few symbols"));
        let highest: (String, u64) = most.map(|(k, v)| (k.to_owned(), v));
        sink totals(out) = collect();
        sink highest_of(highest) = collect();
    }

    job PastedTotals<Memory> {
        param trades: Vec<Trade>;
        source all: Trade = rows(trades);
        let sums = all.key_by(|t| t.symbol).aggregate((count(), sum(|t| t.price + 2)), emit at_end, unbounded("few symbols"));
        let out: (String, u64, u64) = sums.map(|(symbol, (many, sum))| (symbol.to_owned(), many, sum));
        sink totals(out) = collect();
    }

    job All<Memory> {
        param trades: Vec<Trade>;
        source all: Trade = rows(trades), event_time |t| t.at, late_by 100ms, ordered_splits;
        let by = all.key_by(|t| Place { symbol: t.symbol.clone(), venue: t.venue });
        let it = other::all_of_it(by);
        let windows: (Place, Timestamp, u64) = it.windows;
        let last: (Place, u64) = it.last;
        let changed: Trade = it.changed;
        let late: Trade = it.late;
        sink windows_out(windows) = collect();
        sink last_out(last) = collect();
        sink changed_out(changed) = collect();
        sink late_out(late) = collect();
    }

    job PastedAll<Memory> {
        param trades: Vec<Trade>;
        source all: Trade = rows(trades), event_time |t| t.at, late_by 100ms, ordered_splits;
        let by = all.key_by(|t| Place { symbol: t.symbol.clone(), venue: t.venue });
        let hourly = by.window(tumbling 10s).aggregate(max(|t| t.price));
        let windows: (Place, Timestamp, u64) = hourly.map(|w| (w.key, w.start, w.value));
        let newest = by.aggregate(max_by(|t| t.at), emit at_end, unbounded("few keys"));
        let last: (Place, u64) = newest.map(|(k, t)| (k.clone(), t.price));
        let c = by.process {
            state last: Value<Trade>, unbounded("few keys");
            on event(r, cx) {
                if last.get() != Some(&r) {
                    last.set(r.clone());
                    cx.emit(r);
                }
            }
        };
        let changed: Trade = c;
        let late: Trade = hourly.late;
        sink windows_out(windows) = collect();
        sink last_out(last) = collect();
        sink changed_out(changed) = collect();
        sink late_out(late) = collect();
    }

    /// A key that is taken apart from rows that borrow, and one that is a number.
    job Words<Memory> {
        param text: PathBuf;
        source all: &str = lines(text);
        let by = all.flat_map(|l| l.split(' ')).key_by(|w| w.len());
        let longest = lengths(by);
        let out: (usize, u64) = longest;
        sink counts(out) = collect();
    }

    /// Rows that borrow.
    flow lengths(words: Keyed<usize, &str>) -> (usize, u64) {
        let counts = words.aggregate(count(), emit at_end, unbounded("few lengths"));
        return counts;
    }
}

fn trades(many: usize) -> Vec<Trade> {
    let trade = |n: usize| Trade {
        at: Timestamp::from_millis(n as i64 * 100 + (n * n * 37 % 1900) as i64),
        symbol: ["A", "B", "C", "D", "E"][n * 31 % 5].to_owned(),
        venue: (n % 3) as u8,
        price: (n * 17 % 100) as u64,
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
fn totals_of_a_keyed_stream_are_those_of_the_same_operators() {
    for config in ways() {
        let flow = Totals { trades: trades(5000) }.run(config.clone()).unwrap();
        let pasted = PastedTotals { trades: trades(5000) }.run(config).unwrap();
        assert_eq!(flow.totals.len(), 5);
        assert_eq!(sorted(flow.totals), sorted(pasted.totals));
        assert_eq!(flow.highest_of.len(), 5);
    }
}

#[test]
fn windows_a_process_and_a_flow_in_a_flow_take_the_key_of_the_caller() {
    let rows = |all: &[Trade]| {
        let all = all.iter().map(|t| (t.at, t.symbol.clone(), t.venue, t.price));
        sorted(all.collect::<Vec<_>>())
    };
    for (alone, config) in ways().enumerate().map(|(n, config)| (n < 2, config)) {
        let flow = All { trades: trades(20_000) }.run(config.clone()).unwrap();
        let pasted = PastedAll { trades: trades(20_000) }.run(config).unwrap();
        assert_eq!(flow.last_out.len(), 15);
        assert_eq!(sorted(flow.last_out), sorted(pasted.last_out));
        assert!(!flow.windows_out.is_empty());
        // who is late depends on the input alone with one worker, and which rows of a key differ from the one before does
        if alone {
            assert!(flow.late_out.len() > 100, "{}", flow.late_out.len());
            assert_eq!(sorted(flow.windows_out), sorted(pasted.windows_out));
            assert_eq!(rows(&flow.late_out), rows(&pasted.late_out));
            assert_eq!(rows(&flow.changed_out), rows(&pasted.changed_out));
        }
    }
}

#[test]
fn rows_that_borrow_come_with_their_key() {
    let text = std::env::temp_dir().join(format!("pelton-flows-keyed-{}.txt", std::process::id()));
    std::fs::write(&text, "a bb a\nccc a\nbb\n".repeat(100)).unwrap();
    for config in ways() {
        let counts = Words { text: text.clone() }.run(config).unwrap().counts;
        assert_eq!(sorted(counts), [(1, 300), (2, 200), (3, 100)]);
    }
    std::fs::remove_file(&text).unwrap();
}

#[test]
fn what_is_inside_has_its_name_behind_that_of_the_use() {
    let plan = All { trades: vec![] }.plan(&Config::default().workers(1)).unwrap().to_string();
    for name in ["it/hourly", "it/newest", "it/c/out"] {
        assert!(plan.contains(name), "{name} is not in\n{plan}");
    }
}
