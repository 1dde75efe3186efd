//! `Map<K, V>`: values per key of the stream and key of the map, in the order of the latter.
//!
//! In order, and not hashed: what a handler emits while it walks over a map must not depend on how the map came to be, or on
//! which backend it is kept in.

use super::state::{Keeps, KeepsKey, Slot, State};
use crate::codec::{CodecError, Reader};
use crate::record::Record;
use crate::schema::{Field, Past, Schema};
use crate::state::ttl::Age;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::marker::PhantomData;

/// Values by a second key: `state cities: Map<City, u32>, ttl 7d;`. Walks go in the order of the keys.
///
/// With a `ttl` each entry is gone that long after it was last written: by [`insert`](Map::insert), [`update`](Map::update), or
/// by asking for it with [`get_mut`](Map::get_mut).
pub struct Map<'a, K, V, A> {
    slot: &'a mut Entries<K, V, A>,
    ttl: i64,
    now: i64,
}

impl<K: Ord, V, A: Age> Map<'_, K, V, A> {
    #[inline(always)]
    fn lives(&self, since: &A) -> bool {
        !since.over(self.ttl, self.now)
    }

    /// The value of a key.
    #[inline(always)]
    pub fn get<Q: ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: FoundBy<Q>,
    {
        K::get(&self.slot.entries, key).filter(|(_, since)| self.lives(since)).map(|(value, _)| value)
    }

    /// The value of a key, to be changed in place. It counts as written.
    #[inline(always)]
    pub fn get_mut<Q: ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: FoundBy<Q>,
    {
        let (ttl, now) = (self.ttl, self.now);
        let (value, since) = K::get_mut(&mut self.slot.entries, key).filter(|(_, since)| !since.over(ttl, now))?;
        since.write(now);
        Some(value)
    }

    /// Whether a key has a value.
    pub fn contains<Q: ?Sized>(&self, key: &Q) -> bool
    where
        K: FoundBy<Q>,
    {
        self.get(key).is_some()
    }

    /// Puts in a value; gives back the one that was there.
    #[inline(always)]
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.slot.note(self.now);
        match self.slot.entries.entry(key) {
            Entry::Vacant(place) => {
                let mut since = A::default();
                since.write(self.now);
                place.insert((value, since));
                None
            }
            Entry::Occupied(place) => {
                let (kept, since) = place.into_mut();
                let lived = !since.over(self.ttl, self.now);
                since.write(self.now);
                let before = std::mem::replace(kept, value);
                lived.then_some(before)
            }
        }
    }

    /// Replaces the value of a key by what `f` makes of it; where there is none, of the default.
    #[inline(always)]
    pub fn update<Q: ?Sized>(&mut self, key: &Q, f: impl FnOnce(V) -> V)
    where
        K: FoundBy<Q> + MadeOf<Q>,
        V: Default,
    {
        match self.get_mut(key) {
            Some(value) => *value = f(std::mem::take(value)),
            None => {
                self.insert(K::made(key), f(V::default()));
            }
        }
    }

    /// Takes a value out.
    #[inline(always)]
    pub fn remove<Q: ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: FoundBy<Q>,
    {
        let (value, since) = K::remove(&mut self.slot.entries, key)?;
        self.lives(&since).then_some(value)
    }

    /// Keys and values, in the order of the keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.slot.entries.iter().filter(|(_, (_, since))| self.lives(since)).map(|(key, (value, _))| (key, value))
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// How many there are. Looks at each entry if one may be over.
    pub fn len(&self) -> usize {
        if self.slot.oldest.over(self.ttl, self.now) { self.iter().count() } else { self.slot.entries.len() }
    }

    /// Whether there are none. Like [`len`](Map::len).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps the entries for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        let (ttl, now) = (self.ttl, self.now);
        self.slot.entries.retain(|key, (value, since)| !since.over(ttl, now) && keep(key, value));
    }

    /// Takes all entries out, in the order of the keys.
    pub fn take(&mut self) -> Vec<(K, V)> {
        let (ttl, now) = (self.ttl, self.now);
        let all = std::mem::take(self.slot).entries.into_iter();
        all.filter(|(_, (_, since))| !since.over(ttl, now)).map(|(key, (value, _))| (key, value)).collect()
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        *self.slot = Entries::default();
    }
}

/// What a key can be looked up by: itself, or what it lends (`str` for a `String`). It is asked of the key and not of what is
/// given, so that a key that cannot be one is blamed where the map is declared, and nowhere else.
#[diagnostic::on_unimplemented(
    message = "the keys of this map are `{Self}`, and this is a `{Q}`",
    label = "not a `{Self}`"
)]
pub trait FoundBy<Q: ?Sized>: Ord + Sized {
    /// Looks it up.
    fn get<'m, X>(map: &'m BTreeMap<Self, X>, key: &Q) -> Option<&'m X>;
    /// Looks it up, to be changed.
    fn get_mut<'m, X>(map: &'m mut BTreeMap<Self, X>, key: &Q) -> Option<&'m mut X>;
    /// Takes it out.
    fn remove<X>(map: &mut BTreeMap<Self, X>, key: &Q) -> Option<X>;
}
#[diagnostic::do_not_recommend]
impl<K: Borrow<Q> + Ord, Q: Ord + ?Sized> FoundBy<Q> for K {
    #[inline(always)]
    fn get<'m, X>(map: &'m BTreeMap<K, X>, key: &Q) -> Option<&'m X> {
        map.get(key)
    }
    #[inline(always)]
    fn get_mut<'m, X>(map: &'m mut BTreeMap<K, X>, key: &Q) -> Option<&'m mut X> {
        map.get_mut(key)
    }
    #[inline(always)]
    fn remove<X>(map: &mut BTreeMap<K, X>, key: &Q) -> Option<X> {
        map.remove(key)
    }
}

/// What a key can be made of when it is new.
pub trait MadeOf<Q: ?Sized> {
    /// Makes it.
    fn made(key: &Q) -> Self;
}
#[diagnostic::do_not_recommend]
impl<K, Q: ToOwned<Owned = K> + ?Sized> MadeOf<Q> for K {
    #[inline(always)]
    fn made(key: &Q) -> K {
        key.to_owned()
    }
}

/// What a row holds of a map.
pub struct Entries<K, V, A> {
    entries: BTreeMap<K, (V, A)>,
    /// No entry was written before this.
    oldest: A,
}

impl<K, V, A: Age> Entries<K, V, A> {
    /// Notes that an entry is written.
    #[inline(always)]
    fn note(&mut self, now: i64) {
        let oldest = self.oldest.since();
        if A::ENDS && (self.entries.is_empty() || oldest == i64::MIN || now < oldest) {
            self.oldest = A::default();
            self.oldest.write(now);
        }
    }
}

impl<K, V, A: Default> Default for Entries<K, V, A> {
    #[inline(always)]
    fn default() -> Self {
        Entries { entries: BTreeMap::new(), oldest: A::default() }
    }
}

impl<K: Record + Ord, V: Record, A: Age> Slot for Entries<K, V, A> {
    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<K: Record + Ord, V: Record, A: Age> Record for Entries<K, V, A> {
    const SCHEMA: &'static Schema = &Schema::Evolved(
        &Schema::Struct {
            name: "Map",
            fields: &[Field { name: "entries", schema: <BTreeMap<K, (V, A)>>::SCHEMA, was: &[] }],
        },
        Past::OURS,
    );
    fn encode(&self, out: &mut Vec<u8>) {
        self.entries.encode(out);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        let entries = BTreeMap::<K, (V, A)>::decode(from)?;
        let mut all = Entries { entries, oldest: A::default() };
        all.renew();
        Ok(all)
    }
}

impl<K, V, A: Age> Entries<K, V, A> {
    /// Finds the oldest entry.
    fn renew(&mut self) {
        let oldest = self.entries.values().map(|(_, since)| since.since()).min();
        self.oldest = A::default();
        if let Some(oldest) = oldest.filter(|oldest| *oldest != i64::MIN) {
            self.oldest.write(oldest);
        }
    }
}

/// The declaration of a `Map`.
pub struct MapState<K, V, P, A> {
    ttl: i64,
    what: PhantomData<(K, V, P, A)>,
}

impl<K, V, P, A> MapState<K, V, P, A> {
    /// Its entries live so many ms, if their age matters.
    pub fn new(ttl: i64) -> Self {
        MapState { ttl, what: PhantomData }
    }
}

/// The proof is one of the keys, and one of the values.
impl<K: 'static, V: 'static, P: KeepsKey<K>, Q: Keeps<V>, A: Age> State for MapState<K, V, (P, Q), A> {
    type Slot = Entries<P::Kept, Q::Kept, A>;
    type Handle<'a> = Map<'a, P::Kept, Q::Kept, A>;
    #[inline(always)]
    fn open<'a>(&'a mut self, slot: &'a mut Self::Slot, now: i64) -> Self::Handle<'a> {
        // Entries that are over are passed over one by one, and forgotten by the sweep: to look for them at each row would cost
        // as much as the map is large.
        Map { slot, ttl: self.ttl, now }
    }
    #[inline(always)]
    fn stale(&self, slot: &Self::Slot, now: i64) -> bool {
        !slot.entries.is_empty() && slot.oldest.over(self.ttl, now)
    }
    fn tidy(&self, slot: &mut Self::Slot, now: i64) {
        if self.stale(slot, now) {
            slot.entries.retain(|_, (_, since)| !since.over(self.ttl, now));
            slot.renew();
        }
    }
    fn ttl(&self) -> Option<i64> {
        A::ENDS.then_some(self.ttl)
    }
}
