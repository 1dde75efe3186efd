//! A stream that is used before it is made.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        sink out(big) = stdout();
        let big = trades.filter(|t| t.size > 100);
    }
}

fn main() {}
