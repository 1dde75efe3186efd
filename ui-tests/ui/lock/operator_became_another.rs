//! An operator that keeps another kind of state.

use std::collections::BTreeMap;

use pelton::prelude::*;

#[derive(Record, Clone, Default)]
pub struct Best {
    pub price: f64,
    pub size: u32,
    pub legs: Vec<Leg>,
    pub side: Side,
    pub code: [u8; 3],
}
#[derive(Record, Clone, Default)]
pub struct Leg {
    pub venue: String,
    pub fees: BTreeMap<String, i32>,
}
#[derive(Record, Clone, Default)]
pub enum Side {
    #[default]
    Buy,
    Sell {
        short: bool,
    },
}

stream! {
    #[lock("board.lock")]
    pub job Board<Memory> {
        param trades: Vec<(String, Best)>;
        source all: (String, Best) = rows(trades), event_time |_| Timestamp::from_millis(0), late_by 0s;
        let best = all.key_by(|t| t.0).window(tumbling 1h).aggregate(count());
        let out = best.map(|_| 1);
        drop best.late;
        sink table(out) = csv("out.csv");
    }
}

fn main() {}
