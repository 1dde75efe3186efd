//! `process` with `in_order` against a simple model, over random rows: what states, timers and ttl show to handlers at each
//! moment, at any number of workers.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use pelton::{Config, Record, TimeSpan, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Record, Clone, Copy, Debug)]
struct Step {
    key: u64,
    at: i64,
    /// What is done: see `apply` of the model.
    action: u8,
    argument: i64,
}

const VALUE_TTL: i64 = 700;
const LIST_TTL: i64 = 400;
const MAP_TTL: i64 = 900;

fn ms(at: i64) -> Timestamp {
    Timestamp::from_millis(at)
}

pelton::stream! {
    job Steps<Memory> {
        param data: Arc<[Step]>;
        param map_ttl: TimeSpan = 900ms;
        source steps: Step = pelton::source::rows(data), event_time |s| ms(s.at), late_by 500ms, ordered_splits;
        let seen: (u64, i64, String) = steps.key_by(|s| s.key).process {
            in_order;
            state value: Value<i64>, ttl 700ms;
            state list: List<i64>, ttl 400ms;
            state map: Map<i64, i64>, ttl map_ttl;
            state sum: Reducing<i64> = |a, b| a + b, unbounded("one number");
            timer first: event_time;
            timer second: event_time;
            output side: (u64, i64);

            on event(s, cx) {
                match s.action {
                    0 => value.set(s.argument),
                    1 => value.update(|v| v + s.argument),
                    2 => value.clear(),
                    3 => list.push(s.argument),
                    4 => { list.pop_front(); }
                    5 => { map.insert(s.argument % 5, s.at); }
                    6 => map.update(&(s.argument % 5), |v| v + 1),
                    7 => { map.remove(&(s.argument % 5)); }
                    8 => cx.set(first, s_at(&s, s.argument)),
                    9 => cx.set(second, s_at(&s, s.argument)),
                    10 => cx.cancel(first),
                    11 => { if let Some(v) = value.get_mut() { *v += 1 } }
                    12 => side.emit((s.key, s.at)),
                    _ => {}
                }
                sum.add(s.argument);
                let timers = (cx.due(first).map(|t| t.millis()), cx.due(second).map(|t| t.millis()));
                let map: Vec<(i64, i64)> = map.iter().map(|(k, v)| (*k, *v)).collect();
                let list: Vec<i64> = list.iter().copied().collect();
                cx.emit((s.key, s.at, format!("row {:?} {list:?} {map:?} {:?} {timers:?}", value.get(), sum.get())));
            }
            on timer first(at, cx) {
                let n = map.len();
                let all: Vec<i64> = list.iter().copied().collect();
                cx.emit((cx.key(), at.millis(), format!("first {:?} {all:?} {n}", value.get())));
                // A chain of timers that ends.
                if let Some(v) = value.take() {
                    cx.set(first, at + TimeSpan::from_millis(v % 300 - 20));
                }
                list.push(-1);
            }
            on timer second(at, cx) {
                cx.cancel(first);
                map.clear();
                cx.emit((cx.key(), at.millis(), format!("second {:?}", sum.take())));
            }
        };
        let side = seen.side;
        let plain: (u64, i64) = side.map(|s| s);
        sink out(seen) = collect();
        sink aside(plain) = collect();
        drop seen.late;
    }
}

fn s_at(step: &Step, argument: i64) -> Timestamp {
    ms(step.at + argument * 7 - 100)
}

/// One key, with times beside all that is kept.
#[derive(Default)]
struct Model {
    value: Option<(i64, i64)>,
    list: Vec<(i64, i64)>,
    map: BTreeMap<i64, (i64, i64)>,
    sum: Option<i64>,
    first: Option<i64>,
    second: Option<i64>,
}

impl Model {
    fn expire(&mut self, now: i64) {
        self.value = self.value.filter(|(_, t)| now < t + VALUE_TTL);
        self.list.retain(|(_, t)| now < t + LIST_TTL);
        self.map.retain(|_, (_, t)| now < *t + MAP_TTL);
    }

    fn list(&self) -> Vec<i64> {
        self.list.iter().map(|(v, _)| *v).collect()
    }

    fn apply(&mut self, s: &Step) -> String {
        let now = s.at;
        self.expire(now);
        let key = s.argument % 5;
        match s.action {
            0 => self.value = Some((s.argument, now)),
            1 => self.value = Some((self.value.map_or(0, |v| v.0) + s.argument, now)),
            2 => self.value = None,
            3 => self.list.push((s.argument, now)),
            4 => drop((!self.list.is_empty()).then(|| self.list.remove(0))),
            5 => drop(self.map.insert(key, (s.at, now))),
            6 => drop(self.map.insert(key, (self.map.get(&key).map_or(0, |v| v.0) + 1, now))),
            7 => drop(self.map.remove(&key)),
            8 => self.first = Some((s.at + s.argument * 7 - 100).max(now)),
            9 => self.second = Some((s.at + s.argument * 7 - 100).max(now)),
            10 => self.first = None,
            11 => self.value = self.value.map(|v| (v.0 + 1, now)),
            _ => {}
        }
        self.sum = Some(self.sum.unwrap_or(0) + s.argument);
        let map: Vec<(i64, i64)> = self.map.iter().map(|(k, v)| (*k, v.0)).collect();
        let timers = (self.first, self.second);
        format!(
            "row {:?} {:?} {map:?} {:?} {timers:?}",
            self.value.as_ref().map(|v| &v.0),
            self.list(),
            self.sum.as_ref()
        )
    }

    /// The next timer that is due before something at `before`, with its number; the first one first.
    fn next(&self, before: i64) -> Option<(i64, u8)> {
        let due = [self.first.map(|t| (t, 0)), self.second.map(|t| (t, 1))];
        due.into_iter().flatten().min().filter(|(t, _)| *t <= before)
    }

    fn fire(&mut self, (at, number): (i64, u8)) -> String {
        self.expire(at);
        if number == 0 {
            self.first = None;
            let text = format!("first {:?} {:?} {}", self.value.as_ref().map(|v| &v.0), self.list(), self.map.len());
            if let Some((v, _)) = self.value.take() {
                self.first = Some((at + v % 300 - 20).max(at + 1));
            }
            self.list.push((-1, at));
            text
        } else {
            self.second = None;
            self.first = None;
            self.map.clear();
            format!("second {:?}", self.sum.take())
        }
    }
}

type Seen = Vec<(u64, i64, String)>;

/// What is to be seen of all keys.
fn expected(steps: &[Step]) -> (Seen, Vec<(u64, i64)>) {
    let (mut seen, mut side) = (Vec::new(), Vec::new());
    let mut by_key: BTreeMap<u64, Vec<&Step>> = BTreeMap::new();
    steps.iter().for_each(|s| by_key.entry(s.key).or_default().push(s));
    for (key, mut steps) in by_key {
        steps.sort_by_key(|s| s.at);
        let mut model = Model::default();
        for s in steps {
            while let Some(due) = model.next(s.at) {
                seen.push((key, due.0, model.fire(due)));
            }
            seen.push((key, s.at, model.apply(s)));
            if s.action == 12 {
                side.push((key, s.at));
            }
        }
        while let Some(due) = model.next(i64::MAX - 1) {
            seen.push((key, due.0, model.fire(due)));
        }
    }
    (seen, side)
}

/// Rows that are out of order by less than `late_by`, and at the end a row of every key behind all timers.
fn steps(random: Vec<(u64, i64, u8, i64)>) -> Vec<Step> {
    let mut at = 0;
    let mut steps: Vec<Step> = random
        .into_iter()
        .map(|(key, gap, action, argument)| {
            at += gap;
            Step { key, at: at + argument % 7 * 70, action, argument }
        })
        .collect();
    steps.extend((0..40).map(|key| Step { key, at: at + 100_000, action: 99, argument: 0 }));
    steps
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]
    #[test]
    fn handlers_see_what_the_model_says(
        random in proptest::collection::vec((0u64..12, 0i64..120, 0u8..14, 0i64..100), 1..400),
        frame_rows in 1usize..300,
    ) {
        let steps = steps(random);
        let (mut seen, mut side) = expected(&steps);
        seen.sort();
        side.sort();
        for workers in 1..=3 {
            let config = Config::default().workers(workers).frame_rows(frame_rows).wire(workers == 2);
            let job = Steps { data: steps.clone().into(), map_ttl: TimeSpan::from_millis(MAP_TTL) };
            let mut results = job.run(config).unwrap();
            results.out.sort();
            results.aside.sort();
            prop_assert_eq!(results.summary.late, 0);
            let other = results.out.iter().zip(&seen).find(|(a, b)| a != b);
            prop_assert_eq!((other, results.out.len()), (None, seen.len()), "{} workers", workers);
            prop_assert_eq!(&results.aside, &side);
        }
    }
}

/// Of one key, what comes out comes in the order of time, and what is late goes to `.late` whole.
#[test]
fn results_come_in_the_order_of_time() {
    pelton::stream! {
        job Order<Memory> {
            param data: Arc<[Step]>;
            source steps: Step = pelton::source::rows(data), event_time |s| ms(s.at), late_by 100ms, ordered_splits;
            let all = steps.key_by(|s| s.key).process {
                in_order;
                state n: Value<u64>, unbounded("a count");
                on event(s, cx) {
                    n.update(|n| n + 1);
                    cx.emit((s.key, s.at, s.argument, n.get().copied().unwrap_or(0)));
                }
            };
            let rows: (u64, i64, i64, u64) = all.map(|r| r);
            let late: Step = all.late;
            sink out(rows) = collect();
            sink behind(late) = collect();
        }
    }
    let row = |i: i64| Step {
        key: i as u64 % 3,
        // Every tenth row is behind by more than is waited for.
        at: i * 10 - (i % 7) * 12 - if i % 10 == 9 { 500 } else { 0 },
        action: 0,
        argument: i,
    };
    let data: Vec<Step> = (0..5000).map(row).collect();
    let (mut latest, mut late, mut kept) = (i64::MIN, Vec::new(), Vec::new());
    for s in &data {
        // The first rows are behind nothing yet.
        if s.at < latest.saturating_sub(100) {
            late.push(s.argument)
        } else {
            kept.push(s)
        }
        latest = latest.max(s.at);
    }
    kept.sort_by_key(|s| (s.key, s.at));
    let mut counts = BTreeMap::new();
    let expected: Vec<(u64, i64, i64, u64)> = kept
        .iter()
        .map(|s| {
            let n = counts.entry(s.key).or_insert(0);
            *n += 1;
            (s.key, s.at, s.argument, *n)
        })
        .collect();
    for frame_rows in [1, 7, 1000] {
        let config = Config::default().workers(1).frame_rows(frame_rows);
        let results = Order { data: data.clone().into() }.run(config).unwrap();
        let mut found = results.out;
        assert!(found.windows(2).all(|two| two[0].1 <= two[1].1), "in the order of time over all keys");
        found.sort_by_key(|row| row.0);
        let other = found.iter().zip(&expected).find(|(a, b)| a != b);
        assert_eq!((other, found.len()), (None, expected.len()), "frames of {frame_rows} rows");
        let mut behind: Vec<i64> = results.behind.iter().map(|s| s.argument).collect();
        behind.sort();
        assert_eq!(behind, late);
        assert_eq!(results.summary.late, late.len() as u64);
    }
}
