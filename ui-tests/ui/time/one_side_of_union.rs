//! A window on a union with a stream that has no event time.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param old: PathBuf;
        source history: Trade = csv(old);
        let all = union(history, trades);
        let counts = all.key_by(|t| t.symbol).window(tumbling 1h).aggregate(count()).map(|w| (w.key, w.value));
        sink out(counts) = stdout();
        drop counts.late;
    }
}

fn main() {}
