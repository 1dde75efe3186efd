//! An option twice.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), on_error skip, on_error fail;

        sink out(trades) = stdout();
    }
}

fn main() {}
