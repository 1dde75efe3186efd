//! A size in a unit that there is not.
use pelton::prelude::*;

stream! {
    job Board<Memory> {
        param data: Vec<u64>;
        source numbers: u64 = rows(data);
        sink out(numbers) = json("out/"), roll every 1h or at 128MB;
    }
}

fn main() {}
