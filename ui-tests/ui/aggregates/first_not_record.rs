//! What is kept is no record.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

#[derive(Clone)]
struct Plain(u32);

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let stats = trades.key_by(|t| t.size).aggregate(first(|t| Plain(t.size)), unbounded("few keys")).map(|(_, first)| first.0);
        sink out(stats) = stdout();
    }
}

fn main() {}
