//! The time of a row that has none.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file);

        let moves = payments.key_by(|p| p.card).process {
            on event(p, cx) {
                cx.emit((cx.time(), p.card));
            }
        };
        sink out(moves) = stdout();
    }
}

fn main() {}
