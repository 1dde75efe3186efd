//! State that can grow for ever.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let moves = payments.key_by(|p| p.card).process {
            state last: Value<Payment>;
            on event(p, cx) {
                cx.emit(last.get().is_some());
                last.set(p);
            }
        };
        let flags = moves.map(|seen| (seen, 1));
        sink out(flags) = stdout();
    }
}

fn main() {}
