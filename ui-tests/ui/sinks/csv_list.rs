//! A row with a list in it, as csv.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

#[derive(Record, Serialize)]
struct Row {
    symbol: String,
    sizes: Vec<u32>,
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param out: PathBuf;
        let rows = trades.map(|t| Row { symbol: t.symbol, sizes: vec![t.size] });
        sink table(rows) = csv(out);
    }
}

fn main() {}
