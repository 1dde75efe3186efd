//! A function that is no flow, used as one: nothing is said of its arguments.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

pub fn doubled(n: u32) -> u32 {
    n * 2
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = doubled(payments);
        sink out(t) = stdout();
    }
}

fn main() {}
