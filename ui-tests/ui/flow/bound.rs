//! Rows that a generic flow of another crate cannot take.

use pelton::prelude::*;
use pelton_ui_tests::{Payment, flows};

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let keyed = payments.map(|p| (p.card, p));
        let t = flows::changed(keyed);
        sink out(t) = stdout();
    }
}

fn main() {}
