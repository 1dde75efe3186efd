//! A sum of what nothing says the type of.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let numbers = trades.key_by(|t| t.size).aggregate(sum(|t| t.symbol.parse().unwrap_or_default()), emit at_end, unbounded("few"));
        sink out(numbers) = stdout();
    }
}

fn main() {}
