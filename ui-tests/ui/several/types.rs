//! Five mistakes of types in one block.

use pelton::prelude::*;
use pelton_ui_tests::Payment;

struct Other;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file), event_time |p| p.at, late_by 1h;

        let named = payments.filter(|p| p.amount.checked_sub(1)).map(|p| p.crad);
        let sums = payments.key_by(|p| p.card).aggregate(sum(|p| p.amount.to_string()), unbounded("few keys"));
        let stats = payments.key_by(|p| p.card).window(tumbling 1h).aggregate((count(), Other)).map(|w| w.value);
        let floats = payments.map(|p| p.amount as f64).key_by(|a| *a).aggregate(count(), unbounded("few keys"));
        sink a(named) = stdout();
        sink b(sums) = stdout();
        sink c(stats, floats) = stdout();
        drop stats.late;
    }
}

fn main() {}
