//! A union of different rows.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let prices = trades.map(|t| t.amount);
        let sizes = trades.map(|t| t.card);
        let all = union(prices, sizes);
        sink out(all) = stdout();
    }
}

fn main() {}
