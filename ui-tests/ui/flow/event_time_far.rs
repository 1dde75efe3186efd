//! The same through two flows, of which the nearer is imported: one of the streams has no event time.

use pelton::prelude::*;
use pelton_ui_tests::Payment;
use pelton_ui_tests::further::both;

stream! {
    flow large(some: Stream<Payment>, others: Stream<Payment>, least: i64) -> (u64, i64) {
        let large = others.filter(|p| p.amount >= least);
        let t = both(some, large);
        return t;
    }

    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;
        source others: Payment = csv("others.csv");

        let t = large(payments, others, 1000);
        sink out(t) = stdout();
    }
}

fn main() {}
