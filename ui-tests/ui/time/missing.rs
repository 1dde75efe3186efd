//! A window on a stream without event time.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file);

        let counts = trades.key_by(|t| t.symbol).window(tumbling 1h).aggregate(count()).map(|w| (w.key, w.value));
        sink out(counts) = stdout();
        drop counts.late;
    }
}

fn main() {}
