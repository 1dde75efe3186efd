//! Two ready-made words with typing mistakes: of a field, and of a state.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

#[derive(Record, Clone)]
struct Stats {
    rows: u64,
    most: i64,
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file);

        let stats = payments.key_by(|p| p.card).aggregate(Stats { rows: count(), most: mxa(|p| p.amount) }, unbounded("few"));
        let totals = payments.key_by(|p| p.card).process {
            state total: Aggregating<i64> = summ(|p| *p), unbounded("few");
            on event(p, cx) { total.add(p.amount); cx.emit(p) }
        };

        sink a(stats) = null();
        sink b(totals) = null();
    }
}

fn main() {}
