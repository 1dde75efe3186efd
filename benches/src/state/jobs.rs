//! The jobs, as a user writes them.

use crate::figures::Trap;
use crate::gaps::Gaps;
use crate::generated::Numbers;
use pelton::prelude::*;
use std::time::Duration;

/// SplitMix64's finalizer over a counter.
#[inline(always)]
pub fn mix(i: u64) -> u64 {
    let z = i.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x1234_5678_9ABC_DEF1);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Which keys a run's numbers hit: all once in a row, then some of them at random.
#[derive(Clone, Copy)]
pub struct Keys {
    pub all: u64,
    /// Of `all`, how many are hit when each has been hit once.
    pub then: u64,
}

impl Keys {
    #[inline(always)]
    pub fn of(&self, i: u64) -> u64 {
        if i < self.all { i } else { mix(i) % self.then }
    }
}

/// Adds rows up in a value of 64 bytes.
#[derive(Clone)]
pub struct Wide;

impl Aggregator<u64> for Wide {
    type Acc = [u64; 8];
    type Out = u64;
    fn add(&self, acc: &mut [u64; 8], row: &u64) {
        acc[(*row % 8) as usize] = acc[(*row % 8) as usize].wrapping_add(*row);
    }
    fn merge(&self, acc: &mut [u64; 8], other: [u64; 8]) {
        acc.iter_mut().zip(other).for_each(|(a, b)| *a = a.wrapping_add(b));
    }
    fn finish(&self, acc: &[u64; 8]) -> u64 {
        acc[0]
    }
}

/// Adds rows up in a value of 1 KB on the heap.
#[derive(Clone)]
pub struct Huge;

impl Aggregator<u64> for Huge {
    type Acc = Vec<u64>;
    type Out = u64;
    fn add(&self, acc: &mut Vec<u64>, row: &u64) {
        if acc.is_empty() {
            acc.resize(128, 0);
        }
        acc[(*row % 128) as usize] = acc[(*row % 128) as usize].wrapping_add(*row);
    }
    fn merge(&self, acc: &mut Vec<u64>, other: Vec<u64>) {
        acc.resize(128, 0);
        acc.iter_mut().zip(other).for_each(|(a, b)| *a = a.wrapping_add(b));
    }
    fn finish(&self, acc: &Vec<u64>) -> u64 {
        acc.first().copied().unwrap_or_default()
    }
}

/// How long until a run's time is up: no result after it counts.
pub fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64() / 1e6
}

stream! {
    /// A running sum and count per key, as W2 has it.
    pub job Sums<Memory> {
        param numbers: Numbers;
        param keys: Keys;
        param gaps: Gaps;
        source all: u64 = numbers;
        let sums = all.key_by(|i| keys.of(*i)).aggregate((sum(|i| *i % 1000), count()), emit each, unbounded("as many keys as are measured"));
        let none: u64 = sums.filter_map(|_| gaps.pass());
        sink out(none) = collect();
    }

    /// Values of 64 bytes.
    pub job Wides<Memory> {
        param numbers: Numbers;
        param keys: Keys;
        param gaps: Gaps;
        source all: u64 = numbers;
        let sums = all.key_by(|i| keys.of(*i)).aggregate(Wide, emit each, unbounded("as many keys as are measured"));
        let none: u64 = sums.filter_map(|_| gaps.pass());
        sink out(none) = collect();
    }

    /// Values of 64 bytes, and an end by an error.
    pub job Trapped<Memory> {
        param numbers: Numbers;
        param keys: Keys;
        param gaps: Gaps;
        param trap: Option<Trap>;
        source all: u64 = numbers;
        let some = all.inspect(|i| assert!(trap.as_ref().is_none_or(|trap| !trap.springs(*i)), "as planned"));
        let sums = some.key_by(|i| keys.of(*i)).aggregate(Wide, emit each, unbounded("as many keys as are measured"));
        let none: u64 = sums.filter_map(|_| gaps.pass());
        sink out(none) = collect();
    }

    /// Values of 1 KB.
    pub job Huges<Memory> {
        param numbers: Numbers;
        param keys: Keys;
        param gaps: Gaps;
        source all: u64 = numbers;
        let sums = all.key_by(|i| keys.of(*i)).aggregate(Huge, emit each, unbounded("as many keys as are measured"));
        let none: u64 = sums.filter_map(|_| gaps.pass());
        sink out(none) = collect();
    }
}
