//! A value of another type for a field that was not stored.

use pelton::prelude::*;

#[derive(Record)]
pub struct Trade {
    pub price: f64,
    #[added("none")]
    pub size: u32,
}

fn main() {}
