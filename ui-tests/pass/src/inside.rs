//! A job inside a function, and one that is private to a module.

use river::prelude::*;

stream! {
    job Private<Memory> {
        param numbers: Vec<u64>;
        source all: u64 = rows(numbers);
        let by = all.key_by(|n| n % 2);
        let counts: (u64, u64) = by.aggregate(count(), emit at_end, unbounded("few keys"));
        sink out(counts) = collect();
    }
}

/// How many numbers are even and how many odd, in two ways.
///
/// # Errors
/// If a job fails.
pub fn count(numbers: Vec<u64>) -> Result<usize, river::Error> {
    struct Number(u64);
    fn own(Number(n): Number) -> u64 {
        n
    }
    stream! {
        // of a type that is known inside of this function alone
        flow same(numbers: Stream<u64>) -> u64 {
            let own = numbers.map(|n| own(Number(n)));
            return own;
        }

        job Local<Memory> {
            param numbers: Vec<u64>;
            source all: u64 = rows(numbers);
            let own: u64 = same(all);
            sink out(own) = collect();
        }
    }
    let rows = Local { numbers: numbers.clone() }.run(Config::default().workers(1))?.out.len();
    let counts = Private { numbers }.run(Config::default().workers(1))?.out;
    Ok(rows + counts.len())
}
