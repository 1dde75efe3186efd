//! [`Entry`]: an entry of a snapshot, and its byte form; [`Encoded`]: some of them, one behind the other.
//!
//! ```text
//! entry    hash u64 | state * 2, + 1 if deleted: LEB128 | namespace: zigzag LEB128 | key: length, bytes | value: length, bytes
//! ```
//!
//! A deleted entry has no value.

use crate::codec::{CodecError, Reader, put_length};

/// An entry of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The key's hash.
    pub hash: u64,
    /// Which of its operator's states it belongs to.
    pub state: u16,
    /// Which of the state's tables: the start of a window, say, in ms; 0 where there is one only.
    pub namespace: i64,
    /// The key's byte form.
    pub key: &'a [u8],
    /// The value's byte form; `None` says that the key has gone.
    pub value: Option<&'a [u8]>,
}

impl<'a> Entry<'a> {
    /// Appends its byte form.
    pub fn write(&self, out: &mut Vec<u8>) {
        let append = |bytes: &'a [u8]| move |out: &mut Vec<u8>| out.extend_from_slice(bytes);
        write((self.hash, self.state, self.namespace), append(self.key), self.value.map(append), out);
    }

    /// Reads one.
    ///
    /// # Errors
    /// If what comes next is none.
    pub fn read(from: &mut Reader<'a>) -> Result<Self, CodecError> {
        let hash = u64::from_le_bytes(from.array()?);
        let word = from.length()?;
        let state = u16::try_from(word >> 1).map_err(|_| from.invalid(format!("a state number {}", word >> 1)))?;
        let zigzag = from.length()? as u64;
        let namespace = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
        let key = from.bytes()?;
        let value = if word & 1 == 1 { None } else { Some(from.bytes()?) };
        Ok(Entry { hash, state, namespace, key, value })
    }
}

/// Entries on their way into a snapshot: on a worker's path they are encoded one by one, and handed on together.
#[derive(Debug, Default)]
pub struct Encoded {
    bytes: Vec<u8>,
    entries: u64,
    /// The least of their hashes and the greatest.
    hashes: Option<(u64, u64)>,
}

impl Encoded {
    /// Bytes after which they go on together: they are still in the processor's nearest cache, and were not written just now, so that a copy
    /// of them waits for nothing.
    pub(crate) const TOGETHER: usize = 4 << 10;

    /// Encodes an entry of this hash, state and namespace; `key` and `value` append their byte forms, and nothing else. Gives how many bytes it
    /// has.
    #[inline]
    pub fn put(
        &mut self,
        place: (u64, u16, i64),
        key: impl FnOnce(&mut Vec<u8>),
        value: Option<impl FnOnce(&mut Vec<u8>)>,
    ) -> usize {
        let before = self.bytes.len();
        write(place, key, value, &mut self.bytes);
        self.entries += 1;
        let (least, greatest) = self.hashes.unwrap_or((place.0, place.0));
        self.hashes = Some((least.min(place.0), greatest.max(place.0)));
        self.bytes.len() - before
    }

    /// The byte forms of its entries.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many there are.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// The least of their hashes and the greatest.
    pub fn hashes(&self) -> Option<(u64, u64)> {
        self.hashes
    }

    /// Gives its entries, in the order in which they were put.
    ///
    /// # Errors
    /// If a byte form is none: one that appends something else than it should.
    pub fn each(&self, mut each: impl FnMut(Entry<'_>)) -> Result<(), CodecError> {
        let mut from = Reader::new(&self.bytes);
        while from.left() > 0 {
            each(Entry::read(&mut from)?);
        }
        Ok(())
    }

    /// Has none any more. A value that was very large does not keep its memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(MOST_KEPT);
        (self.entries, self.hashes) = (0, None);
    }
}

/// Memory of a batch that stays.
const MOST_KEPT: usize = 64 << 10;

#[inline]
fn write(
    (hash, state, namespace): (u64, u16, i64),
    key: impl FnOnce(&mut Vec<u8>),
    value: Option<impl FnOnce(&mut Vec<u8>)>,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(&hash.to_le_bytes());
    put_length(out, usize::from(state) << 1 | usize::from(value.is_none()));
    put_u64(out, (namespace << 1 ^ namespace >> 63) as u64);
    with_length(out, key);
    if let Some(value) = value {
        with_length(out, value);
    }
}

/// Like [`put_length`], on every machine.
#[inline]
fn put_u64(out: &mut Vec<u8>, mut rest: u64) {
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Appends what `write` appends, with its length in front. Most are short, so one byte is left for it; a longer length
/// moves what is behind it.
#[inline]
fn with_length(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.push(0);
    write(out);
    let length = out.len() - at - 1;
    match out.get_mut(at) {
        Some(place) if length < 0x80 => *place = length as u8,
        _ => move_for_length(out, at, length),
    }
}

#[cold]
#[inline(never)]
fn move_for_length(out: &mut Vec<u8>, at: usize, length: usize) {
    let mut prefix = Vec::with_capacity(10);
    put_length(&mut prefix, length);
    out.splice(at..at + 1, prefix);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_comes_out_and_closures_write_the_same_as_bytes() {
        let keys: Vec<Vec<u8>> = (0..300).map(|at| vec![at as u8; at % 200]).collect();
        let entry = |at: usize| Entry {
            hash: crate::hash::mix(at as u64),
            state: (at % 9) as u16 * 1000,
            namespace: at as i64 * 1_000_003 - 100_000_000,
            key: &keys[at],
            value: (!at.is_multiple_of(5)).then_some(&*keys[(at * 7) % 300]),
        };
        let (mut batch, mut bytes, mut written) = (Encoded::default(), Vec::new(), 0);
        for turn in 0..2 {
            for Entry { hash, state, namespace, key, value } in (0..300).map(entry) {
                let value = value.map(|value| |out: &mut Vec<u8>| out.extend_from_slice(value));
                written += batch.put((hash, state, namespace), |out| out.extend_from_slice(key), value);
            }
            (0..300).for_each(|at| entry(at).write(&mut bytes));
            assert_eq!((batch.bytes(), batch.entries(), written), (&*bytes, 300, bytes.len()));
            let hashes = (0..300).map(|at| entry(at).hash);
            assert_eq!(batch.hashes(), hashes.clone().min().zip(hashes.max()));
            let mut at = 0;
            batch
                .each(|given| {
                    assert_eq!(given, entry(at));
                    at += 1;
                })
                .unwrap();
            assert_eq!(at, 300, "{turn}");
            batch.clear();
            bytes.clear();
            written = 0;
            assert_eq!((batch.bytes().len(), batch.entries(), batch.hashes()), (0, 0, None));
        }
    }
}
