//! A text as the default of a number.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param least: u32 = "100";
        let some = trades.filter(|t| t.size > least);
        sink out(some) = stdout();
    }
}

fn main() {}
