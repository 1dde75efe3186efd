//! A param that is no duration.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        param often: u64 = 10;
        checkpoint every often;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        sink out(trades) = stdout();
    }
}

fn main() {}
