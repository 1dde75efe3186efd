//! Outputs that are not returned, twice, or not there.

use pelton::prelude::*;
use pelton_ui_tests::{Payment};

stream! {
    flow sums(payments: Stream<Payment>) -> i64, cards: u64 {
        let amounts = payments.map(|p| p.amount);
        let cards = payments.map(|p| p.card);
        return amounts, card = cards;
    }

    flow nothing(payments: Stream<Payment>) -> Payment {
        drop payments;
    }

    flow twice(payments: Stream<Payment>) -> Payment {
        return payments;
        return payments;
    }

    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let t = sums(payments);
        sink out(t, t.cards) = stdout();
    }
}

fn main() {}
