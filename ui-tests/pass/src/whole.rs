//! A public job with every operator, under all lints of the crate.

use river::prelude::*;

/// The sum of squares.
#[derive(Clone, Copy, Debug)]
pub struct Squares;

impl Aggregator<u64> for Squares {
    type Acc = u64;
    type Out = u64;
    fn add(&self, acc: &mut u64, row: &u64) {
        *acc += row * row;
    }
    fn merge(&self, acc: &mut u64, other: u64) {
        *acc += other;
    }
    fn finish(&self, acc: &u64) -> u64 {
        *acc
    }
}

/// A method of one's own for a state, with a name that the runtime knows as a mistake.
trait Put {
    fn put(&self, n: u64) -> u64;
}

impl<T, A> Put for river::process::Value<'_, T, A> {
    fn put(&self, n: u64) -> u64 {
        n
    }
}

/// What is kept of the numbers, of which one may be of any type.
#[derive(Record, Clone, Copy, Debug, PartialEq)]
#[record(crate = river)]
pub struct Kept<T> {
    /// How many there are.
    pub rows: u64,
    /// The largest.
    pub most: T,
    /// Their mean.
    #[added(0.5)]
    pub mean: f64,
}

stream! {
    /// Numbers in many ways.
    #[derive(Debug)]
    pub job Whole<Memory> {
        /// The numbers.
        param numbers: Vec<u64>;
        /// The least of them that counts.
        param least: u64 = 2;
        /// A float below one.
        param share: f64 = -1.5;
        /// Whether there is anything to do.
        param any: bool = true;
        /// How long something takes.
        param wait: TimeSpan = 90min;
        /// Where texts go.
        param out: Option<PathBuf>;

        source all: u64 = rows(numbers), event_time |n| Timestamp::from_millis(n.cast_signed()), late_by 1h, on_error skip;
        let some = all.filter(|n| *n >= least && any && share < 0.0 && wait > 1h);
        let pairs = some.map(|n| (n, n % 7));
        let by = pairs.key_by(|p| p.1);
        let firsts: (u64, u64) = by.reduce(|a, _| a, emit at_end, unbounded("few keys")).map(|r| (r.0, r.1.0));
        let folded: (u64, u64) = by.fold(0u64, |s, p| *s += p.0, emit at_end, unbounded("few keys"));
        let stats: (u64, u64) = by.aggregate((count(), min(|p| p.0), mean(|p| p.0)), emit at_end, unbounded("few keys")).map(|r| (r.0, r.1.0));
        let squares: (u64, (u64, u64)) = some.key_by(|n| n % 3).aggregate((count(), Squares), emit at_end, unbounded("few keys"));
        let kept: (u64, Kept<u64>) = by.aggregate(Kept { rows: count(), most: max(|p| p.0), mean: mean(|p| p.0) }, emit at_end, unbounded("few keys"));
        let hours: (u64, u64) = some.key_by(|n| n % 3).window(tumbling 1h).aggregate(Squares).map(|w| (w.key, w.value));
        let minutes: (u64, u64) = some.key_by(|n| n % 3).window(tumbling 1min).aggregate((count(), Squares)).map(|w| (w.key, w.value.1));
        let late: u64 = minutes.late.map(|n| n + 1);
        let runs: (u64, u64) = by.process {
            in_order;
            state last: Value<u64>, ttl 1h;
            state seen: List<u64>, unbounded("few numbers");
            state tens: Map<u64, u64>, ttl 7d;
            state sum: Reducing<u64> = |a, b| a + b, unbounded("one sum");
            state stats: Aggregating<u64> = (count(), Squares), ttl 1d;
            state squares: Aggregating<u64> = Squares, ttl 1d;
            timer quiet: event_time;
            timer soon: processing_time;
            output odd: u64;

            on event((n, key), cx) {
                let put = last.put(n);
                last.set(put);
                seen.push(u64::from(u8::try_from(n)?));
                tens.update(&(n / 10), |n| n + 1);
                sum.add(n);
                stats.add(&n);
                squares.add(&n);
                cx.set(quiet, cx.time() + 1h);
                cx.set(soon, cx.now() + 1d);
                if n % 2 == 1 && n >= least {
                    odd.emit(n);
                }
                if key > 100 {
                    cx.emit((n, key));
                }
            }
            on timer quiet(at, cx) {
                last.clear();
            }
            on timer soon(at, cx) {}
            on end(cx) {
                let total = sum.get().copied().unwrap_or(0) + squares.get().map_or(0, |squares| squares & 1);
                cx.emit((cx.key(), total));
            }
        };
        let odd: u64 = runs.odd.map(|n| n);
        sink ends(runs) = collect();
        sink odds(odd) = collect();
        drop runs.late;
        sink texts(folded) = csv(out);
        sink pairs_of(firsts, stats, hours, minutes) = collect();
        sink kept_of(kept) = collect();
        sink own(squares) = collect();
        sink too_late(late) = collect();
        drop hours.late;
    }
}
