//! A param that cannot be cloned.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

struct Limits {
    least: u32,
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param limits: Limits;
        let some = trades.filter(|t| t.size > limits.least);
        sink out(some) = stdout();
    }
}

fn main() {}
