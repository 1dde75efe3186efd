//! A `fold` with a state that cannot be kept.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

#[derive(Clone)]
struct Stats {
    largest: u32,
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let last = trades.key_by(|t| t.symbol).fold(Stats { largest: 0 }, |s, t| s.largest = s.largest.max(t.size), unbounded("few keys"));
        let rows = last.map(|s| s.1.largest);
        sink out(rows) = stdout();
    }
}

fn main() {}
