//! What a flow takes and makes, and nothing uses.

use pelton::prelude::*;
use pelton_ui_tests::{Payment};

stream! {
    flow some(a: Stream<Payment>, b: Stream<Payment>) -> Payment {
        let big = a.filter(|p| p.amount > 100);
        let small = a.filter(|p| p.amount <= 100);
        return big;
    }

    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = some(payments, payments);
        sink out(t) = stdout();
    }
}

fn main() {}
