//! A record that borrows a `&str`.

use pelton::prelude::*;

#[derive(Record)]
pub struct Line<'a> {
    pub text: &'a str,
}

fn main() {}
