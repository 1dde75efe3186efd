//! A field that cannot be kept.

use pelton::prelude::*;

#[derive(Record)]
pub struct Job {
    pub name: String,
    pub thread: std::thread::ThreadId,
}

fn main() {}
