//! Several inputs.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let moves = process(payments.key_by(|p| p.card), payments.key_by(|p| p.amount)) {
            on payments(p, cx) {
                cx.emit(p);
            }
        };
        sink out(payments, moves) = stdout();
    }
}

fn main() {}
