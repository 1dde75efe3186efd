//! Strings as keys: hashed, sent and kept with as few branches and calls as short words allow.
//!
//! Most keys are short. Up to 16 bytes a string is looked at as two words, padded with zeroes ([`window`]): hashing is two
//! multiplications. Up to 15 bytes it stands in the table itself, in 16 bytes, and a row of a frame is compared with it as 16
//! bytes at once, so that finding it is one cache line and no branch that its length decides. Measured on W4: 1.3 times
//! the plain form.
//!
//! `unsafe` is used in one place: the text of a column is `str` without being checked again.
#![allow(unsafe_code)]

use super::window::{self, MASKS, WINDOW};
use super::{Kept, Key, KeyColumn, KeyHash, KeyLike};
use crate::codec::put_bytes;
use crate::hash;

/// The stable hash of a string.
#[inline(always)]
pub(super) fn hash(text: &str) -> u64 {
    match window::padded(text.as_bytes()) {
        Some(padded) => of_short(padded, text.len()),
        None => hash::bytes(text.as_bytes()),
    }
}

/// The first 8 bytes.
#[inline(always)]
fn low(bytes: &[u8]) -> u64 {
    bytes.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
/// The 8 bytes from the eighth on.
#[inline(always)]
fn high(bytes: &[u8]) -> u64 {
    bytes.get(7..).and_then(|bytes| bytes.first_chunk::<8>()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// What of [`low`] and [`high`] belongs to a text of each length.
const HALVES: [(u64, u64); WINDOW] = {
    let mut halves = [(0, 0); WINDOW];
    let mut length = 0;
    while length < WINDOW {
        halves[length] = (MASKS[length] as u64, (MASKS[length] >> 56) as u64);
        length += 1;
    }
    halves
};

#[inline(always)]
fn of_short(padded: u128, length: usize) -> u64 {
    hash::pair(padded as u64, (padded >> 64) as u64 ^ (length as u64) << 56)
}

/// A length that stands in the table itself; the byte values beyond tell a long string.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Length {
    L0,
    L1,
    L2,
    L3,
    L4,
    L5,
    L6,
    L7,
    L8,
    L9,
    L10,
    L11,
    L12,
    L13,
    L14,
    L15,
}
const LENGTHS: [Length; 16] = {
    use Length::*;
    [L0, L1, L2, L3, L4, L5, L6, L7, L8, L9, L10, L11, L12, L13, L14, L15]
};

/// A string in a table: 16 bytes.
#[derive(Clone)]
pub enum KeptText {
    /// Up to 15 bytes, padded with zeroes.
    Short(Length, [u8; 15]),
    /// More.
    Long(Box<String>),
}
const _: () = assert!(size_of::<KeptText>() == 16);

impl Kept<String> for KeptText {
    fn keep(key: &str) -> Self {
        match LENGTHS.get(key.len()) {
            Some(length) => {
                let mut bytes = [0; 15];
                bytes[..key.len()].copy_from_slice(key.as_bytes());
                KeptText::Short(*length, bytes)
            }
            None => KeptText::Long(Box::new(key.to_owned())),
        }
    }
    fn view(&self) -> &str {
        match self {
            // It was a string when it was kept, so the default is never taken.
            KeptText::Short(length, bytes) => std::str::from_utf8(&bytes[..*length as usize]).unwrap_or_default(),
            KeptText::Long(text) => text,
        }
    }
    #[inline(always)]
    fn same(&self, key: &str) -> bool {
        match self {
            KeptText::Short(length, bytes) => {
                // As 16 bytes: no call, and no branch that the length decides but this one.
                let mut kept = [0; WINDOW];
                kept[..15].copy_from_slice(bytes);
                *length as usize == key.len() && window::padded(key.as_bytes()) == Some(u128::from_le_bytes(kept))
            }
            KeptText::Long(text) => text.as_str() == key,
        }
    }
    fn owned(self) -> String {
        match self {
            KeptText::Short(..) => self.view().to_owned(),
            KeptText::Long(text) => *text,
        }
    }
    fn write(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.view().as_bytes());
    }
}

/// Strings back to back, each with its bounds and its hash: no allocation per key.
#[derive(Default)]
pub struct StringColumn {
    heads: Vec<Head>,
    /// Whole strings, one after the other, and at least 16 bytes behind the last: so any key can be read as 16 bytes at
    /// once, whatever its length.
    text: Vec<u8>,
    used: usize,
    /// Keys behind this one have no hash yet.
    settled: usize,
}

/// Of one string: 16 bytes.
#[derive(Clone, Copy)]
struct Head {
    hash: u64,
    start: u32,
    end: u32,
}

impl StringColumn {
    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) {
        self.text.resize((self.text.len() * 2).max(self.used + more + 4096), 0);
    }

    #[inline(always)]
    fn append(&mut self, key: &str, hash: u64) {
        let end = self.used + key.len();
        if end + WINDOW > self.text.len() {
            self.grow(key.len() + WINDOW);
        }
        // What is copied with a short one and lies behind it is written over by the next.
        let to = self.text[self.used..].first_chunk_mut::<WINDOW>();
        if !to.is_some_and(|to| window::copy(key.as_bytes(), to)) {
            self.text[self.used..end].copy_from_slice(key.as_bytes());
        }
        self.heads.push(Head { hash, start: self.used as u32, end: end as u32 });
        self.used = end;
    }

    #[inline(always)]
    fn bounds(&self, at: usize) -> (usize, usize) {
        let Head { start, end, .. } = self.heads[at];
        (start as usize, end as usize)
    }
}

impl KeyColumn<String> for StringColumn {
    const ROW_BYTES: usize = 16;
    const TOGETHER: bool = true;
    const ANY_ORDER: bool = true;
    #[inline(always)]
    fn push(&mut self, key: &str, hash: u64) {
        self.append(key, hash);
        self.settled = self.heads.len();
    }
    #[inline(always)]
    fn push_later(&mut self, key: &str) {
        self.append(key, 0);
    }
    fn settle(&mut self) {
        for Head { hash, start, end } in &mut self.heads[self.settled..] {
            let (start, length) = (*start as usize, (*end - *start) as usize);
            // No branch on the length of a short one: words of all lengths come in any order.
            *hash = match (MASKS.get(length), self.text[start..].first_chunk::<WINDOW>()) {
                (Some(mask), Some(window)) => of_short(u128::from_le_bytes(*window) & mask, length),
                _ => hash::bytes(&self.text[start..*end as usize]),
            };
        }
        self.settled = self.heads.len();
    }
    #[inline(always)]
    fn len(&self) -> usize {
        self.heads.len()
    }
    #[inline(always)]
    fn get(&self, at: usize) -> &str {
        let (start, end) = self.bounds(at);
        let text = &self.text[start..end];
        // SAFETY: these are the bytes of the string that was pushed at this place: `push` appends whole strings, notes
        // where each ends, and nothing else writes the text.
        unsafe { std::str::from_utf8_unchecked(text) }
    }
    #[inline(always)]
    fn hash(&self, at: usize) -> u64 {
        self.heads[at].hash
    }
    #[inline(always)]
    fn same(&self, at: usize, kept: &KeptText) -> bool {
        let (start, end) = self.bounds(at);
        match kept {
            KeptText::Short(length, bytes) => {
                if *length as usize != end - start {
                    return false;
                }
                // No branch on the length: words of all lengths come in any order. Two words that overlap by one byte.
                let Some(window) = self.text[start..].first_chunk::<WINDOW>() else { return false };
                let (first, last) = HALVES[*length as usize];
                (low(window) & first ^ low(bytes)) | (high(window) & last ^ high(bytes)) == 0
            }
            KeptText::Long(text) => text.as_str() == self.get(at),
        }
    }
    fn clear(&mut self) {
        self.heads.clear();
        self.used = 0;
        self.settled = 0;
    }
    fn reserve(&mut self, rows: usize) {
        self.heads.reserve_exact(rows);
        self.text.resize(self.text.len().max(8 * rows + WINDOW), 0);
    }
    fn heap_bytes(&self) -> usize {
        self.used
    }
}

impl KeyHash for str {
    #[inline(always)]
    fn key_hash(&self, state: u64) -> u64 {
        hash::mix(state ^ hash(self))
    }
}
impl KeyHash for String {
    #[inline(always)]
    fn key_hash(&self, state: u64) -> u64 {
        self.as_str().key_hash(state)
    }
}
impl KeyHash for std::borrow::Cow<'_, str> {
    fn key_hash(&self, state: u64) -> u64 {
        (**self).key_hash(state)
    }
}

impl Key for String {
    type Ref<'a> = &'a str;
    type Column = StringColumn;
    type Kept = KeptText;
    #[inline(always)]
    fn view(&self) -> &str {
        self
    }
    #[inline(always)]
    fn hash(key: &str) -> u64 {
        hash(key)
    }
    #[inline(always)]
    fn same(&self, key: &str) -> bool {
        self.as_str() == key
    }
    fn own(key: &str) -> String {
        key.to_owned()
    }
}

impl KeyLike for str {
    type Owned = String;
    #[inline(always)]
    fn view(&self) -> &str {
        self
    }
}
impl KeyLike for String {
    type Owned = String;
    #[inline(always)]
    fn view(&self) -> &str {
        self
    }
}
impl<'s> KeyLike for std::borrow::Cow<'s, str> {
    type Owned = String;
    #[inline(always)]
    fn view(&self) -> &str {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Vec<String> {
        let alphabet = "aåb€c𝄞d".chars().cycle();
        let mut all: Vec<String> = (0..40).map(|n| alphabet.clone().skip(n % 3).take(n).collect()).collect();
        all.extend((0..24).map(|n| "x".repeat(n)));
        all.extend(["\0", "\0\0", "a\0", "abcdefg\0", "abcdefgh\0"].map(str::to_owned));
        all
    }

    #[test]
    fn a_string_is_found_as_itself_and_as_no_other() {
        let texts = texts();
        let (mut column, mut later) = (StringColumn::default(), StringColumn::default());
        for text in &texts {
            column.push(text, <String as Key>::hash(text));
            later.push_later(text);
        }
        later.settle();
        for (at, a) in texts.iter().enumerate() {
            assert_eq!((column.get(at), column.hash(at)), (a.as_str(), <String as Key>::hash(a)));
            assert_eq!((later.get(at), later.hash(at)), (a.as_str(), <String as Key>::hash(a)));
            let kept = KeptText::keep(a);
            assert_eq!((kept.view(), &kept.clone().owned()), (a.as_str(), a));
            for (there, b) in texts.iter().enumerate() {
                assert_eq!(column.same(there, &kept), a == b, "{a:?} {b:?}");
                assert_eq!(kept.same(b), a == b, "{a:?} {b:?}");
                assert_eq!(<String as Key>::hash(a) == <String as Key>::hash(b), a == b, "{a:?} {b:?}");
            }
        }
    }
}
