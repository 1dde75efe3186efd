//! A word of another library.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let groups = trades.group_by(|t| t.symbol).aggregate(count(), unbounded("few keys"));
        sink out(groups) = stdout();
    }
}

fn main() {}
