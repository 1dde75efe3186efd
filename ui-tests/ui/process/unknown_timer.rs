//! A timer that is not declared is set.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let moves = payments.key_by(|p| p.card).process {
            timer quiet: event_time;
            on event(p, cx) {
                cx.set(quit, p.at + 1h);
                cx.cancel(quiet);
                cx.emit(p);
            }
            on timer quiet(_, cx) {
                cx.cancel(quiet);
            }
        };
        sink out(moves) = stdout();
    }
}

fn main() {}
