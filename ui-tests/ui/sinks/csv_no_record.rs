//! A row whose columns are not known.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

#[derive(Serialize)]
struct Row {
    symbol: String,
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param out: PathBuf;
        let rows = trades.map(|t| Row { symbol: t.symbol });
        sink table(rows) = csv(out);
    }
}

fn main() {}
