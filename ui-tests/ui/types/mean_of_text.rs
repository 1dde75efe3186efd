//! A mean of texts.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let means = trades.key_by(|t| t.size).aggregate(mean(|t| t.symbol.clone()), unbounded("few keys"));
        sink out(means) = stdout();
    }
}

fn main() {}
