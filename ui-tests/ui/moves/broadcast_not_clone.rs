//! A row for every worker that cannot be copied.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let all = trades.broadcast();
        sink out(all) = stdout();
    }
}

fn main() {}
