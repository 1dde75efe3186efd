//! A number of rows that is none.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let best = payments.key_by(|p| p.card).aggregate(top(2.5, by |p| p.amount), ttl 1d).map(|(card, best)| (card, best.len()));
        sink out(best) = stdout();
    }
}

fn main() {}
