//! A float in a tuple that is a key.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let counts = trades.key_by(|t| (t.size, t.price)).aggregate(count(), unbounded("few keys"));
        sink out(counts) = stdout();
    }
}

fn main() {}
