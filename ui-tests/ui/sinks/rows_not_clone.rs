//! Rows in memory that cannot be copied.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param data: Vec<u32>;
        source trades: Trade = rows(data.iter().map(|_| -> Trade { unreachable!() }).collect());
        sink out(trades) = stdout();
    }
}

fn main() {}
