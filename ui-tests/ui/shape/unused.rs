//! A stream that nothing uses.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let big = trades.filter(|t| t.amount > 100);
        sink out(trades) = stdout();
    }
}

fn main() {}
