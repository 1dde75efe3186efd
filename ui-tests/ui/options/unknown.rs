//! An option that a source does not have.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, lateby 1h;

        sink out(trades) = stdout();
    }
}

fn main() {}
