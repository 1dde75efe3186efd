//! The workloads' data and checksums: the seeds of `peers`, so that results compare with every engine measured there.

use pelton::Timestamp;

/// SplitMix64's finalizer over a counter: the only source of randomness.
#[inline(always)]
pub fn mix(i: u64) -> u64 {
    let z = i.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x1234_5678_9ABC_DEF1);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// W1: numbers through map, filter, map.
pub mod w1 {
    pub const N: u64 = 50_000_000;
    #[inline(always)]
    pub fn first(x: u64) -> u64 {
        x.wrapping_mul(3).wrapping_add(1)
    }
    #[inline(always)]
    pub fn keep(x: u64) -> bool {
        x & 1 == 0
    }
    #[inline(always)]
    pub fn second(x: u64) -> u64 {
        x ^ (x >> 7)
    }
}

/// W2: a running sum and count per key, every update to the sink.
pub mod w2 {
    use super::mix;
    pub const N: u64 = 20_000_000;
    pub const KEYS: u64 = 1_000_000;

    #[derive(Clone, Copy)]
    pub struct Event {
        pub key: u64,
        pub value: i64,
    }
    /// The value depends on the key alone, so that the checksum does not depend on how two workers interleave.
    pub fn event(i: u64) -> Event {
        let key = mix(i) % KEYS;
        Event { key, value: (mix(key ^ 0x5555) % 1000) as i64 - 500 }
    }
    #[inline(always)]
    pub fn check(key: u64, sum: i64, count: u64) -> u64 {
        (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ sum as u64).wrapping_mul(count.wrapping_mul(2) + 1)
    }
}

/// W3: bids per auction in tumbling windows of 10 s: count and highest price.
pub mod w3 {
    use super::{Timestamp, mix};
    pub const N: u64 = 10_000_000;
    pub const AUCTIONS: u64 = 10_000;
    pub const WINDOW_MS: u64 = 10_000;
    pub const DELAY_MS: u64 = 50;
    const PER_MS: u64 = 100;

    #[derive(Clone, Copy)]
    pub struct Bid {
        pub auction: u64,
        #[allow(dead_code)] // part of the row that the hand-written side moves
        pub bidder: u64,
        pub price: u64,
        pub at: Timestamp,
    }
    pub fn bid(i: u64) -> Bid {
        let (a, b) = (mix(i), mix(i ^ 0xABCD_EF00_0000_0000));
        let at = (i / PER_MS).saturating_sub((a >> 40) % DELAY_MS);
        Bid {
            auction: a % AUCTIONS,
            bidder: b % 100_000,
            price: (b >> 32) % 10_000,
            at: Timestamp::from_millis(at as i64),
        }
    }
    #[inline(always)]
    pub fn check(auction: u64, window: u64, count: u64, max: u64) -> u64 {
        mix(auction.wrapping_add(window << 20)).wrapping_mul(count.wrapping_mul(65_536).wrapping_add(max))
    }
}

/// W4: words of a text.
pub mod w4 {
    use super::mix;
    use std::io::Write;
    use std::path::{Path, PathBuf};

    const VOCABULARY: usize = 50_000;
    pub const BYTES: u64 = 200_000_000;
    const WORDS_PER_LINE: u64 = 10;

    fn word(rank: usize) -> String {
        let length = 3 + (mix(rank as u64) % 9) as usize;
        let mut word: String =
            (0..length).map(|j| char::from(b'a' + (mix((rank * 16 + j) as u64 ^ 0x77) % 26) as u8)).collect();
        // A suffix in base 26 keeps the words distinct.
        let mut rest = rank;
        while rest > 0 {
            word.push(char::from(b'a' + (rest % 26) as u8));
            rest /= 26;
        }
        word
    }

    /// Writes the text once and gives its path: words by Zipf's law, ten to a line.
    pub fn text(folder: &Path) -> std::io::Result<PathBuf> {
        let path = folder.join("words.txt");
        if path.exists() {
            return Ok(path);
        }
        std::fs::create_dir_all(folder)?;
        let vocabulary: Vec<String> = (0..VOCABULARY).map(word).collect();
        let mut total = 0.0;
        let upto: Vec<f64> = (0..VOCABULARY)
            .map(|rank| {
                total += 1.0 / (rank + 1) as f64;
                total
            })
            .collect();
        let unfinished = path.with_extension("tmp");
        let mut out = std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(&unfinished)?);
        let (mut bytes, mut i) = (0, 0u64);
        while bytes < BYTES || i % WORDS_PER_LINE != 0 {
            let point = (mix(i ^ 0x4242) >> 11) as f64 / (1u64 << 53) as f64 * total;
            let word = &vocabulary[upto.partition_point(|&c| c < point).min(VOCABULARY - 1)];
            i += 1;
            out.write_all(word.as_bytes())?;
            out.write_all(if i % WORDS_PER_LINE == 0 { b"\n" } else { b" " })?;
            bytes += word.len() as u64 + 1;
        }
        out.flush()?;
        std::fs::rename(&unfinished, &path)?;
        Ok(path)
    }

    /// A word's weight in the checksums.
    #[inline(always)]
    pub fn weight(word: &str) -> u64 {
        let bytes = word.as_bytes();
        match (bytes.first(), bytes.last()) {
            (Some(first), Some(last)) => bytes.len() as u64 * 131 + u64::from(*first) * 7 + u64::from(*last),
            _ => 0,
        }
    }
}

/// The exchange alone: rows to the worker of their key, where one word of each is summed.
pub mod exchange {
    pub const NUMBERS: u64 = 40_000_000;
    pub const ROWS: u64 = 10_000_000;
    pub const KEYS: u64 = 64;
    /// A row of 64 bytes.
    pub type Wide = [u64; 8];
    #[inline(always)]
    pub fn key(x: u64) -> u64 {
        x % KEYS
    }
    #[inline(always)]
    pub fn check(key: u64, sum: u64) -> u64 {
        super::mix(key) ^ sum
    }
}
