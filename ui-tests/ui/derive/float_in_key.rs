//! A key with a float.

use pelton::prelude::*;

#[derive(Record, Key, Clone, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: i32,
}

impl Eq for Point {}

fn main() {}
