//! The other side: each workload as one loop, written by hand for that job alone, on one or two pinned threads.

pub mod keyed;
pub mod words;

use crate::data::{exchange, w1, w2, w3};
use crate::measure::Run;
use hashbrown::HashMap;
use keyed::Stage;
use rustc_hash::FxBuildHasher;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

type FastMap<K, V> = HashMap<K, V, FxBuildHasher>;

pub fn pin(core: usize) {
    core_affinity::set_for_current(core_affinity::CoreId { id: core });
}

/// From the first start to the last end of all threads.
pub fn span(times: impl Iterator<Item = (Instant, Instant)> + Clone) -> Duration {
    let begun = times.clone().map(|t| t.0).min();
    let ended = times.map(|t| t.1).max();
    begun.zip(ended).map_or(Duration::ZERO, |(begun, ended)| ended - begun)
}

fn on_threads(shards: &[&[u64]], work: impl Fn(&[u64]) -> (u64, u64) + Sync) -> Run {
    let (barrier, work) = (&std::sync::Barrier::new(shards.len()), &work);
    let done: Vec<(Instant, Instant, (u64, u64))> = std::thread::scope(|scope| {
        let threads: Vec<_> = shards
            .iter()
            .enumerate()
            .map(|(core, shard)| {
                scope.spawn(move || {
                    pin(core);
                    barrier.wait();
                    let begun = Instant::now();
                    let sums = work(shard);
                    (begun, Instant::now(), sums)
                })
            })
            .collect();
        threads.into_iter().filter_map(|t| t.join().ok()).collect()
    });
    let check = done.iter().fold(0u64, |sum, d| sum.wrapping_add(d.2.1));
    Run { time: span(done.iter().map(|d| (d.0, d.1))), count: done.iter().map(|d| d.2.0).sum(), check }
}

/// W1 with a branch, as one writes it.
pub fn numbers_branchy(shards: &[&[u64]]) -> Run {
    on_threads(shards, |shard| {
        let (mut count, mut sum) = (0u64, 0u64);
        for &x in shard {
            let y = w1::first(x);
            if w1::keep(y) {
                sum = sum.wrapping_add(w1::second(y));
                count += 1;
            }
        }
        (count, sum)
    })
}

/// W1 with the filter as a mask, as one writes it after a look at the machine code.
pub fn numbers_masked(shards: &[&[u64]]) -> Run {
    on_threads(shards, |shard| {
        let (mut count, mut sum) = (0u64, 0u64);
        for &x in shard {
            let y = w1::first(x);
            let keep = u64::from(w1::keep(y));
            sum = sum.wrapping_add(w1::second(y) & keep.wrapping_neg());
            count += keep;
        }
        (count, sum)
    })
}

#[derive(Default)]
struct RunningSums {
    sums: FastMap<u64, (i64, u64)>,
    count: u64,
    check: u64,
}
impl Stage<w2::Event> for RunningSums {
    #[inline(always)]
    fn row(&mut self, event: w2::Event) {
        let sum = self.sums.entry(event.key).or_insert((0, 0));
        sum.0 += event.value;
        sum.1 += 1;
        self.count += 1;
        self.check = self.check.wrapping_add(w2::check(event.key, sum.0, sum.1));
    }
    fn result(&self) -> (u64, u64) {
        (self.count, self.check)
    }
}

/// A hash to route by that is not the map's own.
#[inline(always)]
fn route(key: u64) -> u64 {
    key.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 32
}

/// W2.
pub fn running_sums(shards: &[&[w2::Event]]) -> Run {
    keyed::run(shards, 0, |_| 0, |event| route(event.key), RunningSums::default)
}

#[derive(Default)]
struct Windows {
    /// Open windows, oldest first: start, and per auction count and highest price.
    open: VecDeque<(u64, FastMap<u64, (u64, u64)>)>,
    count: u64,
    check: u64,
}
impl Stage<w3::Bid> for Windows {
    #[inline(always)]
    fn row(&mut self, bid: w3::Bid) {
        let at = bid.at.millis() as u64;
        let start = at - at % w3::WINDOW_MS;
        let place = match self.open.iter().rposition(|window| window.0 == start) {
            Some(place) => place,
            None => {
                let place = self.open.iter().position(|window| window.0 > start).unwrap_or(self.open.len());
                self.open.insert(place, (start, FastMap::default()));
                place
            }
        };
        let best = self.open[place].1.entry(bid.auction).or_insert((0, 0));
        best.0 += 1;
        best.1 = best.1.max(bid.price);
    }
    fn watermark(&mut self, watermark: u64) {
        while self.open.front().is_some_and(|window| window.0 + w3::WINDOW_MS <= watermark) {
            let Some((start, auctions)) = self.open.pop_front() else { return };
            for (auction, (count, max)) in auctions {
                self.count += 1;
                self.check = self.check.wrapping_add(w3::check(auction, start, count, max));
            }
        }
    }
    fn result(&self) -> (u64, u64) {
        (self.count, self.check)
    }
}

/// W3.
pub fn windows(shards: &[&[w3::Bid]]) -> Run {
    keyed::run(shards, w3::DELAY_MS, |bid| bid.at.millis() as u64, |bid| route(bid.auction), Windows::default)
}

/// A sum for each of the few keys.
struct Sums<F>([(u64, u64); exchange::KEYS as usize], F);
impl<T, F: Fn(&T) -> u64 + Send> Stage<T> for Sums<F> {
    #[inline(always)]
    fn row(&mut self, row: T) {
        let x = self.1(&row);
        let sum = &mut self.0[exchange::key(x) as usize];
        *sum = (sum.0 + 1, sum.1.wrapping_add(x));
    }
    fn result(&self) -> (u64, u64) {
        let seen = self.0.iter().enumerate().filter(|(_, sum)| sum.0 > 0);
        seen.fold((0, 0), |all, (key, sum)| (all.0 + 1, exchange::check(key as u64, sum.1).wrapping_add(all.1)))
    }
}

/// The exchange alone; `word` is what a row is routed by and what is summed.
pub fn exchanged<T: Copy + Send + Sync>(shards: &[&[T]], word: fn(&T) -> u64) -> Run {
    keyed::run(
        shards,
        0,
        |_| 0,
        |row| route(exchange::key(word(row))),
        || Sums([(0, 0); exchange::KEYS as usize], word),
    )
}
