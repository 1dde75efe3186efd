//! A method that the maps of others have.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let moves = payments.key_by(|p| p.card).process {
            state sums: Map<i64, i64>, ttl 1h;
            on event(p, cx) {
                if !sums.contains_key(&p.amount) {
                    cx.emit(p.card);
                }
                sums.insert(p.amount, p.amount);
            }
        };
        sink out(moves) = stdout();
    }
}

fn main() {}
