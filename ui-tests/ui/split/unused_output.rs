//! Nothing takes one of the outputs.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let kind = trades.split { small: |t| t.size < 10; rest: _; };
        sink out(kind.small) = stdout();
    }
}

fn main() {}
