//! Rows that do not pass the last test.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let kind = trades.split { small: |t| t.size < 10; large: |t| t.size > 100; };
        sink out(kind.small, kind.large) = stdout();
    }
}

fn main() {}
