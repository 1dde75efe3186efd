//! A closure that takes its row as another type.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let some = trades.filter(|t: &String| t.len() > 5);
        sink out(some) = stdout();
    }
}

fn main() {}
