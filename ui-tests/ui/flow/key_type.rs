//! Another key than a flow of another crate takes.

use pelton::prelude::*;
use pelton_ui_tests::{Payment, flows};

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let keyed = payments.key_by(|p| p.at);
        let sums = flows::by_card(keyed);
        sink out(sums) = stdout();
    }
}

fn main() {}
