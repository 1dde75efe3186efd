//! A flow of the block without a main output.

use pelton::prelude::*;
use pelton_ui_tests::{Payment};

stream! {
    flow sums(payments: Stream<Payment>) -> amounts: i64 {
        let amounts = payments.map(|p| p.amount);
        return amounts;
    }

    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = sums(payments);
        sink out(t) = stdout();
    }
}

fn main() {}
