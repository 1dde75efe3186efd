//! [`Noted`]: what changed, noted in any order, given out in the order of keys.

use super::super::backend::Which;
use super::super::entry::Entry;
use super::super::room::make_room;
use super::database::Word;
use super::key::{Key, PREFIX};
use crate::background;
use crate::error::Fault;

/// Entries, and the order that they will have.
#[derive(Default)]
pub struct Noted {
    bytes: Vec<u8>,
    order: Vec<Place>,
}

/// Where an entry is.
#[derive(Clone, Copy)]
struct Place {
    /// The first bytes of its key: two that differ need no look at the rest.
    first: u128,
    at: usize,
    key: u32,
    /// `u32::MAX` for one that has gone.
    value: u32,
}

impl Noted {
    /// Notes an entry. If its key is noted twice the later one counts.
    ///
    /// # Errors
    /// If key or value are too long for a database.
    pub fn note(&mut self, entry: &Entry<'_>) -> Result<(), Fault> {
        let at = self.bytes.len();
        make_room(&mut self.bytes, PREFIX + entry.key.len() + entry.value.map_or(0, <[u8]>::len));
        let which = Which { state: entry.state, namespace: entry.namespace };
        Key { which, hash: entry.hash, key: entry.key }.write(&mut self.bytes);
        let first =
            self.bytes.get(at..).and_then(|key| key.first_chunk::<16>()).map_or(0, |first| u128::from_be_bytes(*first));
        let key = u32::try_from(self.bytes.len() - at);
        // With a byte behind it.
        let value = entry.value.map_or(Ok(u32::MAX), |value| u32::try_from(value.len() + 1).map(|length| length - 1));
        let (Ok(key), Ok(value)) = (key, value) else {
            self.bytes.truncate(at);
            return Err(Fault::new("a key or value of 4 GiB cannot be kept").help("keep less under one key"));
        };
        self.bytes.extend_from_slice(entry.value.unwrap_or_default());
        make_room(&mut self.order, 1);
        self.order.push(Place { first, at, key, value });
        Ok(())
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.order.len() * size_of::<Place>()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Sorts them and gives them out, each key once; `told` says whether a deletion must be told.
    pub fn sorted(&mut self, told: impl Fn(Key<'_>) -> bool) -> impl Iterator<Item = (&[u8], Word<'_>)> {
        let bytes = &self.bytes;
        let key = |place: &Place| bytes.get(place.at..place.at + place.key as usize).unwrap_or_default();
        let by = |a: &Place, b: &Place| a.first.cmp(&b.first).then_with(|| key(a).cmp(key(b))).then(a.at.cmp(&b.at));
        background::sort(&mut self.order, |place| (place.first >> 64) as u64, by);
        let order = &self.order;
        order.iter().enumerate().filter_map(move |(i, place)| {
            let this = key(place);
            let next = order.get(i + 1).filter(|next| next.first == place.first);
            if next.is_some_and(|next| key(next) == this) {
                return None;
            }
            let word = match place.value {
                u32::MAX => Word::Gone { told: Key::read(this).is_some_and(&told) },
                length => {
                    let from = place.at + place.key as usize;
                    Word::Value(bytes.get(from..from + length as usize).unwrap_or_default())
                }
            };
            Some((this, word))
        })
    }
}
