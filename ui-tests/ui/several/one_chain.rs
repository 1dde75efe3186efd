//! Three mistakes in one chain.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let sums = trades.mpa(|t| t.price).filtr(|p| p > 1.0).map(|p| p.);
        sink out(sums) = stdout();
    }
}

fn main() {}
