//! A flow takes rows.

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

        let keyed = payments.key_by(|p| p.card);
        let t = big(keyed, 100);
        sink out(t, t.small) = stdout();
    }
}

fn main() {}
