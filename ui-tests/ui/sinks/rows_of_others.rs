//! Rows of another type.

use pelton::prelude::*;

stream! {
    job Board<Memory> {
        source numbers: u64 = rows(vec![1u8, 2, 3]);
        sink out(numbers) = stdout();
    }
}

fn main() {}
