//! State that could grow for ever, without a word about it.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let found = trades.map(|t| t.size).key_by(|n| *n).fold(0u64, |n, _| *n += 1, emit every 1s);
        sink out(found) = stdout();
    }
}

fn main() {}
