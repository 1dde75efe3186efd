//! A field that is not there.

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

        let stats = trades.key_by(|t| t.size).aggregate(Stats { mots: max(|t| t.price), rows: max(|t| t.size) }, unbounded("few keys"));
        let rows = stats.map(|(_, stats)| stats);
        sink out(rows) = stdout();
    }
}

fn main() {}
