//! W4 by hand: count words that are borrowed from a read buffer; every word exchanged, or counted first and merged.

use super::{pin, span};
use crate::data::w4::weight;
use crate::measure::Run;
use hashbrown::HashTable;
use pelton::text::words;
use rtrb::{Consumer, Producer, PushError, RingBuffer};
use rustc_hash::FxHasher;
use std::fs::File;
use std::hash::Hasher;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::time::Instant;

#[inline(always)]
fn hash(word: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(word.as_bytes());
    hasher.finish()
}

#[derive(Default)]
struct Counts {
    table: HashTable<(u64, Box<str>, u64)>,
    words: u64,
    running: u64,
}

impl Counts {
    #[inline(always)]
    fn add(&mut self, hash: u64, word: &str) {
        let count = match self.table.find_mut(hash, |known| &*known.1 == word) {
            Some(known) => {
                known.2 += 1;
                known.2
            }
            None => {
                self.table.insert_unique(hash, (hash, word.into(), 1), |known| known.0);
                1
            }
        };
        self.words += 1;
        self.running = self.running.wrapping_add(weight(word).wrapping_mul(count));
    }
    fn merge(&mut self, other: Counts) {
        self.words += other.words;
        for (hash, word, count) in other.table {
            match self.table.find_mut(hash, |known| known.1 == word) {
                Some(known) => known.2 += count,
                None => {
                    self.table.insert_unique(hash, (hash, word, count), |known| known.0);
                }
            }
        }
    }
    /// The checksum of the final counts.
    fn totals(&self) -> u64 {
        self.table.iter().fold(0, |sum, (_, word, count)| sum.wrapping_add(weight(word).wrapping_mul(*count)))
    }
}

/// The part of a file whose lines begin in share `k` of `of`.
fn share(path: &Path, k: usize, of: usize) -> std::io::Result<Range<u64>> {
    let length = path.metadata()?.len();
    let at = |k: usize| -> std::io::Result<u64> {
        if k == 0 || k == of {
            return Ok(if k == 0 { 0 } else { length });
        }
        let raw = length * k as u64 / of as u64;
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(raw))?;
        let mut ahead = [0; 4096];
        let got = file.read(&mut ahead)?;
        Ok(raw + memchr::memchr(b'\n', &ahead[..got]).map_or(got, |p| p + 1) as u64)
    };
    Ok(at(k)?..at(k + 1)?)
}

/// Calls `each` for every word of a part of a file, read in pieces of 256 KiB.
fn each_word(path: &Path, part: Range<u64>, mut each: impl FnMut(&str)) -> std::io::Result<()> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(part.start))?;
    let mut file = file.take(part.end - part.start);
    let (mut buffer, mut filled) = (vec![0u8; 256 << 10], 0);
    loop {
        let got = file.read(&mut buffer[filled..])?;
        filled += got;
        let whole = match memchr::memrchr(b'\n', &buffer[..filled]) {
            Some(end) if got > 0 => end + 1,
            _ if got == 0 => filled,
            _ => {
                buffer.resize(2 * buffer.len(), 0);
                continue;
            }
        };
        let text = std::str::from_utf8(&buffer[..whole]).map_err(std::io::Error::other)?;
        let mut at = 0;
        while at < text.len() {
            let end = memchr::memchr(b'\n', &buffer[at..whole]).map_or(text.len(), |length| at + length);
            words(&text[at..end]).for_each(&mut each);
            at = end + 1;
        }
        if got == 0 {
            return Ok(());
        }
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
    }
}

/// Words back to back: no allocation per word.
#[derive(Default)]
struct Batch {
    text: String,
    ends: Vec<(u64, u32)>,
    last: bool,
}

const BATCH: usize = 1024;
const RING: usize = 64;

impl Batch {
    fn fresh() -> Self {
        Batch { text: String::with_capacity(16 << 10), ends: Vec::with_capacity(BATCH), last: false }
    }
    fn count_into(&self, counts: &mut Counts) {
        let mut at = 0;
        for &(hash, end) in &self.ends {
            counts.add(hash, &self.text[at..end as usize]);
            at = end as usize;
        }
    }
}

struct Peer {
    to: Producer<Batch>,
    from: Consumer<Batch>,
    done: bool,
}

impl Peer {
    fn receive(&mut self, counts: &mut Counts) {
        while let Ok(batch) = self.from.pop() {
            batch.count_into(counts);
            self.done |= batch.last;
        }
    }
    fn send(&mut self, batch: Batch, counts: &mut Counts) {
        let mut batch = batch;
        while let Err(PushError::Full(back)) = self.to.push(batch) {
            batch = back;
            self.receive(counts);
        }
        self.receive(counts);
    }
}

fn threads(
    path: &Path,
    workers: usize,
    work: impl Fn(usize, Range<u64>, Option<Peer>) -> std::io::Result<Counts> + Sync,
) -> Vec<(Instant, Instant, Counts)> {
    let mut peers: Vec<Option<Peer>> = if workers == 2 {
        let (to_b, from_a) = RingBuffer::new(RING);
        let (to_a, from_b) = RingBuffer::new(RING);
        vec![Some(Peer { to: to_b, from: from_b, done: false }), Some(Peer { to: to_a, from: from_a, done: false })]
    } else {
        vec![None]
    };
    let (work, barrier) = (&work, &std::sync::Barrier::new(workers));
    std::thread::scope(|scope| {
        let threads: Vec<_> = peers
            .drain(..)
            .enumerate()
            .map(|(me, peer)| {
                scope.spawn(move || {
                    pin(me);
                    let part = share(path, me, workers).expect("the text can be read");
                    barrier.wait();
                    let begun = Instant::now();
                    let counts = work(me, part, peer).expect("the text can be read");
                    (begun, Instant::now(), counts)
                })
            })
            .collect();
        threads.into_iter().filter_map(|t| t.join().ok()).collect()
    })
}

/// Every word goes to the thread that owns it. The checksum is over all running counts.
pub fn exchanged(path: &Path, workers: usize) -> Run {
    let done = threads(path, workers, |me, part, peer| {
        let mut counts = Counts::default();
        let Some(mut peer) = peer else {
            each_word(path, part, |word| counts.add(hash(word), word))?;
            return Ok(counts);
        };
        let mut out = Batch::fresh();
        each_word(path, part, |word| {
            let hash = hash(word);
            if (hash >> 20 & 1) as usize == me {
                counts.add(hash, word);
            } else {
                out.text.push_str(word);
                out.ends.push((hash, out.text.len() as u32));
                if out.ends.len() == BATCH {
                    peer.send(std::mem::replace(&mut out, Batch::fresh()), &mut counts);
                }
            }
        })?;
        out.last = true;
        peer.send(out, &mut counts);
        while !peer.done {
            peer.receive(&mut counts);
        }
        Ok(counts)
    });
    let check = done.iter().fold(0u64, |sum, d| sum.wrapping_add(d.2.running));
    Run { time: span(done.iter().map(|d| (d.0, d.1))), count: done.iter().map(|d| d.2.words).sum(), check }
}

/// Each thread counts its share; then the tables are merged. The checksum is over the final counts.
pub fn combined(path: &Path, workers: usize) -> Run {
    let mut done = threads(path, workers, |_, part, _| {
        let mut counts = Counts::default();
        each_word(path, part, |word| counts.add(hash(word), word))?;
        Ok(counts)
    });
    let begun = done.iter().map(|d| d.0).min();
    let mut all = Counts::default();
    while let Some((_, _, counts)) = done.pop() {
        if all.table.is_empty() { all = counts } else { all.merge(counts) }
    }
    let check = all.totals();
    Run { time: begun.map_or_else(Default::default, |begun| begun.elapsed()), count: all.table.len() as u64, check }
}
