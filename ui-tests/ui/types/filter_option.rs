//! A filter that gives an Option.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let some = trades.filter(|t| t.symbol.find('A'));
        sink out(some) = stdout();
    }
}

fn main() {}
