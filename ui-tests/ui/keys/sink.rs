//! A sink of a keyed stream.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let by_symbol = trades.key_by(|t| t.symbol);
        sink out(by_symbol) = stdout();
    }
}

fn main() {}
