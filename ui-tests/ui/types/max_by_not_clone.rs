//! A row of the greatest, of rows that cannot be copied.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let best = trades.key_by(|t| t.symbol).aggregate(max_by(|t| t.size), unbounded("few keys")).map(|b| b.1.price);
        sink out(best) = stdout();
    }
}

fn main() {}
