//! A param where a stream belongs.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param history: PathBuf;
        let all = union(trades, history);
        sink out(all) = stdout();
    }
}

fn main() {}
