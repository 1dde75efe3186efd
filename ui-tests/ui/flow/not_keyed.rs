//! A stream without a key, for a flow of another crate that takes one with a key.

use pelton::prelude::*;
use pelton_ui_tests::{Payment, flows};

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let sums = flows::by_card(payments);
        sink out(sums) = stdout();
    }
}

fn main() {}
