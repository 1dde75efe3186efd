//! Signatures that cannot be meant.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    flow no_stream(least: i64) -> Payment {
        drop least;
    }

    flow outputs(payments: Stream<Payment>) -> Payment, main: Payment, Payment {
        return payments;
    }

    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        sink out(payments) = stdout();
    }
}

fn main() {}
