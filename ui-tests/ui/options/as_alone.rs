//! A name for the only operator with state.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let counts = trades.key_by(|t| t.symbol).aggregate(count(), ttl 30d, as counted);
        sink out(counts) = stdout();
    }
}

fn main() {}
