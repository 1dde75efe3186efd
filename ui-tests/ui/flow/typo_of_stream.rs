//! A stream that is not there, as an argument of a flow.

use pelton::prelude::*;
use pelton_ui_tests::{Payment, flows};

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = flows::sums(payment, 100);
        sink hourly(t.hourly) = stdout();
        sink small(t.small) = stdout();
        drop payments;
    }
}

fn main() {}
