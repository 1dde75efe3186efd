//! A stream with a key, for a flow of another crate that takes rows.

use pelton::prelude::*;
use pelton_ui_tests::{Payment, flows};

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let keyed = payments.key_by(|p| p.card);
        let t = flows::sums(keyed, 100);
        sink hourly(t.hourly) = stdout();
        sink small(t.small) = stdout();
    }
}

fn main() {}
