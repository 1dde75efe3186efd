//! A process with a mistake of each kind.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file);

        let moves = payments.process {
            in_order;
            state last: Value<Payment>;
            state cities: Map<String, u32>, ttl 0s;
            timer quiet: event_time;
            output odd: Payment;

            on event(p, cx) {
                cx.emit(last.take());
                last.set(p);
            }
            on timer quit(at, cx) {
                cities.clear();
            }
        };
        sink out(moves) = stdout();
    }
}

fn main() {}
