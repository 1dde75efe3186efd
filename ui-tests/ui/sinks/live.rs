//! What can only be read.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file);

        sink out(trades) = csv(stdin());
    }
}

fn main() {}
