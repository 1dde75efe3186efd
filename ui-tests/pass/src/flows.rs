//! Public flows under all lints of the crate, and a job of any type that uses them.

use river::prelude::*;

/// A row of which nothing is known.
#[derive(Record, Clone, Copy, Debug, PartialEq, Eq)]
#[record(crate = river)]
pub struct Pair {
    /// Its key.
    pub key: u64,
    /// What it has.
    pub value: u64,
}

mod hidden {
    use super::Pair;
    use river::prelude::*;

    stream! {
        pub(super) flow hourly(rows: Stream<Pair>) -> (u64, u64) {
            let windows = rows.key_by(|p| p.key).window(tumbling 1h).aggregate(sum(|p| p.value));
            let sums = windows.map(|w| (w.key, w.value));
            drop windows.late;
            return sums;
        }
    }
}

stream! {
    /// The first rows of each key.
    pub flow firsts<K: Key, T: Record + Clone, F: Fn(&T) -> bool + Clone>(rows: Stream<(K, T)>, most: usize, fits: F) -> T, more: (K, T) {
        let taken = rows.key_by(|r| &r.0).process {
            state count: Value<u64>, unbounded("one per key");
            output more: (K, T);
            on event(r, cx) {
                let seen = count.get().copied().unwrap_or(0);
                if usize::try_from(seen).is_ok_and(|seen| seen < most) && fits(&r.1) {
                    count.set(seen + 1);
                    cx.emit(r.1);
                } else {
                    more.emit(r);
                }
            }
        };
        return taken, more = taken.more;
    }

    /// The latest sums of windows of both inputs, and what came too late.
    pub flow sums(a: Stream<Pair>, b: Stream<Pair>, size: TimeSpan) -> sums: (u64, u64), late: Pair {
        let all = union(a, b);
        let windows = all.key_by(|p| p.key).window(tumbling size).aggregate(sum(|p| p.value));
        let sums = windows.map(|w| (w.key, w.value));
        return sums, late = windows.late;
    }

    /// The same, by way of a module that goes by event time.
    pub flow by_way(a: Stream<Pair>, b: Stream<Pair>) -> (u64, u64) {
        let odd = a.filter(|p| p.value % 2 == 1);
        let all = union(odd, b);
        let t = hidden::hourly(all);
        return t;
    }

    /// Words, borrowed.
    pub flow longest(lines: Stream<&str>, least: usize) -> &str {
        let words = lines.flat_map(|l| words(l)).filter(|w| w.len() >= least);
        return words;
    }

    /// All of them.
    pub job OfAny<Memory, T: Record + Clone> {
        /// Rows with times.
        param pairs: Vec<Pair>;
        /// Rows of any type.
        param rows_in: Vec<(u64, T)>;
        /// Of each key.
        param most: usize = 2;

        source all: Pair = rows(pairs), event_time |p| Timestamp::from_millis(p.value.cast_signed()), late_by 1s;
        source any: (u64, T) = rows(rows_in);

        let odd = all.filter(|p| p.value % 2 == 1);
        let even = all.filter(|p| p.value % 2 == 0);
        let s = sums(odd, even, 1h);
        let totals: (u64, u64) = s.sums;
        let w = by_way(odd, even);
        let more: (u64, u64) = w;
        let f = crate::flows::firsts(any, most, |_| true);
        let first: T = f;

        sink sums_of(totals) = collect();
        sink more_sums(more) = collect();
        sink firsts_of(first) = collect();
        drop s.late, f.more;
    }
}
