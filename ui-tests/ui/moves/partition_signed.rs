//! The number of a worker that may be negative.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let all = trades.partition_by(|t, n| t.price as i64 % n as i64);
        sink out(all) = stdout();
    }
}

fn main() {}
