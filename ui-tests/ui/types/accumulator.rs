//! An accumulator that cannot be kept.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

struct Largest;

#[derive(Default)]
struct Acc(u32);

impl Aggregator<Trade> for Largest {
    type Acc = Acc;
    type Out = u32;
    fn add(&self, acc: &mut Acc, row: &Trade) {
        acc.0 = acc.0.max(row.size);
    }
    fn merge(&self, acc: &mut Acc, other: Acc) {
        acc.0 = acc.0.max(other.0);
    }
    fn finish(&self, acc: &Acc) -> u32 {
        acc.0
    }
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let stats = trades.key_by(|t| t.symbol).aggregate(Largest, unbounded("few keys"));
        sink out(stats) = stdout();
    }
}

fn main() {}
