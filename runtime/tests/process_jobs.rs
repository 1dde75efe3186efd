//! `process` in `stream!` blocks: what handlers see and give, at one, two and three workers, natively and as bytes.

use pelton::{Config, Key, Record, Timestamp};
use std::sync::Arc;

/// Runs with one, two and three workers, natively and with rows in wire form.
fn everywhere(run: impl Fn(Config)) {
    for workers in 1..=3 {
        for wire in [false, true] {
            run(Config::default().workers(workers).wire(wire));
        }
    }
}

#[track_caller]
fn same<T: Ord + std::fmt::Debug>(mut found: Vec<T>, expected: impl IntoIterator<Item = T>) {
    let mut expected: Vec<T> = expected.into_iter().collect();
    found.sort();
    expected.sort();
    let other = found.iter().zip(&expected).find(|(a, b)| a != b);
    assert_eq!((other, found.len()), (None, expected.len()));
}

#[derive(Record, Key, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum City {
    Oslo,
    Rome,
    Other(String),
}

#[derive(Record, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Payment {
    card: String,
    at: Timestamp,
    city: City,
    amount: i64,
}

pelton::stream! {
    /// All kinds of states, of outputs and of handlers.
    job Cards<Memory> {
        param data: Arc<[Payment]>;
        param most: i64 = 900;
        source payments: Payment = pelton::source::rows(data), event_time |p| p.at, late_by 1min, ordered_splits;
        let cards = payments.key_by(|p| p.card);
        let jumps: (String, String) = cards.process {
            in_order;
            state last: Value<Payment>, ttl 24h;
            state cities: Map<City, u32>, unbounded("three cities");
            state amounts: List<i64>, ttl 1h;
            state total: Reducing<i64> = |a, b| a + b, unbounded("one number");
            state stats: Aggregating<Payment> = (count(), max(|p| p.amount)), ttl 7d;
            timer quiet: event_time;
            output odd: Payment;

            on event(p, cx) {
                if last.get().is_some_and(|l| l.city != p.city && p.at - l.at < 10min) {
                    cx.emit((cx.key().to_owned(), format!("jump at {}", p.at)));
                }
                cities.update(&p.city, |n| n + 1);
                amounts.push(p.amount);
                total.add(p.amount);
                stats.add(&p);
                if p.amount > most {
                    odd.emit(p.clone());
                }
                assert_eq!(cx.time(), p.at);
                cx.set(quiet, p.at + 2h);
                last.set(p);
            }
            on timer quiet(at, cx) {
                assert!(amounts.is_empty(), "all of it is older than an hour");
                let (n, max) = stats.get().unwrap_or((0, 0));
                let (key, cities) = (cx.key().to_owned(), cities.len());
                cx.emit((key, format!("quiet at {at}: {n} {max:?} in {cities} cities, {:?} in all", total.get())));
            }
            on end(cx) {
                let seen: Vec<String> = cities.iter().map(|(city, n)| format!("{city:?} {n}")).collect();
                cx.emit((cx.key().to_owned(), seen.join(", ")));
            }
        };
        sink out(jumps) = collect();
        let strange: Payment = jumps.odd;
        sink odd(strange) = collect();
        drop jumps.late;
    }
}

fn payments() -> Vec<Payment> {
    let city = |n| match n % 3 {
        0 => City::Oslo,
        1 => City::Rome,
        _ => City::Other("Graz".to_owned()),
    };
    let payment = |i: i64| Payment {
        card: format!("card {}", i * i / 11 % 40),
        // Out of order by less than a minute.
        at: Timestamp::from_millis(i * 97_000 + (i * 7919 % 50) * 1000),
        city: city(i * i / 5),
        amount: i * 31 % 1000,
    };
    (0..2000).map(payment).collect()
}

#[test]
fn all_of_it_together() {
    let data = payments();
    // The same, as a loop over each card's payments in order of time.
    let (mut expected, mut odd) = (Vec::new(), Vec::new());
    for n in 0..40 {
        let card = format!("card {n}");
        let mut mine: Vec<&Payment> = data.iter().filter(|p| p.card == card).collect();
        mine.sort_by_key(|p| p.at);
        if mine.is_empty() {
            continue;
        }
        let (mut cities, mut total, mut max) = (std::collections::BTreeMap::new(), 0, 0);
        for (i, p) in mine.iter().enumerate() {
            let before = i.checked_sub(1).map(|i| mine[i]);
            if before.is_some_and(|b| b.city != p.city && p.at - b.at < pelton::TimeSpan::from_mins(10)) {
                expected.push((card.clone(), format!("jump at {}", p.at)));
            }
            *cities.entry(p.city.clone()).or_insert(0) += 1;
            total += p.amount;
            max = max.max(p.amount);
            if p.amount > 900 {
                odd.push((*p).clone());
            }
            let quiet = p.at + pelton::TimeSpan::from_hours(2);
            if mine.get(i + 1).is_none_or(|next| next.at >= quiet) {
                let (count, number) = (i + 1, cities.len());
                expected.push((
                    card.clone(),
                    format!("quiet at {quiet}: {count} {max:?} in {number} cities, {:?} in all", Some(total)),
                ));
            }
        }
        let seen: Vec<String> = cities.iter().map(|(city, n)| format!("{city:?} {n}")).collect();
        expected.push((card, seen.join(", ")));
    }
    assert!(odd.len() > 100 && expected.len() > 100);
    everywhere(|config| {
        let results = Cards { data: data.clone().into(), most: 900 }.run(config).unwrap();
        same(results.out, expected.clone());
        same(results.odd, odd.clone());
        assert_eq!(results.summary.late, 0);
    });
}
