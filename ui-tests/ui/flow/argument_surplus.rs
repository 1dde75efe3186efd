//! More arguments than the flow of another crate takes.

use pelton::prelude::*;
use pelton_ui_tests::{Payment, flows};

stream! {
    job Board<Memory> {
        param file: PathBuf;
        param most: i64 = 100;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = flows::sums(payments, 100, most);
        drop t.small;
        sink out(t.hourly) = stdout();
    }
}

fn main() {}
