//! A flow hands its own rows on to a flow of another crate, which goes by event time, behind a source without.

use pelton::prelude::*;
use pelton_ui_tests::{Payment, flows};

stream! {
    flow large(payments: Stream<Payment>) -> hourly: (u64, i64) {
        let large = payments.filter(|p| p.amount > 1000);
        let t = flows::sums(large, 100);
        drop t.small;
        return hourly = t.hourly;
    }

    job Board<Memory> {
        param file: PathBuf;
        source payments: Payment = csv(file);

        let t = large(payments);
        sink out(t.hourly) = stdout();
    }
}

fn main() {}
