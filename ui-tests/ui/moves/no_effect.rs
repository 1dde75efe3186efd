//! Rows that are moved twice.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let counts = trades.rebalance().key_by(|t| t.size).aggregate(count(), unbounded("few keys"));
        sink out(counts) = stdout();
    }
}

fn main() {}
