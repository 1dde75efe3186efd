//! Ordered splits without event time.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), ordered_splits;

        sink out(trades) = stdout();
    }
}

fn main() {}
