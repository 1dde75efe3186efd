//! Work beside the workers: how it shares their cores with them.
//!
//! Where there are no more cores than workers, what writes a checkpoint runs on a worker's core. The system's scheduler lets
//! each of the two run for some ms, which a worker's rows would wait for. So whoever works beside them does it in steps of
//! well below a ms, and gives way when it has had the core for about that long. On a core that nobody else wants that costs nothing.

use std::cell::Cell;
use std::cmp::Ordering;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// Bytes that are copied or compared in a step.
pub const STEP_BYTES: usize = 128 << 10;
/// Bytes after which a file that is to be durable is made so: all at the end would keep the core in the system for long.
pub const SYNC_BYTES: usize = 8 << 20;
/// Items that are sorted in a step.
const STEP_ITEMS: usize = 1 << 13;

/// For how long work beside the workers may well keep a core from them. It has a share of a contended core of about this to the
/// slice that the system gives a worker, so less would make checkpoints take long.
const KEEPS: Duration = Duration::from_micros(500);

/// How much a thread beside the workers wants a core that a worker wants, too.
#[derive(Clone, Copy)]
pub enum Wish {
    /// Somebody waits for a checkpoint: 2/3 of what a worker gets.
    Checkpoint,
    /// Nobody waits for what it does: 1/6.
    Tidy,
}

impl Wish {
    /// In the system's steps ("nice"). Measured with back-to-back checkpoints of 1 GB beside workers that want all of the cores, values of 1 KB in
    /// files. All such threads alike, with 0, 3, 5, 10: of a hundred frames one took more than 5.5, 5.3, 2.8, 3.6 ms; a checkpoint took more than twice as
    /// long with 5 as with 0, and one of `RocksDb`, which costs more of a core, did not end within a minute with 4. With these two: 3.5 ms.
    #[cfg(target_os = "linux")]
    fn nice(self) -> i32 {
        match self {
            Wish::Checkpoint => 2,
            Wish::Tidy => 8,
        }
    }
}

/// Starts a thread that works beside the workers.
///
/// # Errors
/// If the system gives none.
pub fn start<T: Send + 'static>(
    name: &str,
    wish: Wish,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<thread::JoinHandle<T>> {
    let run = move || {
        stand_back(wish);
        work()
    };
    thread::Builder::new().name(name.to_owned()).spawn(run)
}

/// From now on the calling thread gets less of a contended core than a worker. Where the system does not know of that for a thread, all get the same.
pub fn stand_back(wish: Wish) {
    #[cfg(target_os = "linux")]
    {
        // Behind whatever the process has been given; it changes that of the calling thread alone. Without it the thread gets as much as a worker.
        let stood = rustix::process::nice(wish.nice());
        let _ = stood;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = wish;
}

thread_local! {
    /// When this thread last gave way.
    static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Ends a step: lets whoever waits for this core go first, if this thread has had it for some time.
pub fn give_way() {
    if SINCE.get().is_none_or(|since| since.elapsed() >= KEEPS) {
        thread::yield_now();
        SINCE.set(Some(Instant::now()));
    }
}

/// Sorts by `order`, giving way now and then. `rank` is the first thing that it goes by.
pub fn sort<T: Copy>(items: &mut Vec<T>, rank: impl Fn(&T) -> u64, order: impl Fn(&T, &T) -> Ordering) {
    let Some(any) = items.first().copied().filter(|_| items.len() > 2 * STEP_ITEMS) else {
        return items.sort_unstable_by(order);
    };
    // By its highest bits each goes to one of some buckets, which are sorted one by one.
    let ranks = items.iter().map(&rank);
    let (least, greatest) = ranks.fold((u64::MAX, 0), |(least, greatest), r| (least.min(r), greatest.max(r)));
    let bits = (items.len() / STEP_ITEMS).ilog2();
    let shift = (u64::BITS - (greatest - least).leading_zeros()).saturating_sub(bits);
    let bucket = |item: &T| ((rank(item) - least) >> shift) as usize;
    let mut next = vec![0; (1 << bits) + 1];
    for some in items.chunks(STEP_ITEMS) {
        some.iter().for_each(|item| next[bucket(item) + 1] += 1);
        give_way();
    }
    for at in 1..next.len() {
        next[at] += next[at - 1];
    }
    let ends = next.split_off(1);
    let mut next: Vec<usize> = std::iter::once(0).chain(ends.iter().copied()).collect();
    let mut sorted = vec![any; items.len()];
    for some in items.chunks(STEP_ITEMS) {
        for item in some {
            let place = &mut next[bucket(item)];
            sorted[*place] = *item;
            *place += 1;
        }
        give_way();
    }
    let mut rest = &mut sorted[..];
    let mut begin = 0;
    for end in ends {
        let (mine, behind) = rest.split_at_mut(end - begin);
        mine.sort_unstable_by(&order);
        give_way();
        (rest, begin) = (behind, end);
    }
    *items = sorted;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn threads_beside_the_workers_stand_behind_them() {
        let mine = || rustix::process::getpriority_process(None).unwrap();
        for wish in [Wish::Checkpoint, Wish::Tidy] {
            let its = start("pelton-test", wish, mine).unwrap().join().unwrap();
            assert_eq!(its, (mine() + wish.nice()).min(19));
        }
    }

    #[test]
    fn many_items_are_sorted_whatever_their_ranks_are() {
        let n = 3 * STEP_ITEMS as u64 + 5;
        let mix = |i: u64| (i ^ 77).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let makes: [fn(u64, u64) -> u64; 6] = [
            |i, _| i,
            |i, n| n - i,
            |_, _| 7,
            |i, _| if i % 5 == 0 { u64::MAX } else { 0 },
            |i, _| u64::MAX - i % 3,
            |i, _| ((i % 2) << 63) | i,
        ];
        let mixed: Vec<u64> = (0..n).map(mix).collect();
        let all = makes.iter().map(|make| (0..n).map(|i| make(i, n)).collect()).chain([mixed]);
        for ranks in all.collect::<Vec<Vec<u64>>>() {
            let mut items: Vec<(u64, usize)> = ranks.into_iter().enumerate().map(|(at, rank)| (rank, at)).collect();
            let mut expected = items.clone();
            expected.sort_unstable();
            sort(&mut items, |item| item.0, |a, b| a.cmp(b));
            assert!(items == expected);
        }
    }

    proptest! {
        #[test]
        fn few_items_too(mut items in proptest::collection::vec((any::<u64>(), any::<u8>()), 0..200)) {
            let mut expected = items.clone();
            expected.sort_unstable();
            sort(&mut items, |item| item.0, |a, b| a.cmp(b));
            prop_assert_eq!(items, expected);
        }
    }
}
