//! Something that is no aggregator.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

struct Other;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let stats = trades.key_by(|t| t.symbol).aggregate(Other, unbounded("few keys"));
        sink out(stats) = stdout();
    }
}

fn main() {}
