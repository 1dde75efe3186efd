//! A flow that is not imported, in a flow that hands its own rows on to it.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    pub flow large(payments: Stream<Payment>) -> (u64, i64) {
        let t = sums(payments, 100);
        let hourly = t.hourly;
        drop t.small;
        return hourly;
    }
}

fn main() {}
