//! A `filter_map` that gives a bool.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let some = trades.filter_map(|t| t.size > 100);
        sink out(some) = stdout();
    }
}

fn main() {}
