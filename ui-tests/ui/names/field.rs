//! A field that the row does not have.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let prices = trades.map(|t| t.prize);
        sink out(prices) = stdout();
    }
}

fn main() {}
