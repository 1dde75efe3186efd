//! A state that has no byte form.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

struct Seen;

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let moves = payments.key_by(|p| p.card).process {
            state last: Value<Seen>, ttl 1h;
            on event(p, cx) {
                cx.emit((p.card, last.get().is_some()));
                last.set(Seen);
            }
        };
        sink out(moves) = stdout();
    }
}

fn main() {}
