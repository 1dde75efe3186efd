//! A method that a connector does not have.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file).seperator(b';');

        sink out(trades) = stdout();
    }
}

fn main() {}
