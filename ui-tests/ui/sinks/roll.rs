//! A sink that writes no files cannot roll.
use pelton::prelude::*;

stream! {
    job Board<Memory> {
        param data: Vec<u64>;
        source numbers: u64 = rows(data);
        sink out(numbers) = stdout(), roll every 1h;
    }
}

fn main() {}
