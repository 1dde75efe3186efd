//! Names without a struct.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let stats = trades.key_by(|t| t.size).aggregate({ rows: count(), most: max(|t| t.price) }, unbounded("few keys"));
        sink out(stats) = stdout();
    }
}

fn main() {}
