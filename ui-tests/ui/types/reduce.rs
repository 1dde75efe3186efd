//! A `reduce` that gives another type.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let sums = trades.map(|t| t.size).key_by(|n| *n % 10).reduce(|a, b| u64::from(a + b), unbounded("few keys"));
        sink out(sums) = stdout();
    }
}

fn main() {}
