//! A method that is written wrong.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let moves = payments.key_by(|p| p.card).process {
            state last: Value<i64>, ttl 1h;
            on event(p, cx) {
                cx.emit((p.card, last.get().copied()));
                last.ste(p.amount);
            }
        };
        sink out(moves) = stdout();
    }
}

fn main() {}
