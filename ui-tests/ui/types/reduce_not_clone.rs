//! A `reduce` over rows that are not `Clone`.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let last = trades.key_by(|t| t.symbol).reduce(|_, b| b, unbounded("few keys"));
        sink out(last) = stdout();
    }
}

fn main() {}
