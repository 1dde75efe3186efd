//! A text as a key, which comes as it is looked up.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let counts: (String, u64) = trades.key_by(|t| t.symbol).aggregate(count(), unbounded("few keys"));
        sink out(counts) = collect();
    }
}

fn main() {}
