//! The row itself is kept and given out, and cannot be copied.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let stats = trades.key_by(|t| t.size).aggregate(first(), unbounded("few keys")).map(|(_, first)| first);
        sink out(stats) = stdout();
    }
}

fn main() {}
