//! A sum of optional numbers in a window, beside a count.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let sums = trades.key_by(|t| t.symbol).window(tumbling 1h).aggregate((count(), sum(|t| t.size.checked_sub(5)))).map(|w| w.value);
        sink out(sums) = stdout();
        drop sums.late;
    }
}

fn main() {}
