//! An argument too many for a flow of the block; and a value where it takes a stream.

use pelton::prelude::*;
use pelton_ui_tests::{Payment};

stream! {
    flow big(payments: Stream<Payment>, least: i64) -> Payment, small: Payment {
        let part = payments.split { big: |p| p.amount >= least; rest: _; };
        return part.big, small = part.rest;
    }

    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = big(payments, 100, 5);
        let u = big(5, 100);
        sink out(t, t.small, u) = stdout();
    }
}

fn main() {}
