//! A key that derives nothing else.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

#[derive(Key)]
pub struct Size {
    pub size: u32,
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let counts = trades.key_by(|t| Size { size: t.size }).aggregate(count(), emit at_end, unbounded("few"));
        let sizes = counts.map(|(key, n)| (key.size, n));
        sink out(sizes) = stdout();
    }
}

fn main() {}
