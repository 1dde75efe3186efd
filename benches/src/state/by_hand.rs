//! W2 as a good engineer writes it over the crate `rocksdb`, with the batching that Pelton has: a map in front of the database,
//! of which what has changed is written each second, by a thread beside the loop.
//!
//! Two workers own half of the keys each, and a database each. Every worker makes numbers and gives those that are not its own
//! to the other, a frame at a time.

use crate::jobs::{Keys, mix, rate};
use rocksdb::{BlockBasedOptions, Cache, DB, Options, WriteBatch, WriteOptions};
use rustc_hash::FxHashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

const FRAME: usize = 4096;
/// Numbers between two looks at the clock.
const CHUNK: u64 = 1 << 16;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Million numbers per second.
pub fn w2(place: &Path, keys: Keys, time: Duration) -> Result<f64, Error> {
    let (to_first, from_second) = sync_channel(64);
    let (to_second, from_first) = sync_channel(64);
    let begun = Instant::now();
    let counts = std::thread::scope(|scope| {
        let ends = [(to_second, from_second), (to_first, from_first)];
        let threads: Vec<_> = ends
            .into_iter()
            .enumerate()
            .map(|(me, (to, from))| scope.spawn(move || Worker::open(place, me)?.run(keys, begun, time, to, from)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err("a worker panicked".into())))
            .collect::<Result<Vec<u64>, Error>>()
    })?;
    Ok(rate(counts.iter().sum(), begun.elapsed()))
}

/// Sum and count of a key, and whether it has changed since it was written.
#[derive(Default)]
struct Sum {
    sum: u64,
    count: u64,
    changed: bool,
}

struct Worker {
    me: usize,
    db: Arc<DB>,
    sums: FxHashMap<u64, Sum>,
    /// What has come out: the running sums, which somebody would use.
    seen: u64,
}

impl Worker {
    fn open(place: &Path, me: usize) -> Result<Worker, Error> {
        if let Some(core) = core_affinity::get_core_ids().and_then(|cores| cores.get(me).copied()) {
            core_affinity::set_for_current(core);
        }
        let mut blocks = BlockBasedOptions::default();
        blocks.set_bloom_filter(10.0, false);
        blocks.set_block_cache(&Cache::new_lru_cache(256 << 20));
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_block_based_table_factory(&blocks);
        let folder = place.join(format!("by-hand-{me}"));
        std::fs::create_dir_all(&folder)?;
        Ok(Worker { me, db: Arc::new(DB::open(&options, folder)?), sums: FxHashMap::default(), seen: 0 })
    }

    fn run(
        mut self,
        keys: Keys,
        begun: Instant,
        time: Duration,
        to: SyncSender<Vec<(u64, u64)>>,
        from: Receiver<Vec<(u64, u64)>>,
    ) -> Result<u64, Error> {
        let (write, batches) = sync_channel::<WriteBatch>(1);
        let db = self.db.clone();
        let writer = std::thread::spawn(move || -> Result<(), rocksdb::Error> {
            let mut options = WriteOptions::default();
            options.disable_wal(true);
            batches.iter().try_for_each(|batch| db.write_opt(batch, &options))
        });
        let (mut made, mut frame, mut written) = (0, Vec::with_capacity(FRAME), begun);
        let mut at = self.me as u64 * CHUNK;
        while begun.elapsed() < time {
            for i in at..at + CHUNK {
                let key = keys.of(i);
                if (mix(key) >> 63) as usize == self.me {
                    self.add(key, i)?;
                } else {
                    frame.push((key, i));
                    if frame.len() == FRAME {
                        let mut full = std::mem::replace(&mut frame, Vec::with_capacity(FRAME));
                        // The other one may be waiting for room, too.
                        while let Err(std::sync::mpsc::TrySendError::Full(back)) = to.try_send(full) {
                            full = back;
                            self.take(&from)?;
                        }
                    }
                }
            }
            self.take(&from)?;
            (made, at) = (made + CHUNK, at + 2 * CHUNK);
            if written.elapsed() >= Duration::from_secs(1) {
                written = Instant::now();
                // The loop waits only if the batch before has not been begun.
                let mut batch = WriteBatch::default();
                for (key, sum) in self.sums.iter_mut().filter(|(_, sum)| sum.changed) {
                    sum.changed = false;
                    let mut value = [0; 16];
                    value[..8].copy_from_slice(&sum.sum.to_le_bytes());
                    value[8..].copy_from_slice(&sum.count.to_le_bytes());
                    batch.put(key.to_be_bytes(), value);
                }
                write.send(batch).map_err(|_| "the thread that writes has ended")?;
            }
        }
        drop((to, write));
        std::hint::black_box(self.seen);
        writer.join().map_err(|_| "the thread that writes panicked")??;
        Ok(made)
    }

    /// What the other worker has sent.
    fn take(&mut self, from: &Receiver<Vec<(u64, u64)>>) -> Result<(), Error> {
        loop {
            match from.try_recv() {
                Ok(frame) => frame.into_iter().try_for_each(|(key, i)| self.add(key, i))?,
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Ok(()),
            }
        }
    }

    #[inline]
    fn add(&mut self, key: u64, i: u64) -> Result<(), Error> {
        let sum = match self.sums.entry(key) {
            std::collections::hash_map::Entry::Occupied(sum) => sum.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                let mut sum = Sum::default();
                if let Some(value) = self.db.get_pinned(key.to_be_bytes())?
                    && let (Some(a), Some(b)) = (value.first_chunk(), value.last_chunk())
                {
                    (sum.sum, sum.count) = (u64::from_le_bytes(*a), u64::from_le_bytes(*b));
                }
                place.insert(sum)
            }
        };
        (sum.sum, sum.count, sum.changed) = (sum.sum.wrapping_add(i), sum.count + 1, true);
        self.seen = self.seen.wrapping_add(sum.sum);
        Ok(())
    }
}
