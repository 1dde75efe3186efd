//! Windows of another size: what is kept of the old ones is of no use.

use pelton::prelude::*;

#[derive(Record, Key, Clone, PartialEq, Eq)]
pub enum Side {
    Buy,
    Sell,
}
#[derive(Record, Key, Clone, PartialEq, Eq)]
pub struct Desk {
    pub floor: u8,
    pub side: Side,
}
#[derive(Record, Clone)]
pub struct Trade {
    pub at: Timestamp,
    pub symbol: String,
    pub size: u32,
    pub cents: i64,
    pub desk: Desk,
}

stream! {
    #[lock("counts.lock")]
    pub job Counts<Memory> {
        param data: Vec<Trade>;
        source trades: Trade = rows(data), event_time |t| t.at, late_by 0s, ordered_splits;
        let by_size = trades.key_by(|t| (t.size, t.desk.clone())).window(tumbling 30min offset 5min).aggregate((count(), sum(|t| t.cents), max(|t| t.size)));
        let rows = by_size.map(|_| 1u64);
        let totals = trades.key_by(|t| t.symbol).aggregate(mean(|t| f64::from(t.size)), emit each, unbounded("few keys"));
        let sums = totals.map(|_| 1u64);
        sink table(rows, sums) = csv("out.csv");
        drop by_size.late;
    }
}

fn main() {}
