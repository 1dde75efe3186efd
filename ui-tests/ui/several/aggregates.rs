//! Four ready-made words with typing mistakes.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let counts = payments.key_by(|p| p.card).aggregate(cuont(), unbounded("few"));
        let both = payments.key_by(|p| p.card).aggregate((sum(|p| p.amount), maxx(|p| p.amount)), unbounded("few"));
        let late = payments.key_by(|p| p.card).window(tumbling 1h).aggregate(aproxx_count_distinct(|p| p.amount));

        sink a(counts) = null();
        sink b(both) = null();
        sink c(late) = null();
        let share = payments.key_by(|p| p.card).aggregate(quantle(0.5, |p| p.amount as f64), emit at_end, unbounded("few"));
        sink d(late.late) = null();
        sink e(share) = null();
    }
}

fn main() {}
