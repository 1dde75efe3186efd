//! `allow_late` without saying whether results come again.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let counts = trades.key_by(|t| t.symbol).window(tumbling 1h, allow_late 10min).aggregate(count()).map(|w| (w.key, w.value));
        sink out(counts) = stdout();
        drop counts.late;
    }
}

fn main() {}
