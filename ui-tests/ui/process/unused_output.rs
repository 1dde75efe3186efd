//! An output that goes nowhere.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let moves = payments.key_by(|p| p.card).process {
            output large: Payment;
            on event(p, cx) {
                if p.amount > 1000 {
                    large.emit(p.clone());
                }
                cx.emit(p);
            }
        };
        sink out(moves) = stdout();
    }
}

fn main() {}
