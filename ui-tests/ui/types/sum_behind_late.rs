//! A sum of texts in a window whose late rows are used.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let sums = trades.key_by(|t| t.size).window(tumbling 1h).aggregate((count(), sum(|t| t.symbol.clone()))).map(|w| w.value);
        sink out(sums) = stdout();
        sink late(sums.late) = csv("late.csv");
    }
}

fn main() {}
