//! A function is taken for a pattern.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

fn is_small(trade: &Trade) -> bool {
    trade.size < 10
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let kind = trades.split { small: is_small; rest: _; };
        sink out(kind.small, kind.rest) = stdout();
    }
}

fn main() {}
