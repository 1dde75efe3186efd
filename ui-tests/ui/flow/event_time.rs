//! A flow of another crate that goes by event time, behind a source without.

use pelton::prelude::*;
use pelton_ui_tests::{Payment, flows};

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file);

        let t = flows::sums(payments, 100);
        sink hourly(t.hourly) = stdout();
        sink small(t.small) = stdout();
    }
}

fn main() {}
