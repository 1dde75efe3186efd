//! A greatest of a type without an order.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

#[derive(Record, Serialize, Clone)]
enum Side {
    Buy,
    Sell,
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let best = trades.key_by(|t| t.symbol).aggregate(max(|t| if t.size > 5 { Side::Buy } else { Side::Sell }), unbounded("few keys"));
        sink out(best) = stdout();
    }
}

fn main() {}
