//! A sink that there is not.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let counts = payments.key_by(|p| p.card).aggregate(count(), emit at_end, unbounded("few"));
        sink out(counts) = stdot();
    }
}

fn main() {}
