//! Five mistakes of the language in one block; the healthy statements stay.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param least: u32;
        let big = trades.filtr(|t| t.size >= least);
        let prices = trade.map(|t| t.price);
        let hours = trades.key_by(|t| t.symbol).window(tumbling 10m).aggregate(count());
        let counts = trades.aggregate(count(), unbounded("few keys"));
        lett sizes = trades.map(|t| t.size);
        sink a(big) = stdout();
        sink b(prices) = stdout();
        sink c(hours) = stdout();
        sink d(counts) = stdout();
        sink e(sizes) = stdout();
    }
}

fn main() {}
