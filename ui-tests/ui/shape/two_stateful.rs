//! Two stateful operators in one `let`.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let sums = trades
            .key_by(|t| t.symbol)
            .aggregate(count(), unbounded("few keys"))
            .key_by(|n| n.1)
            .aggregate(count(), unbounded("few keys"));
        sink out(sums) = stdout();
    }
}

fn main() {}
