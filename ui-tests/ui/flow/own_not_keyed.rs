//! A stream without a key, for a flow of the block that takes one with a key.

use pelton::prelude::*;
use pelton_ui_tests::{Payment};

stream! {
    flow by_card(payments: Keyed<u64, Payment>) -> (u64, i64) {
        let sums = payments.aggregate(sum(|p| p.amount), emit at_end, unbounded("one per card"));
        return sums;
    }

    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let sums = by_card(payments);
        sink out(sums) = stdout();
    }
}

fn main() {}
