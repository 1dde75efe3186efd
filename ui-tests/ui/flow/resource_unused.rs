//! A resource of a flow that nothing looks at.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    flow big(payments: Stream<Payment>, least: i64) -> Payment {
        resource limits: Vec<i64> = vec![least];
        let big = payments.filter(|p| p.amount >= least);
        return big;
    }

    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file);

        let t = big(payments, 100);
        sink out(t) = stdout();
    }
}

fn main() {}
