//! Streams of two types, collected into one.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let prices: i64 = trades.map(|t| t.amount);
        let sizes: u64 = trades.map(|t| t.card);
        sink out(prices, sizes) = collect();
    }
}

fn main() {}
