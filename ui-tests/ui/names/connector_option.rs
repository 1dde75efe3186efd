//! An option that a source does not have.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file).separater(b';'), event_time |p| p.at, late_by 1h;

        let counts = payments.key_by(|p| p.card).aggregate(count(), emit at_end, unbounded("few"));
        sink out(counts) = stdout();
    }
}

fn main() {}
