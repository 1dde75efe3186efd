//! A flow is imported beside a module of the same name.

use pelton::prelude::*;
use pelton_ui_tests::Payment;
use large::large;

mod large {
    use super::*;

    stream! {
        pub flow large(payments: Stream<Payment>) -> Payment {
            let large = payments.filter(|p| p.amount >= 1000);
            return large;
        }
    }
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file);

        let t = large(payments);
        sink out(t) = stdout();
    }
}

fn main() {}
