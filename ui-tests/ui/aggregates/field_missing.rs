//! A field that is not computed.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

#[derive(Record, Serialize, Clone, Debug)]
struct Stats {
    rows: u32,
    most: f64,
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let stats = trades.key_by(|t| t.size).aggregate(Stats { most: max(|t| t.price) }, unbounded("few keys"));
        let rows = stats.map(|(_, stats)| stats);
        sink out(rows) = stdout();
    }
}

fn main() {}
