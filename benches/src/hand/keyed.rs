//! A source shard, an exchange by key, a stateful stage: on one thread as one loop, on two with batches that change
//! hands over bounded rings and come back to be filled again.

use super::{pin, span};
use crate::measure::Run;
use rtrb::{Consumer, Producer, PushError, RingBuffer};
use std::sync::Barrier;
use std::time::Instant;

/// Rows in a batch.
pub const BATCH: usize = 1024;
const RING: usize = 64;
const END: u64 = u64::MAX;

/// The stateful end.
pub trait Stage<T>: Send {
    fn row(&mut self, row: T);
    fn watermark(&mut self, _watermark: u64) {}
    /// Count and checksum.
    fn result(&self) -> (u64, u64);
}

struct Batch<T> {
    rows: Vec<T>,
    watermark: u64,
}

struct Link<T> {
    to: Producer<Batch<T>>,
    from: Consumer<Batch<T>>,
    give_back: Producer<Vec<T>>,
    empty: Consumer<Vec<T>>,
    /// The watermark of the peer.
    peer: u64,
}

fn links<T>() -> [Link<T>; 2] {
    let (to_b, from_a) = RingBuffer::new(RING);
    let (to_a, from_b) = RingBuffer::new(RING);
    let (back_to_b, empty_b) = RingBuffer::new(RING + 2);
    let (back_to_a, empty_a) = RingBuffer::new(RING + 2);
    [
        Link { to: to_b, from: from_b, give_back: back_to_b, empty: empty_a, peer: 0 },
        Link { to: to_a, from: from_a, give_back: back_to_a, empty: empty_b, peer: 0 },
    ]
}

impl<T> Link<T> {
    fn fresh(&mut self) -> Vec<T> {
        self.empty.pop().unwrap_or_else(|_| Vec::with_capacity(2 * BATCH))
    }
    #[inline]
    fn receive(&mut self, stage: &mut impl Stage<T>) -> bool {
        let mut any = false;
        while let Ok(mut batch) = self.from.pop() {
            batch.rows.drain(..).for_each(|row| stage.row(row));
            self.peer = batch.watermark;
            let _ = self.give_back.push(batch.rows);
            any = true;
        }
        any
    }
    /// Sends, and works on what comes in while the ring is full: bounded, and free of deadlock.
    #[inline]
    fn send(&mut self, rows: Vec<T>, watermark: u64, stage: &mut impl Stage<T>) {
        let mut batch = Batch { rows, watermark };
        while let Err(PushError::Full(back)) = self.to.push(batch) {
            batch = back;
            if !self.receive(stage) {
                std::hint::spin_loop();
            }
        }
    }
}

/// Runs a workload over one or two shards.
pub fn run<T: Copy + Send + Sync, S: Stage<T>>(
    shards: &[&[T]],
    delay: u64,
    time: impl Fn(&T) -> u64 + Sync,
    route: impl Fn(&T) -> u64 + Sync,
    stage: impl Fn() -> S + Sync,
) -> Run {
    let done = if let [shard] = shards {
        vec![alone(shard, delay, &time, stage())]
    } else {
        pair(shards, delay, &time, &route, &stage)
    };
    let check = done.iter().fold(0u64, |sum, d| sum.wrapping_add(d.2.result().1));
    Run { time: span(done.iter().map(|d| (d.0, d.1))), count: done.iter().map(|d| d.2.result().0).sum(), check }
}

fn alone<T: Copy + Send + Sync, S: Stage<T>>(
    shard: &[T],
    delay: u64,
    time: &(impl Fn(&T) -> u64 + Sync),
    mut stage: S,
) -> (Instant, Instant, S) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            pin(0);
            let begun = Instant::now();
            let (mut latest, mut told) = (0, 0);
            for chunk in shard.chunks(BATCH) {
                for row in chunk {
                    latest = time(row).max(latest);
                    stage.row(*row);
                }
                let watermark = latest.saturating_sub(delay);
                if watermark > told {
                    told = watermark;
                    stage.watermark(watermark);
                }
            }
            stage.watermark(END);
            (begun, Instant::now(), stage)
        });
        thread.join()
    })
    .unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

fn pair<T: Copy + Send + Sync, S: Stage<T>>(
    shards: &[&[T]],
    delay: u64,
    time: &(impl Fn(&T) -> u64 + Sync),
    route: &(impl Fn(&T) -> u64 + Sync),
    stage: &(impl Fn() -> S + Sync),
) -> Vec<(Instant, Instant, S)> {
    let barrier = &Barrier::new(2);
    std::thread::scope(|scope| {
        let threads: Vec<_> = links::<T>()
            .into_iter()
            .zip(shards)
            .enumerate()
            .map(|(me, (mut link, shard))| {
                scope.spawn(move || {
                    pin(me);
                    let mut stage = stage();
                    barrier.wait();
                    let begun = Instant::now();
                    let (mut latest, mut told) = (0, 0);
                    // Own rows wait in a batch too: choosing a batch needs no branch that the data decides, and the
                    // state is then visited in a loop that overlaps its cache misses.
                    let mut batches = [link.fresh(), link.fresh()];
                    for chunk in shard.chunks(BATCH) {
                        for row in chunk {
                            latest = time(row).max(latest);
                            batches[(route(row) & 1) as usize].push(*row);
                        }
                        batches[me].drain(..).for_each(|row| stage.row(row));
                        if batches[1 - me].len() >= BATCH / 2 {
                            let next = link.fresh();
                            let full = std::mem::replace(&mut batches[1 - me], next);
                            link.send(full, latest.saturating_sub(delay), &mut stage);
                        }
                        link.receive(&mut stage);
                        let watermark = latest.saturating_sub(delay).min(link.peer);
                        if watermark > told {
                            told = watermark;
                            stage.watermark(watermark);
                        }
                    }
                    link.send(std::mem::take(&mut batches[1 - me]), END, &mut stage);
                    while link.peer != END {
                        if !link.receive(&mut stage) {
                            std::hint::spin_loop();
                        }
                    }
                    stage.watermark(END);
                    (begun, Instant::now(), stage)
                })
            })
            .collect();
        threads.into_iter().filter_map(|t| t.join().ok()).collect()
    })
}
