//! A key without what it needs.

use pelton::prelude::*;

#[derive(Key)]
pub struct City {
    pub code: u32,
}

fn main() {}
