//! An output that a flow of another crate has not.

use pelton::prelude::*;
use pelton_ui_tests::{Payment, flows};

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = flows::sums(payments, 100);
        sink hourly(t.hurly) = stdout();
        sink small(t.small) = stdout();
    }
}

fn main() {}
