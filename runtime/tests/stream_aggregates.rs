//! Every ready-made word, without a window, in windows, over whole rows and in a `process`: the same at one, two and three workers, as
//! rows and as bytes.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "support/everywhere.rs"]
mod everywhere;

use everywhere::{everywhere, same};
use pelton::source::rows;
use pelton::{Config, FileSystem, Record, TimeSpan, Timestamp};
use std::sync::Arc;

#[derive(Record, Clone, Debug, PartialEq)]
struct Trade {
    at: i64,
    symbol: String,
    price: f64,
    number: u64,
}

fn time(trade: &Trade) -> Timestamp {
    Timestamp::from_millis(trade.at)
}

/// Out of order by up to ten seconds, several at one time.
fn trades() -> Vec<Trade> {
    (0..3000u64)
        .map(|n| Trade {
            at: (n / 2 * 20 + n * 7919 % 10_000) as i64 / 100 * 100,
            symbol: format!("S{}", n % 3),
            price: (n * 31 % 1000) as f64 / 4.0,
            number: n,
        })
        .collect()
}

#[derive(Record, Clone, Debug, PartialEq)]
struct Stats {
    rows: u64,
    open: f64,
    close: u64,
    best: Vec<Trade>,
    numbers: Vec<u64>,
    exact: u64,
    about: u64,
    spread: f64,
    middle: f64,
}

/// What the stats of some trades are.
fn stats(mut of: Vec<Trade>) -> Stats {
    let bytes = |x: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = vec![];
        x(&mut bytes);
        bytes
    };
    let first = of.iter().min_by_key(|t| (t.at, bytes(&|b| t.price.encode(b)))).unwrap().price;
    of.sort_by_key(|t| (t.at, t.number));
    let mut best = of.clone();
    best.sort_by_key(|t| (std::cmp::Reverse((t.price * 4.0) as u64), bytes(&|b| t.encode(b))));
    best.truncate(2);
    let mut prices: Vec<f64> = of.iter().map(|t| t.price).collect();
    prices.sort_by(f64::total_cmp);
    let mean = prices.iter().sum::<f64>() / prices.len() as f64;
    let squares: f64 = prices.iter().map(|p| (p - mean) * (p - mean)).sum();
    let middle = prices[((prices.len() - 1) as f64 * 0.5) as usize];
    let numbers: std::collections::BTreeSet<u64> = of.iter().map(|t| t.number / 3).collect();
    Stats {
        rows: of.len() as u64,
        open: first,
        close: of.last().unwrap().number,
        best,
        numbers: of.iter().map(|t| t.number).collect(),
        exact: numbers.len() as u64,
        about: numbers.len() as u64,
        spread: squares / (of.len() as f64 - 1.0),
        middle,
    }
}

#[track_caller]
fn is(found: &Stats, expected: &Stats) {
    let exact = |of: &Stats| Stats { about: 0, spread: 0.0, middle: 0.0, ..of.clone() };
    assert_eq!(exact(found), exact(expected));
    let near = |a: f64, b: f64, by: f64| assert!((a - b).abs() <= by * b.abs() + 1e-9, "{a} is not {b}");
    near(found.about as f64, expected.about as f64, 0.06);
    near(found.spread, expected.spread, 1e-9);
    near(found.middle, expected.middle, 0.0101);
}

pelton::stream! {
    job Hours<Memory> {
        param data: Arc<[Trade]>;
        param most: usize = 2;
        param share: f64 = 0.5;

        source trades: Trade = rows(data), event_time time, late_by 20s, ordered_splits;
        let by_symbol = trades.key_by(|t| t.symbol);
        let hours: (String, i64, Stats) = by_symbol
            .window(tumbling 30s)
            .aggregate(Stats {
                rows: count(),
                open: first(|t| t.price),
                close: last(|t| t.number, tie |t| t.number),
                best: top(most, by |t| t.price),
                numbers: collect(|t| t.number, tie |t| t.number),
                exact: count_distinct(|t| t.number / 3),
                about: approx_count_distinct(|t| t.number / 3),
                spread: variance(|t| t.price),
                middle: quantile(share, |t| t.price),
            })
            .map(|w| (w.key, w.start.millis(), w.value));
        // without `collect` the rest is combined in front
        let combined: (String, i64, f64, u64, u64) = by_symbol
            .window(tumbling 30s)
            .aggregate((first(|t| t.price), last(|t| t.number, tie |t| t.number), count_distinct(|t| t.number / 3)))
            .map(|w| (w.key, w.start.millis(), w.value.0, w.value.1, w.value.2));
        // whole rows cross the edge
        let late: (String, i64, f64, u64, Vec<Trade>) = by_symbol
            .window(tumbling 30s)
            .aggregate((first(|t| t.price), last(|t| t.number, tie |t| t.number), top(most, by |t| t.price)))
            .map(|w| (w.key, w.start.millis(), w.value.0, w.value.1, w.value.2));
        let lost: Trade = late.late;
        sink a(hours) = collect();
        sink b(combined) = collect();
        sink c(late) = collect();
        sink d(lost) = collect();
        drop hours.late, combined.late;
    }
}

fn hours() -> Vec<(String, i64, Stats)> {
    let mut all = std::collections::BTreeMap::<(String, i64), Vec<Trade>>::new();
    for trade in trades() {
        all.entry((trade.symbol.clone(), trade.at / 30_000 * 30_000)).or_default().push(trade);
    }
    all.into_iter().map(|((symbol, start), of)| (symbol, start, stats(of))).collect()
}

#[track_caller]
fn check_hours(mut results: HoursResults) {
    let expected = hours();
    assert!(results.d.is_empty());
    results.a.sort_by_key(|r| (r.0.clone(), r.1));
    results.b.sort_by_key(|r| (r.0.clone(), r.1));
    results.c.sort_by_key(|r| (r.0.clone(), r.1));
    assert_eq!(results.a.len(), expected.len());
    for (n, (symbol, start, all)) in expected.iter().enumerate() {
        assert_eq!((&results.a[n].0, &results.a[n].1), (symbol, start));
        is(&results.a[n].2, all);
        assert_eq!(results.b[n], (symbol.clone(), *start, all.open, all.close, all.exact));
        assert_eq!(results.c[n], (symbol.clone(), *start, all.open, all.close, all.best.clone()));
    }
}

#[test]
fn in_windows() {
    everywhere(|config| {
        let job = Hours { data: trades().into(), most: 2, share: 0.5 };
        check_hours(job.run(config).unwrap());
    });
}

#[test]
fn on_files_and_across_checkpoints() {
    for workers in 1..=3 {
        let place = format!("memory://aggregates-{workers}");
        let config = Config::default().workers(workers).checkpoints(place);
        let job = Hours { data: trades().into(), most: 2, share: 0.5 };
        check_hours(job.run_on::<FileSystem>(config.checkpoint_every(std::time::Duration::from_millis(1))).unwrap());
    }
}

#[test]
fn what_a_param_says_wrong_ends_the_run_before_it_begins() {
    let job = |most, share| {
        Hours { data: trades().into(), most, share }.run(Config::default().workers(1)).unwrap_err().to_string()
    };
    assert!(job(0, 0.5).contains("`top(0, ..)` keeps nothing"), "{}", job(0, 0.5));
    assert!(job(1, 1.5).contains("a quantile lies between 0 and 1, and 1.5 does not"), "{}", job(1, 1.5));
}

#[derive(Record, Clone, Debug, PartialEq)]
struct Ends {
    from: String,
    to: Trade,
    all: Vec<Trade>,
    quartiles: [f64; 3],
}

pelton::stream! {
    job Totals<Memory> {
        param data: Arc<[Trade]>;
        param part: u64 = 1;

        source trades: Trade = rows(data), event_time time, late_by 20s, ordered_splits;
        let some = trades.filter(|t| t.number % part == 0).key_by(|t| t.symbol);
        let ends: (String, Ends) = some
            .aggregate(
                Ends {
                    to: last(tie |t| t.number),
                    from: first(|t| t.symbol.as_str()),
                    all: collect(tie |t| t.number),
                    quartiles: quantiles([0.25, 0.5, 0.75], |t| t.price),
                },
                emit at_end, unbounded("three"),
            )
            .map(|(symbol, ends)| (symbol.to_owned(), ends));
        let tuple: (String, u64, u64, u64) = some
            .aggregate((last(|t| t.number, tie |t| t.number), count_distinct(|t| t.symbol), approx_count_distinct(|t| t.symbol)), emit at_end, unbounded("three"))
            .map(|(symbol, (last, exact, about))| (symbol.to_owned(), last, exact, about));
        let each: (String, Trade) = some.aggregate(first(tie |t| t.number), emit each, ttl 1h).map(|(s, first)| (s.to_owned(), first));
        let often: (String, Vec<u64>) = some
            .aggregate(collect(|t| t.number, tie |t| t.number), emit every 1ms, unbounded("three"))
            .map(|(symbol, all)| (symbol.to_owned(), all));
        sink a(ends) = collect();
        sink b(tuple) = collect();
        sink c(each) = collect();
        sink d(often) = collect();
    }
}

#[test]
fn without_a_window() {
    everywhere(|config| {
        let results = Totals { data: trades().into(), part: 1 }.run(config).unwrap();
        let of = |symbol: &str| {
            let mut of: Vec<Trade> = trades().into_iter().filter(|t| t.symbol == symbol).collect();
            of.sort_by_key(|t| (t.at, t.number));
            of
        };
        assert_eq!(results.a.len(), 3);
        for (symbol, ends) in &results.a {
            let all = of(symbol);
            assert_eq!((&ends.from, &ends.to, &ends.all), (symbol, all.last().unwrap(), &all));
            let mut prices: Vec<f64> = all.iter().map(|t| t.price).collect();
            prices.sort_by(f64::total_cmp);
            for (n, found) in ends.quartiles.iter().enumerate() {
                let exact = prices[((prices.len() - 1) as f64 * 0.25 * (n + 1) as f64) as usize];
                assert!((found - exact).abs() <= exact * 0.0101, "{found} {exact}");
            }
        }
        same(results.b, ["S0", "S1", "S2"].map(|s| (s.to_owned(), of(s).last().unwrap().number, 1, 1)));
        assert_eq!(results.c.len(), 3000);
        for symbol in ["S0", "S1", "S2"] {
            // the last word of each key is of all its rows
            assert!(results.c.iter().any(|(s, first)| s == symbol && *first == of(symbol)[0]));
            let numbers: Vec<u64> = of(symbol).iter().map(|t| t.number).collect();
            assert!(results.d.iter().any(|(s, all)| s == symbol && *all == numbers));
        }
    });
}

pelton::stream! {
    job Untimed<Memory> {
        param data: Arc<[Trade]>;

        source trades: Trade = rows(data);
        let ends: (String, (u64, u64, Vec<u64>)) = trades
            .key_by(|t| t.symbol)
            .aggregate((first(|t| t.number), last(|t| t.number), collect(|t| t.number)), emit at_end, unbounded("three"))
            .map(|(symbol, ends)| (symbol.to_owned(), ends));
        sink a(ends) = collect();
    }
}

#[test]
fn without_event_time_they_go_by_arrival_and_the_plan_says_so() {
    for wire in [false, true] {
        let results = Untimed { data: trades().into() }.run(Config::default().workers(1).wire(wire)).unwrap();
        let numbers = |k: u64| (0..3000).filter(|n| n % 3 == k).collect::<Vec<u64>>();
        same(results.a, (0..3).map(|k| (format!("S{k}"), (k, 2997 + k, numbers(k)))));
    }
    let config = Config::default().workers(2);
    let untimed = Untimed { data: trades().into() }.plan(&config).unwrap().to_string();
    assert!(untimed.contains("■≈"), "{untimed}");
    let timed = Hours { data: trades().into(), most: 2, share: 0.5 }.plan(&config).unwrap().to_string();
    assert!(!timed.contains('≈'), "{timed}");
}

pelton::stream! {
    job Handled<Memory> {
        param data: Arc<[Trade]>;
        param most: usize = 2;

        source trades: Trade = rows(data), event_time time, late_by 20s, ordered_splits;
        let all: (String, Ends, (u64, u64, f64, Vec<Trade>)) = trades.key_by(|t| t.symbol).process {
            in_order;
            state ends: Aggregating<Trade> = Ends {
                from: first(|t| t.symbol),
                to: last(),
                all: collect(),
                quartiles: quantiles([0.25, 0.5, 0.75], |t| t.price),
            }, ttl 1d;
            state more: Aggregating<Trade> = (count_distinct(|t| t.number), approx_count_distinct(|t| t.symbol), variance(|t| t.price), top(most, by |t| t.price)), ttl 1d;
            on event(t, cx) { ends.add(&t); more.add(&t); }
            on end(cx) {
                if let (Some(ends), Some(more)) = (ends.get(), more.take()) { cx.emit((cx.key().to_owned(), ends, more)) }
            }
        };
        sink a(all) = collect();
        drop all.late;
    }
}

#[test]
fn in_a_process() {
    everywhere(|config| {
        let results = Handled { data: trades().into(), most: 2 }.run(config).unwrap();
        assert_eq!(results.a.len(), 3);
        for (symbol, ends, (exact, about, spread, best)) in results.a {
            let of: Vec<Trade> = trades().into_iter().filter(|t| t.symbol == symbol).collect();
            let all = stats(of.clone());
            assert_eq!((ends.from, ends.all.len(), exact, about), (symbol, 1000, 1000, 1));
            assert_eq!((ends.to.at, best), (of.iter().map(|t| t.at).max().unwrap(), all.best));
            assert!(ends.all.is_sorted_by_key(|t| t.at) && (spread - all.spread).abs() < 1e-6);
        }
    });
}

#[test]
fn a_long_time_is_no_matter() {
    // a window of each key that closes long before the last
    let data: Vec<Trade> =
        (0..20).map(|n| Trade { at: n * 3_600_000, symbol: "x".into(), price: 1.0, number: n as u64 }).collect();
    let results = Hours { data: data.into(), most: 1, share: 0.0 }.run(Config::default().workers(2)).unwrap();
    assert_eq!(results.a.len(), 20);
    assert!(
        results.a.iter().all(|(_, _, s)| s.rows == 1 && s.spread.is_nan() && s.middle == 1.0 && s.numbers == [s.close])
    );
    let _ = TimeSpan::ZERO;
}
