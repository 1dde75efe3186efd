//! Rows behind a `key_by` that cannot be sent.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

#[derive(Clone)]
struct Spot {
    size: u32,
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let last = trades.map(|t| Spot { size: t.size }).key_by(|s| s.size).reduce(|_, b| b, unbounded("few keys"));
        let sizes = last.map(|s| s.1.size);
        sink out(sizes) = stdout();
    }
}

fn main() {}
