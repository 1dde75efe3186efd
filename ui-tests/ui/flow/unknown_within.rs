//! A flow that is not there, in a flow that hands its own rows on to it.

use pelton::prelude::*;
use pelton_ui_tests::{Payment, flows};

stream! {
    pub flow large(payments: Stream<Payment>) -> (u64, i64) {
        let t = flows::sum(payments, 100);
        drop t.small;
        let hourly = t.hourly;
        return hourly;
    }
}

fn main() {}
