//! A handler of a timer that is not there.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let moves = payments.key_by(|p| p.card).process {
            timer quiet: event_time;
            on event(p, cx) {
                cx.set(quiet, p.at + 1h);
            }
            on timer quiet(at, cx) {
                cx.emit((at, 1));
            }
            on timer quit(at, cx) {
                cx.emit((at, 2));
            }
        };
        sink out(moves) = stdout();
    }
}

fn main() {}
