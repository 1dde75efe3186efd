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

#[derive(Record, Clone, Copy, Debug)]
struct Tick {
    key: u64,
    at: i64,
    value: i64,
}

fn ticks(n: i64) -> Vec<Tick> {
    (0..n).map(|i| Tick { key: (i % 3) as u64, at: i * 1000, value: i }).collect()
}

pelton::stream! {
    /// What goes wrong in a handler.
    job Faulty<Memory> {
        param data: Arc<[Tick]>;
        param panics: bool;
        param in_timer: bool = false;
        source ticks: Tick = pelton::source::rows(data), event_time |t| Timestamp::from_millis(t.at), late_by 0s;
        let checked = ticks.key_by(|t| t.key).process {
            state last: Value<i64>, ttl 1h;
            timer soon: event_time;
            on event(t, cx) {
                if t.value == 70 && panics {
                    assert_eq!(t.value, 71, "a handler that panics");
                }
                if !in_timer {
                    last.set(i64::from(u8::try_from(if t.value == 77 { 777 } else { t.value })?));
                }
                cx.set(soon, cx.time() + 1s);
                cx.emit(t.value);
            }
            on timer soon(at, cx) {
                if in_timer && at.millis() > 100_000 {
                    Err("a timer that fails")?;
                }
            }
        };
        let values: i64 = checked.map(|v| v);
        sink out(values) = collect();
    }
}

#[test]
fn an_error_and_a_panic_name_the_operator_and_the_record() {
    let run = |panics, in_timer| {
        let job = Faulty { data: ticks(200).into(), panics, in_timer };
        job.run(Config::default().workers(1)).unwrap_err()
    };
    let error = run(false, false);
    assert!(matches!(error, pelton::Error::Operator { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with("operator `checked`: `on event` gave an error: out of range"), "{text}");
    assert!(text.contains("record 78"), "{text}");
    let text = run(true, false).to_string();
    assert!(text.starts_with("operator `checked` panicked") && text.contains("a handler that panics"), "{text}");
    assert!(text.contains("process_jobs.rs") && text.contains("record 71"), "{text}");
    let text = run(false, true).to_string();
    assert!(text.contains("`on timer` gave an error for the timer of 1970-01-01T00:03:"), "{text}");
}

pelton::stream! {
    /// Timers of the machine's clock, and a state without event time.
    job Clocked<Memory> {
        param data: Arc<[Tick]>;
        source ticks: Tick = pelton::source::iter(move || (0..data.len()).map(move |i| data[i]).inspect(|t| {
            // Slow enough for the timers to fire while there is still input.
            if t.value % 50 == 0 { std::thread::sleep(std::time::Duration::from_millis(20)) }
        }));
        let batches: (u64, Vec<i64>) = ticks.key_by(|t| t.key).process {
            state waiting: List<i64>, ttl 1h;
            timer flush: processing_time;
            on event(t, cx) {
                waiting.push(t.value);
                if cx.due(flush).is_none() {
                    cx.set(flush, cx.now() + 5ms);
                }
            }
            on timer flush(at, cx) {
                assert!(at <= cx.now());
                cx.emit((cx.key(), waiting.take()));
            }
            on end(cx) {
                cx.emit((cx.key(), waiting.take()));
            }
        };
        sink out(batches) = collect();
    }
}

#[test]
fn timers_of_the_clock_fire_while_there_is_input_and_nothing_is_lost() {
    for workers in 1..=2 {
        let results = Clocked { data: ticks(1000).into() }.run(Config::default().workers(workers)).unwrap();
        let mut all: Vec<(u64, i64)> =
            results.out.iter().flat_map(|(key, values)| values.iter().map(|v| (*key, *v))).collect();
        all.sort();
        let mut expected: Vec<(u64, i64)> = ticks(1000).iter().map(|t| (t.key, t.value)).collect();
        expected.sort();
        assert_eq!(all, expected);
        assert!(results.out.len() > 12, "{} batches", results.out.len());
    }
}

pelton::stream! {
    /// Aggregates that forget.
    job Forgets<Memory> {
        param data: Arc<[Tick]>;
        source ticks: Tick = pelton::source::rows(data), event_time |t| Timestamp::from_millis(t.at), late_by 0s, ordered_splits;
        let keyed = ticks.key_by(|t| t.key);
        let counts: (u64, u64) = keyed.aggregate(count(), emit each, ttl 10s);
        let summed = keyed.reduce(|a, b| Tick { value: a.value + b.value, ..b }, emit each, ttl 10s).map(|(k, t)| (k, t.value));
        let sums: (u64, i64) = summed.map(|s| s);
        let lists: (u64, Vec<i64>) = keyed.fold(Vec::new(), |all, t| all.push(t.value), emit at_end, ttl 10s);
        let totals: (u64, u64) = keyed.aggregate(count(), emit at_end, ttl 10s);
        sink a(counts) = collect();
        sink b(sums) = collect();
        sink c(lists) = collect();
        sink d(totals) = collect();
    }
}

#[test]
fn aggregates_with_a_ttl_begin_anew_when_it_is_over() {
    // Key 0 comes each second; key 1 each 10 s, so at the very moment its time is over; key 2 each 9 s.
    let mut data = Vec::new();
    for at in 0..200 {
        for (key, every) in [(0, 1), (1, 10), (2, 9)] {
            if at % every == 0 {
                data.push(Tick { key, at: at * 1000, value: at });
            }
        }
    }
    // Key 3 comes once, long ago.
    data.insert(0, Tick { key: 3, at: 0, value: 5 });
    everywhere(|config| {
        let results = Forgets { data: data.clone().into() }.run(config).unwrap();
        let expected: Vec<(u64, u64)> = (1..=200)
            .map(|n| (0, n))
            .chain((0..20).map(|_| (1, 1)))
            .chain((1..=23).map(|n| (2, n)))
            .chain([(3, 1)])
            .collect();
        same(results.a, expected);
        let mut sums: Vec<(u64, i64)> = vec![(3, 5)];
        sums.extend((0..200).map(|n| (0, n * (n + 1) / 2)));
        sums.extend((0..20).map(|n| (1, n * 10)));
        sums.extend((0..23).map(|n| (2, 9 * n * (n + 1) / 2)));
        same(results.b, sums);
        // At the end, what is over is not spoken of.
        let all: Vec<u64> = results.c.iter().map(|(key, _)| *key).collect();
        same(all, [0, 1, 2]);
        same(results.d, [(0, 200), (1, 1), (2, 23)]);
        assert!(results.c.contains(&(1, vec![190])));
    });
}

#[test]
fn the_plan_shows_states_timers_and_outputs() {
    let plan = Cards { data: Arc::new([]), most: 0 }.plan(&Config::default().workers(2)).unwrap().to_string();
    let what = "process in_order: state last (ttl 24h), cities (unbounded), amounts (ttl 1h), total (unbounded), stats (ttl 7d); \
                timer quiet; output odd";
    assert!(plan.contains(what), "{plan}");
    assert!(plan.contains("jumps.odd  output"), "{plan}");
    let plan =
        Faulty { data: Arc::new([]), panics: false, in_timer: false }.plan(&Config::default()).unwrap().to_string();
    assert!(plan.contains("process: state last (ttl 1h); timer soon  ■≈"), "{plan}");
}
