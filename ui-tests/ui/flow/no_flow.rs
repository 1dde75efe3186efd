//! A function that is no flow, used as one.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

pub fn first<T>(rows: T) -> T {
    rows
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = first(payments);
        sink out(t) = stdout();
    }
}

fn main() {}
