//! A mistake inside of a flow is said once, where it is, however often it is used.

use pelton::prelude::*;
use pelton_ui_tests::{Payment};

stream! {
    flow big(payments: Stream<Payment>, least: i64) -> Payment {
        let big = payments.filter(|p| p.amont >= least);
        return big;
    }

    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = big(payments, 100);
        let u = big(t, 200);
        sink out(u) = stdout();
    }
}

fn main() {}
