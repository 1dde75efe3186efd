//! Half an hour.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let recent = trades.filter(|t| t.at > Timestamp::from_millis(0) + 0.5h);
        sink out(recent) = stdout();
    }
}

fn main() {}
