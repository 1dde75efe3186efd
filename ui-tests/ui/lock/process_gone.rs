//! A state that a process has no more.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    #[lock("process.lock")]
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let moves = payments.key_by(|p| p.card).process {
            state seen: List<u32>, ttl 1h;
            timer quiet: event_time;
            on event(p, cx) {
                cx.set(quiet, p.at + 1h);
                cx.emit((p.card, 1));
                seen.push(1);
            }
            on timer quiet(_, cx) {
                cx.cancel(quiet);
            }
        };
        sink out(moves) = stdout();
    }
}

fn main() {}
