//! Functions of the user's whose names are near to ready-made words are what is called.

#![allow(missing_docs, clippy::unwrap_used, reason = "helpers of tests")]

use pelton::prelude::*;

/// The length of the longest text.
struct Longest;

impl Aggregator<(u8, String)> for Longest {
    type Acc = u64;
    type Out = u64;
    fn add(&self, acc: &mut u64, row: &(u8, String)) {
        *acc = row.1.len().max(*acc as usize) as u64;
    }
    fn merge(&self, acc: &mut u64, other: u64) {
        *acc = other.max(*acc);
    }
    fn finish(&self, acc: &u64) -> u64 {
        *acc
    }
}

/// Not a word, but near to one.
fn counts(of: usize) -> Longest {
    assert_eq!(of, 2);
    Longest
}

/// A word elsewhere, and not where an aggregate is made.
fn count(n: usize) -> usize {
    n
}

stream! {
    job Near<Memory> {
        param texts: Vec<(u8, String)>;
        source input: (u8, String) = rows(texts);
        let own: (u8, u64) = input.key_by(|r| r.0).aggregate(counts(2), emit at_end, unbounded("few"));
        let both: (u8, (u64, usize)) = input
            .key_by(|r| r.0)
            .aggregate((counts(count(2)), count_distinct(|r| r.1)), emit at_end, unbounded("few"))
            .map(|(k, (own, rows))| (k, (own, count(rows as usize))));
        sink a(own) = collect();
        sink b(both) = collect();
    }
}

#[test]
fn functions_of_the_users_may_look_like_words() {
    let texts = vec![(1, "a".to_owned()), (1, "bcd".to_owned())];
    let found = Near { texts }.run(Config::default().workers(1)).unwrap();
    assert_eq!((found.a, found.b), (vec![(1, 3)], vec![(1, (3, 2))]));
}
