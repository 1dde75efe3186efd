//! A function that is no flow, in a flow that hands its own rows on to it.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

mod helpers {
    pub fn positive(amount: i64) -> bool {
        amount > 0
    }
}

stream! {
    pub flow large(payments: Stream<Payment>) -> Payment {
        let large = helpers::positive(payments);
        return large;
    }
}

fn main() {}
