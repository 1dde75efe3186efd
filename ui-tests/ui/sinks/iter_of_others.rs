//! An iterator of another type.

use pelton::prelude::*;

stream! {
    job Board<Memory> {
        source numbers: u64 = iter(|| 0..10u8);
        sink out(numbers) = stdout();
    }
}

fn main() {}
