//! A row with a struct in it, as csv.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

#[derive(Record, Serialize)]
struct Row {
    symbol: String,
    spot: Spot,
}

#[derive(Record, Serialize)]
struct Spot {
    price: f64,
    size: u32,
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param out: PathBuf;
        let rows = trades.map(|t| Row { symbol: t.symbol, spot: Spot { price: t.price, size: t.size } });
        sink table(rows) = csv(out);
    }
}

fn main() {}
