//! A bound of lateness without event time.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), late_by 1h;

        sink out(trades) = stdout();
    }
}

fn main() {}
