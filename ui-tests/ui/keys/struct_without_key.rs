//! A struct that is no key.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

#[derive(Record, Clone, PartialEq, Eq)]
struct Spot {
    size: u32,
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let counts = trades.map(|t| Spot { size: t.size }).key_by(|s| s).aggregate(count(), unbounded("few keys"));
        sink out(counts) = stdout();
    }
}

fn main() {}
