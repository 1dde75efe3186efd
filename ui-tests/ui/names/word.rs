//! A ready-made word with a typing mistake.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let counts = trades.key_by(|t| t.size).aggregate(cuont(), unbounded("few"));
        sink out(counts) = null();
    }
}

fn main() {}
