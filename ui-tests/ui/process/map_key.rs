//! A map by something without an order.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

#[derive(Record, Key, Clone, PartialEq, Eq)]
struct City(i64);

stream! {
    job Moves<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let moves = payments.key_by(|p| p.card).process {
            state cities: Map<City, u32>, unbounded("some hundreds");
            on event(p, cx) {
                cities.update(&City(p.amount), |n| n + 1);
                cx.emit((p.card, cities.len()));
            }
        };
        sink out(moves) = stdout();
    }
}

fn main() {}
