//! A type that is written wrong.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

#[derive(Clone)]
pub struct Amount(u32);

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param least: Amuont;
        let some = trades.filter(|t| t.size > least.0);
        sink out(some) = stdout();
    }
}

fn main() {}
