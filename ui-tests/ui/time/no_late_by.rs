//! Event time without a bound of lateness.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at;

        sink out(trades) = stdout();
    }
}

fn main() {}
