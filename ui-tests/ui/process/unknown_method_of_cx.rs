//! A method that the contexts of others have.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let moves = payments.key_by(|p| p.card).process {
            on event(p, cx) {
                cx.emit((p.card, cx.timestamp()));
            }
        };
        sink out(moves) = stdout();
    }
}

fn main() {}
