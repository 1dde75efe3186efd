//! The stable hash of keys, and the key groups it falls into.
//!
//! The hash is the same in every build and on every machine, for ever: it names state on disk. An integer is one folded
//! 64 x 64 bit multiplication, up to 16 bytes of text are two; longer bytes are `rapidhash` V3 (nano), whose output its
//! crate guarantees. The top 15 bits
//! are the key group; the order of hashes is the order of everything that is kept by key.

use rapidhash::v3::{DEFAULT_RAPID_SECRETS, rapidhash_v3_nano_inline};

/// How many key groups there are: the finest grain at which state moves between workers.
pub const KEY_GROUPS: u64 = 1 << GROUP_BITS;
const GROUP_BITS: u32 = 15;

/// What a hash over several parts starts from.
pub const SEED: u64 = 0x2D35_8DCC_AA6C_78A5;
const MULTIPLIER: u128 = 0x9E37_79B9_7F4A_7C15;

/// Mixes 64 bits so that each input bit reaches every output bit of interest, above all the top ones.
#[inline(always)]
pub fn mix(bits: u64) -> u64 {
    let product = u128::from(bits ^ SEED) * MULTIPLIER;
    (product as u64) ^ ((product >> 64) as u64)
}

/// Mixes two words into one hash: a folded product, mixed once more.
#[inline(always)]
pub fn pair(low: u64, high: u64) -> u64 {
    let product = u128::from(low ^ SEED) * u128::from(high ^ 0x9FB2_1C65_1E98_DF25);
    mix((product as u64) ^ ((product >> 64) as u64))
}

/// The hash of bytes.
#[inline(always)]
pub fn bytes(bytes: &[u8]) -> u64 {
    rapidhash_v3_nano_inline::<true, false>(bytes, &DEFAULT_RAPID_SECRETS)
}

/// The worker that owns a hash: its key group's share of `workers`.
#[inline(always)]
pub fn owner(hash: u64, workers: u64) -> usize {
    (((hash >> (64 - GROUP_BITS)) * workers) >> GROUP_BITS) as usize
}

/// The hashes that one worker owns, spread over all of 64 bits so that a table may use the top ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRange {
    base: u64,
    factor: u64,
}

impl KeyRange {
    /// Every hash.
    pub const ALL: KeyRange = KeyRange { base: 0, factor: 1 << 32 };

    /// Every hash, in another order. A table whose entries move on to one in the order of hashes uses this: entries put
    /// in in hash order would all meet at the front of a table that is still small.
    pub const SCATTERED: KeyRange = KeyRange { base: 0, factor: 0 };

    /// What `worker` of `workers` owns; the inverse of [`owner`].
    pub fn of(worker: usize, workers: usize) -> Self {
        let (worker, workers) = (worker as u64, workers.max(1) as u64);
        let first = |w: u64| (w * KEY_GROUPS).div_ceil(workers);
        let groups = (first(worker + 1) - first(worker)).max(1);
        KeyRange { base: first(worker) << (64 - GROUP_BITS), factor: (1 << (32 + GROUP_BITS)) / groups }
    }

    /// Where in the range a hash lies, from 0 to 2^64. Keeps the order of hashes, unless it is scattered.
    #[inline(always)]
    pub fn spread(self, hash: u64) -> u64 {
        if self.factor == Self::ALL.factor {
            return hash;
        }
        if self.factor == Self::SCATTERED.factor {
            return hash.rotate_left(32);
        }
        ((u128::from(hash.wrapping_sub(self.base)) * u128::from(self.factor)) >> 32) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_named_and_does_not_change() {
        assert_eq!(mix(0), 0x4155_da4c_9a5c_ac7c);
        assert_eq!(mix(1), mix(1));
        assert_eq!(bytes(b""), 0x0338_dc4b_e2ce_cdae);
        assert_eq!(bytes(b"pelton"), bytes("pelton".as_bytes()));
    }

    #[test]
    fn every_hash_has_one_owner_whose_range_holds_it_in_order() {
        for workers in [1usize, 2, 3, 7, 16, 100] {
            for worker in 0..workers {
                let range = KeyRange::of(worker, workers);
                let mut last = None;
                for i in 0..4096u64 {
                    let hash = i << 52 | 0xF_FFFF;
                    if owner(hash, workers as u64) == worker {
                        let at = range.spread(hash);
                        assert!(last < Some(at), "{workers} workers, worker {worker}");
                        last = Some(at);
                    }
                }
                assert!(last.is_some());
            }
        }
        assert_eq!(KeyRange::of(0, 1), KeyRange::ALL);
        assert_eq!(KeyRange::ALL.spread(u64::MAX), u64::MAX);
    }
}
