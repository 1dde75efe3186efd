//! A timer of event time where there is none.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file);

        let moves = payments.key_by(|p| p.card).process {
            timer quiet: event_time;
            on event(p, cx) {
                cx.set(quiet, p.at + 1h);
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
