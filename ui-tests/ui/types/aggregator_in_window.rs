//! Something that is no aggregator, in a window.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

struct Other;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let stats = trades.key_by(|t| t.symbol).window(tumbling 1h).aggregate(Other).map(|w| w.value);
        sink out(stats) = stdout();
        drop stats.late;
    }
}

fn main() {}
