//! A field that was not stored, of a type without a default.

use pelton::prelude::*;

#[derive(Record)]
pub enum Side {
    Buy,
    Sell,
}

#[derive(Record)]
pub struct Trade {
    pub price: f64,
    #[added]
    pub side: Side,
}

fn main() {}
