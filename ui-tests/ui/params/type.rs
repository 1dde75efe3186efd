//! A type that is not in scope.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param least: Amount;
        let some = trades.filter(|t| t.size > least.0);
        sink out(some) = stdout();
    }
}

fn main() {}
