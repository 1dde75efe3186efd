//! What is in a map in a list.

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
    pub fees: BTreeMap<String, u32>,
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
        source all: (String, Best) = rows(trades);
        let best = all.key_by(|t| t.0).fold(Best::default(), |best, t| *best = t.1, emit each, unbounded("few keys"));
        let out = best.map(|_| 1);
        sink table(out) = csv("out.csv");
    }
}

fn main() {}
