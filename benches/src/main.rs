mod checksum;
mod data;
mod hand;
mod jobs;
mod measure;

use checksum::Total;
use measure::{Run, Side, interleaved, report};
use std::sync::Arc;
use std::time::Instant;

fn timed(total: &Total, run: impl FnOnce()) -> Run {
    let begun = Instant::now();
    run();
    let time = begun.elapsed();
    let (count, check) = total.take();
    Run { time, count, check }
}

fn main() {
    let only: Vec<String> = std::env::args().skip(1).collect();
    let reps = 7;
    let want = |w: &str| only.is_empty() || only.iter().any(|o| o == w);
    for workers in [1usize, 2] {
        if want("w1") {
            let all: Arc<[u64]> = (0..data::w1::N).map(data::mix).collect();
            let shards: Vec<&[u64]> = all.chunks(all.len().div_ceil(workers)).collect();
            let total = Total::default();
            let mut sides = [
                Side { name: "pelton", run: Box::new(|| timed(&total, || { jobs::numbers(all.clone(), total.clone(), workers); })) },
                Side { name: "branchy", run: Box::new(|| hand::numbers_branchy(&shards)) },
                Side { name: "masked", run: Box::new(|| hand::numbers_masked(&shards)) },
            ];
            let times = interleaved(&mut sides, reps);
            report("W1", workers, data::w1::N, &sides, &times);
        }
        if want("w2") {
            let all: Arc<[data::w2::Event]> = (0..data::w2::N).map(data::w2::event).collect();
            let shards: Vec<&[data::w2::Event]> = all.chunks(all.len().div_ceil(workers)).collect();
            let total = Total::default();
            let mut sides = [
                Side { name: "pelton", run: Box::new(|| timed(&total, || { jobs::running_sums(all.clone(), total.clone(), workers); })) },
                Side { name: "hand", run: Box::new(|| hand::running_sums(&shards)) },
            ];
            let times = interleaved(&mut sides, reps);
            report("W2", workers, data::w2::N, &sides, &times);
        }
        if want("w3") {
            // Two shards, interleaved in time, one behind the other.
            let split: Vec<data::w3::Bid> = (0..workers as u64).flat_map(|w| (w..data::w3::N).step_by(workers)).map(data::w3::bid).collect();
            let inorder: Arc<[data::w3::Bid]> = (0..data::w3::N).map(data::w3::bid).collect();
            let shards: Vec<&[data::w3::Bid]> = split.chunks(split.len().div_ceil(workers)).collect();
            let total = Total::default();
            let mut sides = [
                Side { name: "pelton", run: Box::new(|| timed(&total, || { jobs::windows(inorder.clone(), total.clone(), workers); })) },
                Side { name: "hand", run: Box::new(|| hand::windows(&shards)) },
            ];
            let times = interleaved(&mut sides, reps);
            report("W3", workers, data::w3::N, &sides, &times);
        }
    }
}
