//! A migration that gives another type.

use pelton::prelude::*;

#[derive(Record)]
pub struct Seconds {
    pub seconds: i32,
}

#[derive(Record)]
#[record(migrate = from_seconds)]
pub struct Delay {
    pub millis: i64,
}

fn from_seconds(old: Seconds) -> i64 {
    i64::from(old.seconds) * 1000
}

fn main() {}
