//! Flows that use themselves.

use pelton::prelude::*;
use pelton_ui_tests::{Payment};

stream! {
    flow one(rows: Stream<Payment>) -> Payment {
        let again = two(rows);
        return again;
    }

    flow two(rows: Stream<Payment>) -> Payment {
        let again = one(rows);
        return again;
    }

    flow itself(rows: Stream<Payment>) -> Payment {
        let again = itself(rows);
        return again;
    }

    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = one(payments);
        sink out(t) = stdout();
    }
}

fn main() {}
