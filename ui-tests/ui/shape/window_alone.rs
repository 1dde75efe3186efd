//! A window without an aggregate.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let hours = trades.key_by(|t| t.symbol).window(tumbling 1h).map(|t| t.size);
        sink out(hours) = stdout();
    }
}

fn main() {}
