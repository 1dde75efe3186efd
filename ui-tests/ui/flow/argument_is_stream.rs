//! A stream where a flow of another crate takes a value, and the other way round.

use pelton::prelude::*;
use pelton_ui_tests::{Payment, flows};

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = flows::sums(100, payments);
        sink hourly(t.hourly) = stdout();
        sink small(t.small) = stdout();
    }
}

fn main() {}
