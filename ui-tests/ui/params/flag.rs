//! A param whose flag every binary has.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param workers: u32 = 2;
        let some = trades.filter(|t| t.size > workers);
        sink out(some) = stdout();
    }
}

fn main() {}
