//! A flow that another module keeps to itself.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

mod library {
    use super::*;

    stream! {
        flow small(payments: Stream<Payment>, most: i64) -> Payment {
            let small = payments.filter(|p| p.amount < most);
            return small;
        }
    }
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = library::small(payments, 100);
        sink out(t) = stdout();
    }
}

fn main() {}
