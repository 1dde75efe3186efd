//! An output that is not there.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let kind = trades.split { small: |t| t.size < 10; rest: _; };
        sink out(kind.smal, kind.rest) = stdout();
    }
}

fn main() {}
