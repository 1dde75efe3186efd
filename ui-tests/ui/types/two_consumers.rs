//! Two consumers of rows that are not `Clone`.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let one = trades.map(|t| t.price);
        let two = trades.map(|t| t.size);
        sink a(one) = stdout();
        sink b(two) = stdout();
    }
}

fn main() {}
