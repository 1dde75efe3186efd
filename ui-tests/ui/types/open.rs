//! A closure whose type nothing says.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let numbers = trades.map(|t| t.symbol.parse().unwrap_or_default());
        sink out(numbers) = stdout();
    }
}

fn main() {}
