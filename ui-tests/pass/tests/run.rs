//! The jobs of the library run too.

use pelton_ui_pass::flows::{OfAny, Pair};
use pelton_ui_pass::shadowed::Shadowed;
use pelton_ui_pass::whole::{Kept, Whole};
use river::{Config, TimeSpan};

#[test]
fn a_whole_job() {
    let numbers = (0..100).collect();
    let job = Whole { numbers, least: 2, share: -1.5, any: true, wait: TimeSpan::from_millis(5_400_000), out: None };
    let mut results = job.run(Config::default().workers(2)).unwrap();
    results.own.sort_unstable();
    let expected = |k: u64| {
        let numbers = (2..100).filter(move |n| n % 3 == k);
        (k, (numbers.clone().count() as u64, numbers.map(|n| n * n).sum()))
    };
    assert_eq!(results.own, [expected(0), expected(1), expected(2)]);
    // 7 of each of the first two, and per key a window of both kinds
    assert_eq!(results.pairs_of.len(), 7 + 7 + 3 + 3);
    assert!(results.too_late.is_empty());
    results.kept_of.sort_unstable_by_key(|kept| kept.0);
    assert_eq!(results.kept_of[2], (2, Kept { rows: 14, most: 93, mean: 47.5 }));
    results.ends.sort_unstable();
    let sum = |key: u64| {
        let numbers = (2..100).filter(move |n| n % 7 == key);
        (key, numbers.clone().sum::<u64>() + (numbers.map(|n| n * n).sum::<u64>() & 1))
    };
    assert_eq!(results.ends, (0..7).map(sum).collect::<Vec<_>>());
    assert_eq!(results.odds.len(), 49);
}

#[test]
fn a_job_among_shadowed_names() {
    let data = (0..100).map(|n| (n, n as u64)).collect::<Vec<_>>().into();
    let job = Shadowed { data, x0: 1, k: 3, o: None, cx: "c".into() };
    let results = job.run(Config::default().workers(1)).unwrap();
    let whole: u64 = (0..100).sum::<u64>() + 2 * (1..100).map(|n| n + 3).sum::<u64>();
    assert_eq!(results.sums.iter().sum::<u64>(), whole);
    assert_eq!(results.at_the_end.iter().sum::<u64>(), (0..100).sum::<u64>());
    assert_eq!(results.firsts.iter().sum::<u64>(), (0..5).sum::<u64>());
    assert_eq!(results.per_hour.iter().sum::<u64>(), 2 * 99);
    assert_eq!(results.flown_out.len(), 90);
    assert_eq!(results.few_out.len(), 9);
}

#[test]
fn a_job_of_any_type_made_of_flows() {
    let pairs = (0..100).map(|n| Pair { key: n % 3, value: n }).collect();
    let rows_in = (0..100).map(|n| (n % 5, n.to_string())).collect();
    let mut results = OfAny { pairs, rows_in, most: 3 }.run(Config::default().workers(2)).unwrap();
    results.sums_of.sort_unstable();
    let sum = |key: u64| (key, (0..100).filter(|n| n % 3 == key).sum::<u64>());
    assert_eq!(results.sums_of, [sum(0), sum(1), sum(2)]);
    results.more_sums.sort_unstable();
    assert_eq!(results.more_sums, results.sums_of);
    assert_eq!(results.firsts_of.len(), 15);
}

#[test]
fn jobs_inside_functions_and_modules() {
    assert_eq!(pelton_ui_pass::count((0..10).collect()).unwrap(), 12);
}
