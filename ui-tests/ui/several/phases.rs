//! Mistakes of the language and of types in one block.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let big = trades.filtr(|t| t.amount > 100);
        let named = trades.filter(|t| t.amount.checked_sub(1));
        let counts = trades.key_by(|t| t.amount as f64).aggregate(count(), unbounded("few keys"));
        sink a(big) = stdout();
        sink b(named) = stdout();
        sink c(counts) = stdout();
    }
}

fn main() {}
