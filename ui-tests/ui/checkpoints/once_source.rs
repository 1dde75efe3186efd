//! A source that cannot be read again.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param to: PathBuf;
        checkpoint every 10s, exactly_once;
        source trades: Trade = json(stdin().may_lose()), event_time |t| t.at, late_by 1h, rate 10/s;

        sink out(trades) = csv(to);
    }
}

fn main() {}
