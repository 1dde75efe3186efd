//! Rows in an order that they have not.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file);

        let moves = payments.key_by(|p| p.card).process {
            in_order;
            on event(p, cx) {
                cx.emit(p);
            }
        };
        sink out(moves) = stdout();
        drop moves.late;
    }
}

fn main() {}
