//! Flows that `ratios flows` holds against the same operators written in the job.

use pelton::prelude::*;

stream! {
    /// W1: map, filter, map, in front of whatever follows.
    pub flow numbers(all: Stream<u64>) -> u64 {
        let kept = all
            .map(|x| x.wrapping_mul(3).wrapping_add(1))
            .filter(|x| x & 1 == 0)
            .map(|x| x ^ (x >> 7));
        return kept;
    }

    /// W2: a running sum and count per key.
    pub flow running_sums(events: Stream<(u64, i64)>) -> (u64, (i64, u64)) {
        let sums = events.key_by(|e| e.0).aggregate((sum(|e| e.1), count()), emit each, unbounded("measured"));
        return sums;
    }

    /// W4: how often each word has occurred, told at every word.
    pub flow every_word(all: Stream<&str>) -> (&str, u64) {
        let counts = all.flat_map(|l| words(l)).key_by(|word| *word).aggregate(count(), emit each, unbounded("measured"));
        return counts;
    }
}
