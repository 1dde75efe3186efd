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

stream! {
    /// Numbers in many ways.
    #[derive(Debug)]
    pub job Whole<Memory> {
        /// The numbers.
        param numbers: Vec<u64>;
        /// The least of them that counts.
        param least: u64 = 2;
        /// Where texts go.
        param out: Option<PathBuf>;

        source all: u64 = rows(numbers), event_time |n| Timestamp::from_millis(n.cast_signed()), late_by 1h, on_error skip;
        let some = all.filter(|n| *n >= least);
        let pairs = some.map(|n| (n, n % 7));
        let by = pairs.key_by(|p| p.1);
        let firsts: (u64, u64) = by.reduce(|a, _| a, emit at_end, unbounded("few keys")).map(|r| (r.0, r.1.0));
        let folded: (u64, u64) = by.fold(0u64, |s, p| *s += p.0, emit at_end, unbounded("few keys"));
        let stats: (u64, u64) = by.aggregate((count(), min(|p| p.0), mean(|p| p.0)), emit at_end, unbounded("few keys")).map(|r| (r.0, r.1.0));
        let squares: (u64, (u64, u64)) = some.key_by(|n| n % 3).aggregate((count(), Squares), emit at_end, unbounded("few keys"));
        let hours: (u64, u64) = some.key_by(|n| n % 3).window(tumbling 1h).aggregate(Squares).map(|w| (w.key, w.value));
        let minutes: (u64, u64) = some.key_by(|n| n % 3).window(tumbling 1min).aggregate((count(), Squares)).map(|w| (w.key, w.value.1));
        let late: u64 = minutes.late.map(|n| n + 1);
        sink texts(folded) = csv(out);
        sink pairs_of(firsts, stats, hours, minutes) = collect();
        sink own(squares) = collect();
        sink too_late(late) = collect();
        drop hours.late;
    }
}
