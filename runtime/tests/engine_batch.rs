//! Jobs without windows against plain programs over the same rows: whatever the number of workers, the size of frames and
//! the form in which rows cross an exchange, the answer is the batch answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::too_many_arguments)] // helpers of tests

mod support;

use pelton::prelude::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use support::{Feed, Row, Step, feed, setups, sorted, within_a_minute};

#[derive(Record, Key, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Short(u8),
    Long { name: String, more: Option<u32> },
}

fn name(key: u64) -> Name {
    match key % 3 {
        0 => Name::Short(key as u8),
        rest => Name::Long { name: "n".repeat(key as usize % 20), more: (rest == 1).then_some(key as u32) },
    }
}

fn text(row: &Row) -> String {
    format!("{}:{}", "k".repeat(row.key as usize % 7), row.key)
}

pelton::stream! {
    job Batch<Memory> {
        param rows: Feed<Row>;
        param more: Feed<Row>;

        source all: Row = feed(rows);
        source others: Row = feed(more);

        // aggregates: each, every so often, at the end; integer, text, tuple and derived keys
        let by = all.key_by(|r| r.key);
        let each: (u64, (u64, u64)) = by.aggregate((count(), sum(|r| r.value)), emit each, unbounded("few keys"));
        let every: (u64, (u64, u64)) = by.aggregate((count(), sum(|r| r.value)), emit every 1ms, unbounded("few keys"));
        let at_end: (u64, (u64, u64, u64, u64)) =
            by.aggregate((count(), sum(|r| r.value), min(|r| r.value), max(|r| r.value)), emit at_end, unbounded("few keys"));
        let texts: (String, u64) = all.key_by(text).aggregate(count(), emit at_end, unbounded("few keys")).map(|(k, n)| (k.to_owned(), n));
        let names: (Name, u64) = all.key_by(|r| name(r.key)).aggregate(sum(|r| r.value), emit at_end, unbounded("few keys")).map(|(k, n)| (k.clone(), n));
        let pairs: (u64, String, u64) = all
            .key_by(|r| (r.key, text(r)))
            .aggregate(count(), emit each, unbounded("few keys"))
            .map(|((k, t), n)| (k, t.to_owned(), n));

        // folds
        let reduced: (u64, Row) = by.reduce(|a, b| if a.value > b.value { a } else { b }, emit at_end, unbounded("few keys"));
        let folded: (u64, (u64, u64)) = by.fold((0, 0), |acc, r| { acc.0 += 1; acc.1 ^= r.value }, emit at_end, unbounded("few keys"));
        let running: (u64, u64) = by.fold(0, |sum, r| *sum += r.value, emit each, unbounded("few keys"));

        // rows that become none, one or many; two exchanges; what was one stream, together again
        let odd = all.filter(|r| r.value % 2 == 1).map(|r| Row { key: r.key + 1, ..r });
        let parts = all.flat_map(|r| (0..r.value % 5).map(move |i| Row { value: r.value + i, ..r }));
        let both = union(odd, parts, others);
        let last = both.key_by(|r| r.key % 5).fold(0, |n, r| { *n = r.value }, emit each, unbounded("few keys"));
        let once_more: (u64, u64) = last
            .flat_map(|(k, v)| [(k, v), (k + 1, v)])
            .key_by(|p| p.0)
            .aggregate(sum(|p| p.1), emit at_end, unbounded("few keys"));
        let rows_of_both: Row = both;

        sink a(each) = collect();
        sink b(every) = collect();
        sink c(at_end) = collect();
        sink d(texts) = collect();
        sink e(names) = collect();
        sink f(pairs) = collect();
        sink g(reduced) = collect();
        sink h(folded) = collect();
        sink i(running) = collect();
        sink j(once_more) = collect();
        sink k(rows_of_both) = collect();
    }
}

fn script() -> impl Strategy<Value = Vec<Vec<Step<Row>>>> {
    let row = (0..30u64, any::<u16>()).prop_map(|(key, value)| Step::Row(Row { key, at: 0, value: u64::from(value) }));
    let step = prop_oneof![60 => row, 1 => Just(Step::Dry(std::time::Duration::from_micros(300)))];
    prop::collection::vec(prop::collection::vec(step, 0..300), 0..5)
}

fn rows_of(splits: &[Vec<Step<Row>>]) -> Vec<Row> {
    let row = |step: &Step<Row>| if let Step::Row(row) = step { Some(*row) } else { None };
    splits.iter().flatten().filter_map(row).collect()
}

/// Values of rows by some key.
fn grouped<K: Ord>(rows: &[Row], key: impl Fn(&Row) -> K) -> BTreeMap<K, Vec<u64>> {
    let mut groups: BTreeMap<K, Vec<u64>> = BTreeMap::new();
    rows.iter().for_each(|row| groups.entry(key(row)).or_default().push(row.value));
    groups
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn jobs_give_the_batch_answer(first in script(), second in script(), later in 0..3usize) {
        let (rows, others) = (rows_of(&first), rows_of(&second));
        let by = grouped(&rows, |r| r.key);
        let count = |values: &Vec<u64>| values.len() as u64;
        let total = |values: &Vec<u64>| values.iter().sum::<u64>();
        let odd = rows.iter().filter(|r| r.value % 2 == 1).map(|r| Row { key: r.key + 1, ..*r });
        let parts = rows.iter().flat_map(|r| (0..r.value % 5).map(move |i| Row { value: r.value + i, ..*r }));
        let both: Vec<Row> = odd.chain(parts).chain(others.iter().copied()).collect();
        let twice: Vec<Row> = both
            .iter()
            .flat_map(|r| [r.key % 5, r.key % 5 + 1].map(|key| Row { key, ..*r }))
            .collect();
        for setup in setups() {
            let job = Batch { rows: Feed::new(first.clone()).later(later), more: Feed::new(second.clone()) };
            let got = within_a_minute(move || job.run(setup.config().epoch(std::time::Duration::from_millis(2))).unwrap());

            // one result per row, counting up; the last one of a key is its total
            let each = sorted(got.a);
            let expected: Vec<(u64, u64)> = by.iter().flat_map(|(k, v)| (1..=count(v)).map(move |n| (*k, n))).collect();
            prop_assert_eq!(each.iter().map(|(k, (n, _))| (*k, *n)).collect::<Vec<_>>(), expected, "{:?}", setup);
            for (k, v) in &by {
                prop_assert!(each.contains(&(*k, (count(v), total(v)))), "{:?}", setup);
                prop_assert!(got.i.contains(&(*k, total(v))) && !v.is_empty(), "{:?}", setup);
                prop_assert_eq!(got.b.iter().filter(|r| r.0 == *k).max(), Some(&(*k, (count(v), total(v)))), "{:?}", setup);
            }
            prop_assert_eq!(got.i.len(), rows.len());
            let c: Vec<_> = by
                .iter()
                .map(|(k, v)| (*k, (count(v), total(v), *v.iter().min().unwrap(), *v.iter().max().unwrap())))
                .collect();
            prop_assert_eq!(sorted(got.c), c, "{:?}", setup);
            prop_assert_eq!(sorted(got.d), sorted(grouped(&rows, text).iter().map(|(k, v)| (k.clone(), count(v)))));
            prop_assert_eq!(sorted(got.e), sorted(grouped(&rows, |r| name(r.key)).iter().map(|(k, v)| (k.clone(), total(v)))));
            let pairs = grouped(&rows, |r| (r.key, text(r)));
            prop_assert_eq!(
                sorted(got.f),
                sorted(pairs.iter().flat_map(|((k, t), v)| (1..=count(v)).map(move |n| (*k, t.clone(), n)))),
            );
            prop_assert_eq!(
                sorted(got.g.into_iter().map(|(k, r)| (k, r.key, r.value))),
                by.iter().map(|(k, v)| (*k, *k, *v.iter().max().unwrap())).collect::<Vec<_>>(),
            );
            prop_assert_eq!(
                sorted(got.h),
                by.iter().map(|(k, v)| (*k, (count(v), v.iter().fold(0, |a, b| a ^ b)))).collect::<Vec<_>>(),
            );
            prop_assert_eq!(
                sorted(got.j),
                grouped(&twice, |r| r.key).iter().map(|(k, v)| (*k, total(v))).collect::<Vec<_>>(),
                "{:?}", setup,
            );
            prop_assert_eq!(sorted(got.k), sorted(both.clone()), "{:?}", setup);
            prop_assert_eq!(got.summary.records_in, (rows.len() + others.len()) as u64);
        }
    }
}
