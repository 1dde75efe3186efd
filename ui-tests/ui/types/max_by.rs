//! A row of the greatest, by a type without an order.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let best = payments.key_by(|p| p.card).aggregate(max_by(|p| [p.amount]), unbounded("few keys")).map(|b| b.1.amount);
        sink out(best) = stdout();
    }
}

fn main() {}
