//! A closure with two arguments.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let some = trades.map(|t, n| t.size + n);
        sink out(some) = stdout();
    }
}

fn main() {}
