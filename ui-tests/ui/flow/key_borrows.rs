//! A key that borrows, in what a flow takes.

use pelton::prelude::*;
use pelton_ui_tests::{Payment};

stream! {
    flow by_word(payments: Keyed<&str, Payment>) -> (String, i64) {
        let sums = payments.aggregate(sum(|p| p.amount), emit at_end, unbounded("one per card"));
        let owned = sums.map(|(word, sum)| (word.to_owned(), sum));
        return owned;
    }

    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let keyed = payments.key_by(|p| if p.amount > 0 { "in" } else { "out" });
        let sums = by_word(keyed);
        sink out(sums) = stdout();
    }
}

fn main() {}
