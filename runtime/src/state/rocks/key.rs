//! [`Key`]: an entry's key as databases have it, in the order of bytes.
//!
//! ```text
//! state u16 | namespace i64, sign bit flipped | hash u64 | key       all big-endian
//! ```
//!
//! State and namespace come first: what a tour looks at, what a window that closes leaves behind and what a map has are then
//! ranges. Of each of them the hashes that a worker owns are a range again.

use super::super::backend::Which;

/// Bytes of state and namespace.
pub const WHICH: usize = 10;
/// Bytes in front of the key.
pub const PREFIX: usize = WHICH + 8;

/// The parts of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    pub which: Which,
    pub hash: u64,
    pub key: &'a [u8],
}

impl<'a> Key<'a> {
    /// Appends the bytes.
    pub fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&prefix(self.which, self.hash));
        to.extend_from_slice(self.key);
    }

    /// The inverse of [`write`](Key::write); `None` if these are no such bytes.
    pub fn read(bytes: &'a [u8]) -> Option<Key<'a>> {
        let (state, rest) = bytes.split_first_chunk::<2>()?;
        let (namespace, rest) = rest.split_first_chunk::<8>()?;
        let (hash, key) = rest.split_first_chunk::<8>()?;
        let namespace = (u64::from_be_bytes(*namespace) ^ 1 << 63) as i64;
        let which = Which { state: u16::from_be_bytes(*state), namespace };
        Some(Key { which, hash: u64::from_be_bytes(*hash), key })
    }
}

/// The least bytes of a hash.
pub fn prefix(which: Which, hash: u64) -> [u8; PREFIX] {
    let mut bytes = [0; PREFIX];
    let (state, rest) = bytes.split_at_mut(2);
    let (namespace, end) = rest.split_at_mut(8);
    state.copy_from_slice(&which.state.to_be_bytes());
    namespace.copy_from_slice(&(which.namespace as u64 ^ 1 << 63).to_be_bytes());
    end.copy_from_slice(&hash.to_be_bytes());
    bytes
}

/// The next one after all keys of a state and namespace; `None` if that is the last.
pub fn after(which: Which) -> Option<Which> {
    match which.namespace.checked_add(1) {
        Some(namespace) => Some(Which { namespace, ..which }),
        None => Some(Which { state: which.state.checked_add(1)?, namespace: i64::MIN }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_are_in_the_order_of_the_parts(
            a in (0u16..3, prop_oneof![any::<i64>(), -2i64..2], any::<u64>(), proptest::collection::vec(any::<u8>(), 0..3)),
            b in (0u16..3, prop_oneof![any::<i64>(), -2i64..2], any::<u64>(), proptest::collection::vec(any::<u8>(), 0..3)),
        ) {
            fn bytes(parts: &(u16, i64, u64, Vec<u8>)) -> Vec<u8> {
                let key = Key { which: Which { state: parts.0, namespace: parts.1 }, hash: parts.2, key: &parts.3 };
                let mut bytes = Vec::new();
                key.write(&mut bytes);
                assert_eq!(Key::read(&bytes), Some(key));
                bytes
            }
            prop_assert_eq!(bytes(&a).cmp(&bytes(&b)), a.cmp(&b));
            let which = Which { state: a.0, namespace: a.1 };
            if let Some(next) = after(which) {
                prop_assert!(bytes(&a)[..] < prefix(next, 0)[..]);
                let later = Which { state: b.0, namespace: b.1 } > which;
                prop_assert!(!later || bytes(&b)[..] >= prefix(next, 0)[..]);
            }
        }
    }
}
