//! A window's result as it is, as csv.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param out: PathBuf;
        let hours = trades.key_by(|t| t.symbol).window(tumbling 1h).aggregate((count(), sum(|t| t.size)));
        sink table(hours) = csv(out);
        drop hours.late;
    }
}

fn main() {}
