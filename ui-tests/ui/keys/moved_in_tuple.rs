//! A field that is moved out of the row, in a tuple.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let counts = trades.key_by(|t| (t.symbol, t.size)).aggregate(count(), unbounded("few keys")).map(|c| c.1);
        sink out(counts) = stdout();
    }
}

fn main() {}
