//! A flow that others may use, with a type that they may not.

use pelton::prelude::*;
use pelton_ui_tests::{Payment};

stream! {
    pub flow big(payments: Stream<Payment>) -> Amount {
        let amounts = payments.map(|p| Amount(p.amount));
        return amounts;
    }

    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = big(payments);
        sink out(t) = stdout();
    }
}

#[derive(Record, Serialize)]
struct Amount(i64);

fn main() {}
