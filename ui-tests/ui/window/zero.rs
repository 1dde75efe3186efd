//! A window of no length.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let counts = trades.key_by(|t| t.symbol).window(tumbling 0s).aggregate(count()).map(|w| (w.key, w.value));
        sink out(counts) = stdout();
        drop counts.late;
    }
}

fn main() {}
