//! An attribute on an item of a process that takes none.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let moves = payments.key_by(|p| p.card).process {
            state last: Value<u64>, ttl 1h;
            state seen: List<u32>, ttl 1h;
            timer quiet: event_time;
            #[inline]
            on event(p, cx) {
                cx.set(quiet, p.at + 1h);
                cx.emit((p.card, last.take().map_or(0, |n| n + 1)));
                last.set(1);
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
