//! The main output of a flow of another crate that has none.

use pelton::prelude::*;
use pelton_ui_tests::{Payment, flows};

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = flows::sums(payments, 100).filter(|s| s.1 > 0);
        sink hourly(t) = stdout();
    }
}

fn main() {}
