//! A key whose type nothing says.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let numbers = trades.key_by(|t| t.symbol.parse().unwrap_or_default()).aggregate(count(), emit at_end, unbounded("few"));
        sink out(numbers) = stdout();
    }
}

fn main() {}
