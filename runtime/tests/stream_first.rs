//! The thinnest path: a `stream!` block that compiles, runs and is right.

use pelton::Config;
use pelton::source::rows;
use std::sync::Arc;

pelton::stream! {
    /// Sums of even numbers by their last digit.
    pub job Sums<Memory> {
        /// What is summed.
        param numbers: Arc<[u64]>;
        /// Only numbers from here on.
        param least: u64 = 10;

        source all: u64 = rows(numbers);
        let even = all.filter(|x| x % 2 == 0 && *x >= least);
        let sums: (u64, (u64, u64)) = even.key_by(|x| x % 10).aggregate((count(), sum(|x| *x)), emit at_end, unbounded("few keys"));
        sink out(sums) = collect();
    }
}

#[test]
fn sums_of_even_numbers() {
    for workers in 1..=3 {
        let job = Sums { numbers: (0..100_000u64).collect(), least: 10 };
        let results = job.run(Config::default().workers(workers)).unwrap();
        let mut out = results.out;
        out.sort_unstable();
        let expected: Vec<_> =
            (0..5u64).map(|k| (k * 2, (9_999, (1..10_000).map(|i| i * 10 + k * 2).sum::<u64>()))).collect();
        assert_eq!(out, expected, "{workers} workers");
    }
}
