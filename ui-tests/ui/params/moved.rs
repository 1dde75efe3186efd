//! A param that a closure gives away.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param tag: String;
        let tagged = trades.map(|t| (tag, t.size));
        sink out(tagged) = stdout();
    }
}

fn main() {}
