//! A closure that is not written to its end.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let prices = trades.map(|t| t.price * );
        sink out(prices) = stdout();
    }
}

fn main() {}
