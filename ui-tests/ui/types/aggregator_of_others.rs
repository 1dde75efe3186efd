//! An aggregator of other rows.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

struct Longest;

impl Aggregator<String> for Longest {
    type Acc = u64;
    type Out = u64;
    fn add(&self, longest: &mut u64, row: &String) {
        *longest = (*longest).max(row.len() as u64);
    }
    fn merge(&self, longest: &mut u64, other: u64) {
        *longest = (*longest).max(other);
    }
    fn finish(&self, longest: &u64) -> u64 {
        *longest
    }
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let stats = trades.key_by(|t| t.symbol).window(tumbling 1h).aggregate(Longest);
        let named: (String, u64) = stats.map(|w| (w.key, w.value));
        sink out(named) = stdout();
        drop stats.late;
    }
}

fn main() {}
