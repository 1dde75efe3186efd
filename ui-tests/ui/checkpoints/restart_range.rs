//! Pauses the wrong way round.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        restart exponential 1min..=1s;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        sink out(trades) = stdout();
    }
}

fn main() {}
