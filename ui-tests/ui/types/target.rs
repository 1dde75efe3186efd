//! A connector of files that is given a number.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        source trades: Trade = csv(7);

        sink out(trades) = csv("out.csv");
    }
}

fn main() {}
