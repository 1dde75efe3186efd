//! Interleaved runs of both sides, and the table of ratios.

use std::time::Duration;

/// One run of a workload.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub time: Duration,
    /// Rows at the sink.
    pub count: u64,
    /// Their checksum.
    pub check: u64,
}

/// One side of a comparison.
pub struct Side<'a> {
    pub name: &'static str,
    pub run: Box<dyn FnMut() -> Run + 'a>,
}

impl<'a> Side<'a> {
    pub fn new(name: &'static str, run: impl FnMut() -> Run + 'a) -> Self {
        Side { name, run: Box::new(run) }
    }
}

/// Runs all sides in turns, `reps` times each after one that warms up, and gives the times of each, best first.
///
/// # Panics
/// If the sides do not agree on count and checksum.
pub fn interleaved(sides: &mut [Side<'_>], reps: usize) -> Vec<Vec<f64>> {
    let mut times: Vec<Vec<f64>> = sides.iter().map(|_| Vec::new()).collect();
    let mut first: Option<Run> = None;
    for rep in 0..=reps {
        for (side, times) in sides.iter_mut().zip(&mut times) {
            let run = (side.run)();
            let known = *first.get_or_insert(run);
            assert_eq!((run.count, run.check), (known.count, known.check), "{} gives another result", side.name);
            if rep > 0 {
                times.push(run.time.as_secs_f64());
            }
        }
    }
    times.iter_mut().for_each(|t| t.sort_by(f64::total_cmp));
    times
}

/// Prints the first side against each of the others: rates in million events/s, and ratios of best and median times.
pub fn report(workload: &str, workers: usize, events: u64, sides: &[Side<'_>], times: &[Vec<f64>]) {
    let rate = |t: f64| events as f64 / t / 1e6;
    let (best, median) = (times[0][0], times[0][times[0].len() / 2]);
    for (side, other) in sides.iter().zip(times).skip(1) {
        println!(
            "{workload:24} {workers} worker{} {:>9.1} {:>9.1}  {:18} {:>9.1} {:>9.1}   {:>5.2} {:>6.2}",
            if workers == 1 { " " } else { "s" },
            rate(best),
            rate(median),
            side.name,
            rate(other[0]),
            rate(other[other.len() / 2]),
            other[0] / best,
            other[other.len() / 2] / median,
        );
    }
}
