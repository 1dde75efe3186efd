//! The jobs, as a user writes them.

use crate::checksum::{Total, checksum};
use crate::data::{exchange, w1, w2, w3, w4};
use pelton::prelude::*;
use std::sync::Arc;

stream! {
    /// W1: map, filter, map.
    pub job Numbers<Memory> {
        param data: Arc<[u64]>;
        param total: Total;

        source numbers: u64 = rows(data);
        let kept = numbers.map(w1::first).filter(|x| w1::keep(*x)).map(w1::second);
        sink out(kept) = checksum(total, |x: &u64| *x);
    }

    /// W2: a running sum and count per key.
    pub job RunningSums<Memory> {
        param data: Arc<[w2::Event]>;
        param total: Total;

        source events: w2::Event = rows(data);
        let sums = events.key_by(|e| e.key).aggregate((sum(|e| e.value), count()), emit each, unbounded("as many keys as are measured"));
        sink out(sums) = checksum(total, |row: &(u64, (i64, u64))| w2::check(row.0, row.1.0, row.1.1));
    }

    /// W3: bids per auction and ten seconds.
    pub job Windows<Memory> {
        param data: Arc<[w3::Bid]>;
        param total: Total;

        source bids: w3::Bid = rows(data), event_time |b| b.at, late_by 50ms, ordered_splits;
        let best = bids.key_by(|b| b.auction).window(tumbling 10s).aggregate((count(), max(|b| b.price)));
        sink out(best) = checksum(total, |w: &Windowed<u64, (u64, u64)>| {
            w3::check(w.key, w.start.millis() as u64, w.value.0, w.value.1)
        });
        drop best.late;
    }

    /// W4: how often each word has occurred, told at every word.
    pub job EveryWord<Memory> {
        param text: PathBuf;
        param total: Total;

        source all: &str = lines(text);
        let counts = all.flat_map(|line| words(line)).key_by(|word| *word).aggregate(count(), emit each, unbounded("as many keys as are measured"));
        sink out(counts) = checksum(total, |row: &(&str, u64)| w4::weight(row.0).wrapping_mul(row.1));
    }

    /// W4 combined: how often each word occurs, told at the end.
    pub job WordTotals<Memory> {
        param text: PathBuf;
        param total: Total;

        source all: &str = lines(text);
        let counts = all.flat_map(|line| words(line)).key_by(|word| *word).aggregate(count(), emit at_end, unbounded("as many keys as are measured"));
        sink out(counts) = checksum(total, |row: &(&str, u64)| w4::weight(row.0).wrapping_mul(row.1));
    }

    /// The exchange alone, numbers: behind it a sum for each of a few keys.
    pub job ExchangedNumbers<Memory> {
        param data: Arc<[u64]>;
        param total: Total;

        source numbers: u64 = rows(data);
        let sums = numbers.key_by(|x| exchange::key(*x)).fold(0, |sum, x| *sum = x.wrapping_add(*sum), emit at_end, unbounded("as many keys as are measured"));
        sink out(sums) = checksum(total, |row: &(u64, u64)| exchange::check(row.0, row.1));
    }

    /// The exchange alone, rows of 64 bytes.
    pub job ExchangedRows<Memory> {
        param data: Arc<[exchange::Wide]>;
        param total: Total;

        source all: exchange::Wide = rows(data);
        let sums = all.key_by(|r| exchange::key(r[0])).fold(0, |sum, r| *sum = r[0].wrapping_add(*sum), emit at_end, unbounded("as many keys as are measured"));
        sink out(sums) = checksum(total, |row: &(u64, u64)| exchange::check(row.0, row.1));
    }
}
