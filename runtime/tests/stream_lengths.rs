//! Durations that params say, wherever a duration stands: what they do, and what is said of one that is none. And sizes.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "support/everywhere.rs"]
mod everywhere;

use everywhere::{everywhere, same};
use pelton::checkpoint::history::History;
use pelton::checkpoint::store::{MemoryStore, Store};
use pelton::job::main_with;
use pelton::prelude::*;
use std::sync::Arc;

type Event = (i64, u64);

pelton::stream! {
    pub job Lengths<Memory> {
        param data: Arc<[Event]>;
        param bound: TimeSpan = 1s;
        param silence: TimeSpan = 30s;
        param size: TimeSpan = 10s;
        param shift: TimeSpan = 5s;
        param grace: TimeSpan = 2s;
        param life: TimeSpan = 1h;
        param often: TimeSpan = 1ms;
        param every: TimeSpan = 1ms;
        param given_up: TimeSpan = 1min;
        param rest: TimeSpan = 1us;
        param first: TimeSpan = 1ms;
        param longest: TimeSpan = 5ms;

        checkpoint every every, timeout given_up, pause rest, keep 50;
        restart exponential first..=longest;

        source events: Event = rows(data), event_time |e| Timestamp::from_millis(e.0), late_by bound, idle_after silence, ordered_splits;
        let windows: (i64, u64, u32) = events.key_by(|e| e.1 % 2).window(tumbling size offset shift, allow_late grace, refire).aggregate(count())
            .map(|w| (w.start.millis(), w.value, w.firing));
        let late: Event = windows.late;
        let totals: (u64, u64) = events.key_by(|e| e.1 % 2).aggregate(count(), emit every often, ttl life);
        sink a(windows) = collect();
        sink b(late) = collect();
        sink c(totals) = collect();
    }
}

fn job(data: Vec<Event>) -> Lengths {
    let ms = TimeSpan::from_millis;
    Lengths {
        data: data.into(),
        bound: ms(1000),
        silence: ms(30_000),
        size: ms(10_000),
        shift: ms(5000),
        grace: ms(2000),
        life: ms(3_600_000),
        often: ms(1),
        every: ms(1),
        given_up: ms(60_000),
        rest: TimeSpan::from_micros(1),
        first: ms(1),
        longest: ms(5),
    }
}

#[test]
fn they_are_what_the_params_say() {
    everywhere(|config| {
        let results = job((0..100).map(|n| (n * 500, 0)).collect()).run(config).unwrap();
        same(results.a, (0..6).map(|n| (n * 10_000 - 5000, if n == 0 || n == 5 { 10 } else { 20 }, 0)));
        assert!(results.b.is_empty());
    });
    // one row is a second and more behind, but within the grace; one is beyond that; with a larger bound neither is late
    let data: Vec<Event> = vec![(6000, 0), (16_500, 0), (14_000, 0), (40_000, 0), (9000, 0), (41_000, 0)];
    let one = || Config::default().workers(1);
    let results = job(data.clone()).run(one()).unwrap();
    same(results.a, [(5000, 1, 0), (5000, 2, 1), (15_000, 1, 0), (35_000, 2, 0)]);
    same(results.b, [(9000, 0)]);
    let results = Lengths { bound: TimeSpan::from_secs(60), ..job(data) }.run(one()).unwrap();
    same(results.a, [(5000, 3, 0), (15_000, 1, 0), (35_000, 2, 0)]);
    assert!(results.b.is_empty());
}

#[test]
fn checkpoints_are_as_often_as_a_param_says() {
    let kept = |every: TimeSpan, change: fn(Config) -> Config| {
        let store: Arc<dyn Store> = MemoryStore::new();
        let config = change(Config::default().workers(1).checkpoint_store(Arc::new(store.clone())));
        let data = (0..400_000).map(|n| (n, n as u64)).collect();
        Lengths { every, often: TimeSpan::from_secs(10), ..job(data) }.run(config).unwrap();
        History::read(&*store).unwrap().valid().len()
    };
    let often = kept(TimeSpan::from_millis(1), |config| config);
    assert!(often > 2, "{often} are kept");
    let seldom = kept(TimeSpan::from_secs(3600), |config| config);
    assert!(seldom <= 1, "{seldom} are kept");
    let config_first =
        kept(TimeSpan::from_millis(1), |config| config.checkpoint_every(std::time::Duration::from_secs(3600)));
    assert!(config_first <= 1, "{config_first} are kept");
}

#[test]
fn a_wrong_one_is_told_before_anything_begins() {
    let zero = TimeSpan::ZERO;
    let less = TimeSpan::from_millis(-1);
    let odd = TimeSpan::from_micros(1500);
    let of = |change: &dyn Fn(&mut Lengths)| {
        let mut job = job(vec![]);
        change(&mut job);
        job.run(Config::default().workers(1)).unwrap_err().to_string()
    };
    let checks: [(String, &str); 15] = [
        (of(&|job| job.bound = less), "the param `bound` is -1ms, and `late_by bound` must be zero or more"),
        (of(&|job| job.bound = odd), "`late_by bound` must be a whole number of milliseconds"),
        (of(&|job| job.silence = zero), "the param `silence` is 0s, and `idle_after silence` must be at least 1ms"),
        (of(&|job| job.size = zero), "the param `size` is 0s, and `tumbling size` must be at least 1ms"),
        (of(&|job| job.size = odd), "`tumbling size` must be a whole number of milliseconds"),
        (of(&|job| job.shift = less), "`offset shift` must be zero or more"),
        (of(&|job| job.shift = TimeSpan::from_secs(10)), "a window's offset lies between 0 and its size"),
        (of(&|job| job.grace = less), "`allow_late grace` must be zero or more"),
        (
            of(&|job| job.life = zero),
            "the param `life` is 0s, and `ttl life` must be above zero\n  help: give `--life` another duration",
        ),
        (of(&|job| job.often = zero), "`emit every often` must be above zero"),
        (of(&|job| job.every = zero), "the param `every` is 0s, and `checkpoint every every` must be above zero"),
        (of(&|job| job.given_up = zero), "`timeout given_up` must be above zero\n  help: give `--given-up` another"),
        (of(&|job| job.rest = less), "`pause rest` must be above zero"),
        (of(&|job| job.first = zero), "`restart exponential first` must be above zero"),
        (of(&|job| job.longest = TimeSpan::from_micros(1)), "the longest pause, 1µs, is shorter than the first, 1ms"),
    ];
    for (said, expected) in checks {
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn the_help_says_which_param_it_is() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = main_with::<Lengths>(["lengths", "run", "--help"].map(Into::into), &mut out, &mut err);
    let text = String::from_utf8(out).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == 0 && text.contains("[default: that of --every]"), "{text}");
}

pelton::stream! {
    /// Sizes, in a default, in closures and where a type says which integer it is.
    job Sizes<Memory> {
        param data: Vec<u64>;
        param most: usize = 2KiB;
        source bytes: u64 = rows(data);
        let fit: u32 = bytes.filter(|n| *n as usize <= most && *n < 1GiB).map(|n| (n / 1KiB) as u32 + 1_0MiB);
        sink out(fit) = collect();
    }
}

#[test]
fn a_size_is_an_integer() {
    let job = Sizes { data: vec![1024, 2048, 2049], most: 2048 };
    let mut out = job.run(Config::default()).unwrap().out;
    out.sort_unstable();
    assert_eq!(out, [10_485_761, 10_485_762]);
    let params = <Sizes as pelton::__private::Job>::params();
    assert_eq!(params.iter().find(|it| it.name == "most").and_then(|it| it.value), Some("2048"));
}
