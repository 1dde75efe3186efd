//! A stream that is dropped and used.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        sink out(trades) = stdout();
        drop trades;
    }
}

fn main() {}
