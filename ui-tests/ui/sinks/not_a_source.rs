//! Something that is no source.

use pelton::prelude::*;

stream! {
    job Board<Memory> {
        source numbers: u64 = 7;
        sink out(numbers) = stdout();
    }
}

fn main() {}
