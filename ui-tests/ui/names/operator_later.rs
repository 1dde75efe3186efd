//! An operator that the language will have.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let unique = trades.key_by(|t| t.symbol).dedup(keep 24h);
        sink out(unique) = stdout();
    }
}

fn main() {}
