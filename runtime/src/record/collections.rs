//! Records of many values: lists, arrays, sets, maps.
//!
//! Sets and maps are written in the order in which they are walked: two equal hash maps may have different bytes.
//! A key that occurs twice is refused, since no map was written so.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};

use super::{Record, Row, own_rows};
use crate::codec::{CodecError, Reader, put_length};
use crate::schema::Schema;

/// Bytes get a schema of their own; all else is a list of its elements.
const fn list_of(of: &'static Schema) -> Schema {
    match of {
        Schema::U8 => Schema::Bytes,
        _ => Schema::List(of),
    }
}

/// Ends a list, set or map: elements that have no bytes get a zero byte each (see [`codec`](crate::codec)).
#[inline]
fn put_end(out: &mut Vec<u8>, least: usize, count: usize) {
    if least == 0 {
        out.resize(out.len() + count, 0);
    }
}

#[inline]
fn read_end(from: &mut Reader<'_>, least: usize, count: usize) -> Result<(), CodecError> {
    if least == 0 && from.take(count)?.iter().any(|byte| *byte != 0) {
        return Err(from.invalid("no zeros behind elements without bytes"));
    }
    Ok(())
}

#[inline]
fn decode_list<T: Record>(from: &mut Reader<'_>) -> Result<Vec<T>, CodecError> {
    let least = const { T::SCHEMA.least_bytes() };
    let count = from.count(least)?;
    let values = from.nested(|from| T::decode_all(from, count))?;
    read_end(from, least, count)?;
    Ok(values)
}

impl<T: Record> Record for Vec<T> {
    const SCHEMA: &'static Schema = &list_of(T::SCHEMA);
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        put_length(out, self.len());
        T::encode_all(self, out);
        put_end(out, const { T::SCHEMA.least_bytes() }, self.len());
    }
    #[inline]
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        decode_list(from)
    }
}

impl<R: Row> Row for Vec<R> {
    type Stored = Vec<R::Stored>;
    #[inline]
    fn store(self) -> Vec<R::Stored> {
        self.into_iter().map(R::store).collect()
    }
}

impl<T: Record> Record for VecDeque<T> {
    const SCHEMA: &'static Schema = &list_of(T::SCHEMA);
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        put_length(out, self.len());
        let (front, back) = self.as_slices();
        T::encode_all(front, out);
        T::encode_all(back, out);
        put_end(out, const { T::SCHEMA.least_bytes() }, self.len());
    }
    #[inline]
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        decode_list(from).map(VecDeque::from)
    }
}

impl<R: Row> Row for VecDeque<R> {
    type Stored = VecDeque<R::Stored>;
    #[inline]
    fn store(self) -> VecDeque<R::Stored> {
        self.into_iter().map(R::store).collect()
    }
}

impl<T: Record, const N: usize> Record for [T; N] {
    const SCHEMA: &'static Schema = &Schema::Array(T::SCHEMA, N);
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        T::encode_all(self, out);
    }
    #[inline]
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        T::decode_array(from)
    }
}

impl<R: Row, const N: usize> Row for [R; N] {
    type Stored = [R::Stored; N];
    #[inline]
    fn store(self) -> [R::Stored; N] {
        self.map(R::store)
    }
}

/// A set is a list whose elements differ.
macro_rules! sets {
    ($([$($generics:tt)*] $set:ty, $element:ident, |$room:ident| $empty:expr);* $(;)?) => { $(
        impl<$($generics)*> Record for $set {
            const SCHEMA: &'static Schema = &Schema::List($element::SCHEMA);
            fn encode(&self, out: &mut Vec<u8>) {
                put_length(out, self.len());
                for value in self {
                    value.encode(out);
                }
                put_end(out, const { $element::SCHEMA.least_bytes() }, self.len());
            }
            fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
                let least = const { $element::SCHEMA.least_bytes() };
                let count = from.count(least)?;
                let $room = from.room(count, size_of::<$element>());
                let mut set: $set = $empty;
                for i in 0..count {
                    let value = from.nested($element::decode).map_err(|e| e.element(i))?;
                    if !set.insert(value) {
                        return Err(from.invalid("an element of a set that is already there").element(i));
                    }
                }
                read_end(from, least, count)?;
                Ok(set)
            }
        }
        own_rows!([$($generics)*] $set);
    )* };
}

sets! {
    [T: Record + Ord] BTreeSet<T>, T, |_room| BTreeSet::new();
    [T: Record + Eq + Hash, S: BuildHasher + Default + Send + 'static] HashSet<T, S>, T,
        |room| HashSet::with_capacity_and_hasher(room, S::default());
}

macro_rules! maps {
    ($([$($generics:tt)*] $map:ty, |$room:ident| $empty:expr);* $(;)?) => { $(
        impl<$($generics)*> Record for $map {
            const SCHEMA: &'static Schema = &Schema::Map(K::SCHEMA, V::SCHEMA);
            fn encode(&self, out: &mut Vec<u8>) {
                put_length(out, self.len());
                for (key, value) in self {
                    key.encode(out);
                    value.encode(out);
                }
                put_end(out, const { <(K, V)>::SCHEMA.least_bytes() }, self.len());
            }
            fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
                let least = const { <(K, V)>::SCHEMA.least_bytes() };
                let count = from.count(least)?;
                let $room = from.room(count, size_of::<(K, V)>());
                let mut map: $map = $empty;
                for i in 0..count {
                    let (key, value) = from.nested(<(K, V)>::decode).map_err(|e| e.element(i))?;
                    if map.insert(key, value).is_some() {
                        return Err(from.invalid("a key of a map that is already there").element(i));
                    }
                }
                read_end(from, least, count)?;
                Ok(map)
            }
        }
        own_rows!([$($generics)*] $map);
    )* };
}

maps! {
    [K: Record + Ord, V: Record] BTreeMap<K, V>, |_room| BTreeMap::new();
    [K: Record + Eq + Hash, V: Record, S: BuildHasher + Default + Send + 'static] HashMap<K, V, S>,
        |room| HashMap::with_capacity_and_hasher(room, S::default());
}
