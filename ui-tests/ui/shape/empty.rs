//! A job with nothing in it.

use pelton::prelude::*;

stream! {
    job Board<Memory> {
    }
}

fn main() {}
