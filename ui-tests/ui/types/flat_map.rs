//! A `flat_map` that gives no iterator.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let some = trades.flat_map(|t| t.size);
        sink out(some) = stdout();
    }
}

fn main() {}
