//! `split`: every row goes one way, and none is copied for it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "support/everywhere.rs"]
mod everywhere;

use everywhere::{everywhere, same};
use pelton::source::rows;
use pelton::{Config, Record};
use std::sync::Arc;

#[derive(Record, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Bid {
    price: u64,
    who: String,
}

/// Not `Clone`: a row moves.
#[derive(Record, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Bid(Bid),
    Sold { at: u64, price: u64 },
    Gone(u64),
    Nothing,
}

fn event(n: u64) -> Event {
    match n % 4 {
        0 => Event::Bid(Bid { price: n, who: format!("w{}", n % 3) }),
        1 => Event::Sold { at: n, price: n * 2 },
        2 => Event::Gone(n),
        _ => Event::Nothing,
    }
}

pelton::stream! {
    job Patterns<Memory> {
        param data: Arc<[u64]>;
        param least: u64 = 100;

        source numbers: u64 = rows(data);
        let events = numbers.map(event);
        let kind = events.split {
            dear: Event::Bid(bid) if bid.price >= least => bid;
            bids: Event::Bid(bid) => bid;
            sold: Event::Sold { at, price } => (at, price + least);
            odd: |e| matches!(e, Event::Gone(n) if n % 3 == 0);
            none: Event::Nothing;
            rest: _;
        };
        let sold: (u64, u64) = kind.sold.filter(|(at, _)| at % 5 != 0);
        let bids: Bid = union(kind.bids, kind.dear);
        let per_buyer: (String, u64) = kind.dear.key_by(|b| b.who).aggregate(count(), emit at_end, unbounded("few"))
            .map(|(who, n)| (who.to_owned(), n));
        let odd: Event = kind.odd;
        let rest: Event = kind.rest;
        sink a(bids) = collect();
        sink b(sold) = collect();
        sink c(odd) = collect();
        sink d(rest) = collect();
        sink e(per_buyer) = collect();
        drop kind.none;
    }
}

#[test]
fn patterns_take_rows_apart() {
    everywhere(|config| {
        let results = Patterns { data: (0..1000).collect(), least: 100 }.run(config).unwrap();
        let bid = |n: u64| Bid { price: n, who: format!("w{}", n % 3) };
        same(results.a, (0..1000).filter(|n| n % 4 == 0).map(bid));
        same(results.b, (0..1000).filter(|n| n % 4 == 1 && n % 5 != 0).map(|n| (n, n * 2 + 100)));
        same(results.c, (0..1000).filter(|n| n % 4 == 2 && n % 3 == 0).map(Event::Gone));
        same(results.d, (0..1000).filter(|n| n % 4 == 2 && n % 3 != 0).map(Event::Gone));
        same(
            results.e,
            [0u64, 1, 2].map(|w| (format!("w{w}"), (100..1000).filter(|n| n % 4 == 0 && n % 3 == w).count() as u64)),
        );
    });
}

pelton::stream! {
    job Tests<Memory> {
        param words: Arc<[String]>;

        source lines: &String = rows(words);
        let kind = lines.map(|l| l.as_str()).split {
            empty: |l| l.is_empty();
            long: |l| l.len() > 3;
            short: _;
        };
        // rows that borrow, one of them behind a window of operators of its own
        let long: usize = kind.long.flat_map(|l| l.split('-')).filter(|l| !l.is_empty()).map(|l| l.len());
        let short: (String, u64) = kind.short.key_by(|l| l).aggregate(count(), emit at_end, unbounded("few")).map(|(k, n)| (k.to_owned(), n));
        let none: u32 = kind.empty.map(|_| 1u32);
        let all: String = lines.map(|l| l.to_owned());
        sink a(long) = collect();
        sink b(short) = collect();
        sink c(none) = collect();
        sink d(all) = collect();
    }
}

#[test]
fn tests_look_at_rows_one_after_the_other() {
    everywhere(|config| {
        let words: Vec<String> = ["", "a", "bb", "cc-cc-", "dddd", "a"].iter().map(|w| w.to_string()).collect();
        let results = Tests { words: words.clone().into() }.run(config).unwrap();
        same(results.a, [2, 2, 4]);
        same(results.b, [("a".to_string(), 2), ("bb".to_string(), 1)]);
        same(results.c, [1]);
        same(results.d, words);
    });
}

pelton::stream! {
    job Behind<Memory> {
        param data: Arc<[u64]>;

        source numbers: u64 = rows(data);
        let sums = numbers.key_by(|n| n % 10).aggregate(count(), emit at_end, unbounded("ten"))
            .map(|(k, n)| (k, n)).split { low: |(k, _)| *k < 5; high: _; };
        // behind a split, another one, and a consumer of the same output
        let odd = sums.low.split { even: |(k, _)| k % 2 == 0; odd: _; };
        let even: (u64, u64) = odd.even;
        let low: (u64, u64) = sums.low;
        let high: (u64, u64) = sums.high;
        sink a(even) = collect();
        sink b(low) = collect();
        sink c(high) = collect();
        drop odd.odd;
    }
}

#[test]
fn a_split_behind_an_aggregate_and_behind_a_split() {
    everywhere(|config| {
        let results = Behind { data: (0..1000).collect() }.run(config).unwrap();
        same(results.a, [(0, 100), (2, 100), (4, 100)]);
        same(results.b, (0..5).map(|k| (k, 100)));
        same(results.c, (5..10).map(|k| (k, 100)));
        let plan = Behind { data: Arc::new([]) }.plan(&Config::default().workers(1)).unwrap().to_string();
        assert!(plan.contains("sums.low") && plan.contains("split"), "{plan}");
    });
}

#[test]
fn the_summary_counts_each_output() {
    let summary = Patterns { data: (0..1000).collect(), least: 100 }.run(Config::default().workers(2)).unwrap().summary;
    let text = summary.to_string();
    for (output, count) in [("kind.sold", "250"), ("kind.none", "250"), ("kind.dear", "225")] {
        assert!(text.lines().any(|line| line.contains(output) && line.contains(count)), "{output}: {text}");
    }
}
