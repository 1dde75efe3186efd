//! A duration as the default of a number.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param every: u64 = 10min;
        let some = trades.filter(|t| u64::from(t.size) > every);
        sink out(some) = stdout();
    }
}

fn main() {}
