//! A stream that is not there.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let big = trade.filter(|t| t.size > 100);
        sink out(big) = stdout();
    }
}

fn main() {}
