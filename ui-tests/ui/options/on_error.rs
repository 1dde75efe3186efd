//! An `on_error` that is not there.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), on_error ignore;

        sink out(trades) = stdout();
    }
}

fn main() {}
