//! A sum of texts.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let sums = trades.key_by(|t| t.size).aggregate(sum(|t| t.symbol.clone()), unbounded("few keys"));
        sink out(sums) = stdout();
    }
}

fn main() {}
