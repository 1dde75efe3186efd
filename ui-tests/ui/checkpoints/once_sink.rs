//! A sink that shows rows before they are committed.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        checkpoint every 10s, exactly_once;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        sink out(trades) = stdout();
    }
}

fn main() {}
