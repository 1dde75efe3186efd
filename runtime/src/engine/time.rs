//! Time in timely: the epoch above, the round of a loop below, in one `u64`. Operators read the epoch.

const ROUND_BITS: u32 = 20;

/// The time of an epoch's first round.
pub fn of_epoch(epoch: u64) -> u64 {
    epoch << ROUND_BITS
}

/// The epoch of a time.
pub fn epoch(time: u64) -> u64 {
    time >> ROUND_BITS
}
