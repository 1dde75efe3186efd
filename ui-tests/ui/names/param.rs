//! A param that is not there, in a closure.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param least: u32 = 100;
        let big = trades.filter(|t| t.size > lest);
        sink out(big) = stdout();
    }
}

fn main() {}
