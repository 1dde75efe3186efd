//! What a flow has not.

use pelton::prelude::*;
use pelton_ui_tests::{Payment};

stream! {
    flow amounts(payments: Stream<Payment>) -> i64 {
        param least: i64;
        source more: Payment = rows(vec![]);
        let amounts = payments.map(|p| p.amount);
        sink all(amounts) = stdout();
        checkpoint every 10s;
        return amounts;
    }

    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = amounts(payments);
        sink out(t) = stdout();
        return t;
    }
}

fn main() {}
