//! A declared type that is not that of the rows.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let prices: (String, u32) = trades.map(|t| (t.symbol, t.price));
        sink out(prices) = collect();
    }
}

fn main() {}
