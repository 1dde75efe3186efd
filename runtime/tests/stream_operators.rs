//! Every operator of the language, in `stream!` blocks over rows in memory, at one, two and three workers.

use pelton::source::rows;
use pelton::{Config, TimeSpan, Timestamp, Windowed};
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
    assert_eq!(found, expected);
}

pelton::stream! {
    job Stateless<Memory> {
        param data: Arc<[u64]>;
        param factor: u64 = 3;

        source numbers: u64 = rows(data);
        let mapped: u64 = numbers.map(|x| x * factor).filter(|x| x % 2 == 1);
        let picked: (u64, u64) = numbers.filter_map(|x| (x % 7 == 0).then_some((x, x / 7)));
        let flat: u64 = numbers.filter(|x| *x < 5).flat_map(|x| (0..x).filter(move |y| y + 1 != x)).inspect(|x| assert!(*x < 5));
        sink a(mapped) = collect();
        sink b(picked) = collect();
        sink c(flat) = collect();
    }
}

#[test]
fn stateless_operators_and_several_consumers() {
    everywhere(|config| {
        let job = Stateless { data: (0..1000).collect(), factor: 3 };
        let results = job.run(config).unwrap();
        same(results.a, (0..1000).map(|x| x * 3).filter(|x| x % 2 == 1));
        same(results.b, (0..1000).filter(|x| x % 7 == 0).map(|x| (x, x / 7)));
        same(results.c, (0..5u64).flat_map(|x| (0..x).filter(move |y| y + 1 != x)));
        assert_eq!(results.summary.records_in, 1000);
    });
}

pelton::stream! {
    job Words<Memory> {
        param text: Arc<[String]>;
        param least: usize = 1;

        source lines: &String = rows(text);
        let words = lines.flat_map(|l| l.split(' ')).filter(|w| w.len() >= least);
        let by_word = words.key_by(|w| w);
        let counts: (String, u64) = by_word.aggregate(count(), emit at_end, unbounded("few keys")).map(|(word, n)| (word.to_owned(), n));
        let longest: (String, usize) = by_word.aggregate(max(|w| w.len()), emit at_end, unbounded("few keys")).map(|(w, n)| (w.to_owned(), n));
        let all: (usize, u64) = words.key_by(|w| w.len()).aggregate(count(), emit at_end, unbounded("few keys"));
        sink per_word(counts) = collect();
        sink lengths(longest) = collect();
        sink per_length(all) = collect();
    }
}

#[test]
fn borrowed_rows_and_a_shared_key() {
    everywhere(|config| {
        let text: Vec<String> = ["a bb a", "ccc bb a", "", "d"].repeat(50).into_iter().map(String::from).collect();
        let results = Words { text: text.into(), least: 1 }.run(config).unwrap();
        same(results.per_word, [("a", 150), ("bb", 100), ("ccc", 50), ("d", 50)].map(|(w, n)| (w.to_string(), n)));
        same(results.lengths, ["a", "bb", "ccc", "d"].map(|w| (w.to_string(), w.len())));
        same(results.per_length, [(1, 200), (2, 100), (3, 50)]);
    });
}

type Event = (i64, u64, i64);
fn at(e: &Event) -> Timestamp {
    Timestamp::from_millis(e.0)
}

pelton::stream! {
    job Windows<Memory> {
        param data: Arc<[Event]>;
        param size: TimeSpan = 1s;

        source events: Event = rows(data), event_time at, late_by 10s, ordered_splits;
        let sums: Windowed<u64, (u64, i64)> =
            events.key_by(|e| e.1).window(tumbling size).aggregate((count(), sum(|e| e.2)));
        let shifted: (u64, i64, i64) = events
            .filter(|e| at(e) - Timestamp::from_millis(0) < 1min)
            .key_by(|e| e.1)
            .window(tumbling 1min30s offset 15s)
            .aggregate(max_by(|e| e.2))
            .map(|w| (w.key, w.start.millis(), w.value.2));
        sink a(sums) = collect();
        sink b(shifted) = collect();
        drop sums.late, shifted.late;
    }
}

fn events() -> Vec<Event> {
    (0..5000).map(|i| (i * 37 % 90_000, (i % 5) as u64, i)).collect()
}

#[test]
fn windows_with_nothing_late() {
    everywhere(|config| {
        let results = Windows { data: events().into(), size: TimeSpan::from_millis(1000) }.run(config).unwrap();
        // the source is not in order by more than `late_by` allows, so late rows are dropped and counted
        let taken: u64 = results.a.iter().map(|w| w.value.0).sum();
        assert!(taken > 0 && taken + results.summary.late >= 5000, "{taken} taken, {} late", results.summary.late);
        assert!(results.a.iter().all(|w| w.end - w.start == TimeSpan::from_millis(1000) && w.firing == 0));
        assert!(results.b.iter().all(|(_, start, best)| (start % 90_000 == 15_000 || *start == -75_000) && *best > 0));
    });
}

pelton::stream! {
    job Late<Memory> {
        param data: Arc<[Event]>;
        param keys: u64;
        param tag: String = "late";

        source events: Event = rows(data), event_time |e| Timestamp::from_millis(e.0), late_by 0s, ordered_splits;
        let sums: (u64, i64, u64, u32, String) = events
            .key_by(|e| e.1 % keys)
            .window(tumbling 1s, allow_late 500ms, refire)
            .aggregate((count(), sum(|e| e.2)))
            .map(|w| (w.key, w.start.millis(), w.value.0, w.firing, format!("{tag}!")));
        let lost: (u64, String) = sums.late.filter(|e| e.1 < keys).map(|e| (e.1, tag.clone()));
        let per_key: (u64, u64) = sums.late.key_by(|e| e.1).aggregate(count(), emit at_end, unbounded("few keys"));
        sink a(sums) = collect();
        sink b(lost) = collect();
        sink c(per_key) = collect();
    }
}

#[test]
fn late_rows_are_a_stream() {
    let data: Vec<Event> =
        vec![(100, 0, 1), (1100, 0, 2), (200, 0, 3), (1600, 0, 4), (300, 0, 5), (9000, 1, 6), (100, 1, 7)];
    let config = Config::default().workers(1);
    let results = Late { data: data.into(), keys: 10, tag: "x".into() }.run(config).unwrap();
    let x = || "x".to_string();
    let shout = || "x!".to_string();
    same(results.a, [(0, 0, 1, 0, shout()), (0, 0, 2, 1, shout()), (0, 1000, 2, 0, shout()), (1, 9000, 1, 0, shout())]);
    same(results.b, [(0, x()), (1, x())]);
    same(results.c, [(0, 1), (1, 1)]);
    assert_eq!(results.summary.late, 2);
}

pelton::stream! {
    job Folds<Memory> {
        param data: Arc<[u64]>;
        param start: u64;

        source numbers: u64 = rows(data);
        let by = numbers.key_by(|x| x % 3);
        let sums: (u64, u64) = by.reduce(|a, b| a + b + start - start, emit at_end, unbounded("few keys"));
        let totals: (u64, u64) = by.fold(start, |sum, x| *sum += x, emit at_end, unbounded("few keys"));
        let running: (u64, u64) = by.reduce(|a, b| a.max(b), unbounded("few keys"));
        let often: (u64, u64) = by.aggregate(count(), emit every 1ms, unbounded("few keys"));
        let each: (u64, u64) = by.aggregate(count(), emit each, unbounded("few keys"));
        sink a(sums) = collect();
        sink b(totals) = collect();
        sink c(running) = collect();
        sink d(often) = collect();
        sink e(each) = collect();
    }
}

#[test]
fn reduce_fold_and_when_they_speak() {
    everywhere(|config| {
        let results = Folds { data: (0..999).collect(), start: 7 }.run(config).unwrap();
        let sum = |k: u64| (0..999).filter(|x| x % 3 == k).sum::<u64>();
        same(results.a, (0..3).map(|k| (k, sum(k))));
        same(results.b, (0..3).map(|k| (k, sum(k) + 7)));
        assert_eq!(results.c.len(), 999);
        assert_eq!(results.c.iter().map(|r| r.1).max(), Some(998));
        same(results.e, (0..3).flat_map(|k| (1..=333).map(move |n| (k, n))));
        let last = |k| results.d.iter().filter(|r| r.0 == k).map(|r| r.1).max();
        assert_eq!([last(0), last(1), last(2)], [Some(333); 3]);
    });
}

pelton::stream! {
    job Unions<Memory> {
        param left: Arc<[u64]>;
        param right: Arc<[u64]>;

        source a: u64 = rows(left);
        source b: u64 = rows(right);
        let odd = a.filter(|x| x % 2 == 1);
        let even = a.filter(|x| x % 2 == 0).map(|x| x + 1000);
        let both = union(odd, even, b);
        let counted: (u64, u64) = union(a, b).key_by(|x| x % 4).aggregate(count(), emit at_end, unbounded("few keys"));
        let rows_of_both: u64 = both;
        let odd_again: u64 = odd;
        sink all(rows_of_both, odd_again) = collect();
        sink totals(counted) = collect();
    }
}

#[test]
fn unions_and_a_sink_with_two_inputs() {
    everywhere(|config| {
        let (left, right): (Vec<u64>, Vec<u64>) = ((0..100).collect(), (50..60).collect());
        let results = Unions { left: left.into(), right: right.into() }.run(config).unwrap();
        let odd = || (0..100).filter(|x| x % 2 == 1);
        let even = (0..100).filter(|x| x % 2 == 0).map(|x| x + 1000);
        same(results.all, odd().chain(odd()).chain(even).chain(50..60));
        let count = |k: u64| 25 + (50..60).filter(|x| x % 4 == k).count() as u64;
        same(results.totals, (0..4).map(|k| (k, count(k))));
    });
}
