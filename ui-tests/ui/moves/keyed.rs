//! A keyed stream goes to the workers of its keys.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let all = trades.key_by(|t| t.size).shuffle();
        sink out(all) = stdout();
    }
}

fn main() {}
