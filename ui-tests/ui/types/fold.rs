//! A `fold` over a state of another type.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let texts = trades.key_by(|t| t.symbol).fold(0u64, |text, t| text.push_str(&t.symbol), unbounded("few keys"));
        sink out(texts) = stdout();
    }
}

fn main() {}
