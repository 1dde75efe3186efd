//! Rows of another type than a flow of another crate takes.

use pelton::prelude::*;
use pelton_ui_tests::{Payment, flows};

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let amounts = payments.map(|p| p.amount);
        let t = flows::sums(amounts, 100);
        sink hourly(t.hourly) = stdout();
        sink small(t.small) = stdout();
    }
}

fn main() {}
