//! A union.

use pelton::prelude::*;

#[derive(Record)]
pub union Bits {
    pub word: u32,
    pub float: f32,
}

fn main() {}
