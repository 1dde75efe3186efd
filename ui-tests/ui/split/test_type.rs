//! A test that says nothing.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let kind = trades.split { small: |t| t.size.checked_sub(10); rest: _; };
        sink out(kind.small, kind.rest) = stdout();
    }
}

fn main() {}
