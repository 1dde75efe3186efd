//! Keys: how a value that keys a stream is hashed, looked up borrowed, and stored.
//!
//! Three views of one thing. [`KeyLike`] is what a `key_by` closure gives: an integer, a `&str`, a reference into the
//! record. [`Key`] is what state stores. [`Key::Ref`] is the form in which a key travels and is looked up: an integer
//! by value, a string as `&str`, a derived key as `&K`; it becomes a `Key` only when state meets it for the first time.

mod text;
mod window;

pub use text::{KeptText, StringColumn};

use crate::codec::{CodecError, Reader};
use crate::hash;
use crate::record::Record;
use crate::time::{TimeSpan, Timestamp};

/// A type that state can be kept by: exact equality and a stable hash. Integers, strings, `Timestamp`, tuples of
/// them, and types with `#[derive(Key)]`, which derive `Record`, `Clone`, `PartialEq` and `Eq` beside it.
pub trait Key: Record + Eq + Clone {
    /// The key as it travels and is looked up.
    type Ref<'a>: Copy;
    /// Keys of a frame, side by side.
    type Column: KeyColumn<Self>;
    /// The key as it stands in a table.
    type Kept: Kept<Self>;
    /// This key, borrowed.
    fn view(&self) -> Self::Ref<'_>;
    /// The stable hash.
    fn hash(key: Self::Ref<'_>) -> u64;
    /// Whether they are equal.
    fn same(&self, key: Self::Ref<'_>) -> bool;
    /// The key to store.
    fn own(key: Self::Ref<'_>) -> Self;
}

/// A key as it stands in a table: itself, or a form that needs no look at the heap.
pub trait Kept<K: Key>: Clone + Send + 'static {
    /// The key to keep.
    fn keep(key: K::Ref<'_>) -> Self;
    /// The key, borrowed.
    fn view(&self) -> K::Ref<'_>;
    /// Whether they are equal.
    fn same(&self, key: K::Ref<'_>) -> bool;
    /// The key itself.
    fn owned(self) -> K;
    /// Appends the key's byte form.
    fn write(&self, out: &mut Vec<u8>);
}
impl<K: Key<Kept = K>> Kept<K> for K {
    #[inline(always)]
    fn keep(key: K::Ref<'_>) -> K {
        K::own(key)
    }
    #[inline(always)]
    fn view(&self) -> K::Ref<'_> {
        Key::view(self)
    }
    #[inline(always)]
    fn same(&self, key: K::Ref<'_>) -> bool {
        Key::same(self, key)
    }
    #[inline(always)]
    fn owned(self) -> K {
        self
    }
    fn write(&self, out: &mut Vec<u8>) {
        self.encode(out);
    }
}
/// What a `key_by` closure may give.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot key a stream",
    label = "this key is a `{Self}`",
    note = "a key has a stable hash and an exact equality: integers, strings, `Timestamp`, tuples of them, or a type with `#[derive(Record, Key, Clone, PartialEq, Eq)]`",
    note = "for a float, key by its bits or by a rounded integer; for an `Option`, by `unwrap_or_default()`, or behind a `filter_map`"
)]
pub trait KeyLike {
    /// What is stored.
    type Owned: Key;
    /// The key as it travels.
    fn view(&self) -> <Self::Owned as Key>::Ref<'_>;
}

/// Keys of a frame, side by side, with what is needed to find their hashes again.
pub trait KeyColumn<K: Key>: Default + Send + 'static {
    /// Bytes that `rows` keys take, without what they own on the heap.
    const ROW_BYTES: usize;
    /// Whether hashes of many keys are found faster together than one by one.
    const TOGETHER: bool = false;
    /// Whether keys come in any order, as words do, so that no branch learns what the next one will need. Numbers come in runs, and
    /// those of very many are waited for: with a guess less than without.
    const ANY_ORDER: bool = false;
    /// Appends a key whose hash is known.
    fn push(&mut self, key: K::Ref<'_>, hash: u64);
    /// Appends a key whose hash nobody needs before [`settle`](KeyColumn::settle).
    #[inline(always)]
    fn push_later(&mut self, key: K::Ref<'_>) {
        self.push(key, K::hash(key));
    }
    /// Finds the hashes of the keys that were appended without.
    fn settle(&mut self) {}
    /// How many there are.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The key at a place below [`len`](KeyColumn::len).
    fn get(&self, at: usize) -> K::Ref<'_>;
    /// Its hash.
    fn hash(&self, at: usize) -> u64;
    /// Whether it equals a kept key.
    #[inline(always)]
    fn same(&self, at: usize, kept: &K::Kept) -> bool {
        kept.same(self.get(at))
    }
    /// Forgets them and keeps the memory.
    fn clear(&mut self);
    /// Makes room.
    fn reserve(&mut self, rows: usize);
    /// Bytes on the heap beyond `ROW_BYTES` a row.
    fn heap_bytes(&self) -> usize {
        0
    }
    /// The byte form, for another process.
    fn encode(&self, out: &mut Vec<u8>) {
        for at in 0..self.len() {
            K::own(self.get(at)).encode(out);
        }
    }
    /// Reads `rows` keys.
    ///
    /// # Errors
    /// If the bytes are no keys.
    fn decode(rows: usize, from: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut column = Self::default();
        for _ in 0..rows {
            let key = K::decode(from)?;
            column.push(key.view(), K::hash(key.view()));
        }
        Ok(column)
    }
}

/// A part of a key that can be hashed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a key",
    label = "no stable hash for `{Self}`",
    note = "a key is made of integers, strings, `Timestamp` and types with `#[derive(Key)]`; keep a float by its bits"
)]
pub trait KeyHash {
    /// Continues a hash with this value.
    fn key_hash(&self, state: u64) -> u64;
}

macro_rules! integers {
    ($($t:ty),*) => { $(
        impl KeyHash for $t {
            #[inline(always)]
            fn key_hash(&self, state: u64) -> u64 {
                hash::mix(state ^ hash::SEED ^ *self as u64)
            }
        }
        impl Key for $t {
            type Ref<'a> = $t;
            type Column = Vec<$t>;
            type Kept = $t;
            #[inline(always)]
            fn view(&self) -> $t { *self }
            #[inline(always)]
            fn hash(key: $t) -> u64 { hash::mix(key as u64) }
            #[inline(always)]
            fn same(&self, key: $t) -> bool { *self == key }
            #[inline(always)]
            fn own(key: $t) -> $t { key }
        }
        impl KeyLike for $t {
            type Owned = $t;
            #[inline(always)]
            fn view(&self) -> $t { *self }
        }
        copied_column!($t);
    )* };
}
macro_rules! copied_column {
    ($t:ty) => {
        impl KeyColumn<$t> for Vec<$t> {
            const ROW_BYTES: usize = size_of::<$t>();
            #[inline(always)]
            fn push(&mut self, key: $t, _: u64) {
                self.push(key)
            }
            #[inline(always)]
            fn len(&self) -> usize {
                self.len()
            }
            #[inline(always)]
            fn get(&self, at: usize) -> $t {
                self[at]
            }
            #[inline(always)]
            fn hash(&self, at: usize) -> u64 {
                <$t as Key>::hash(self[at])
            }
            fn clear(&mut self) {
                self.clear()
            }
            fn reserve(&mut self, rows: usize) {
                self.reserve_exact(rows)
            }
        }
    };
}
integers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, bool, char);

macro_rules! as_integer {
    ($t:ty, $get:ident) => {
        impl KeyHash for $t {
            #[inline(always)]
            fn key_hash(&self, state: u64) -> u64 {
                self.$get().key_hash(state)
            }
        }
        impl Key for $t {
            type Ref<'a> = $t;
            type Column = Vec<$t>;
            type Kept = $t;
            #[inline(always)]
            fn view(&self) -> $t {
                *self
            }
            #[inline(always)]
            fn hash(key: $t) -> u64 {
                <i64 as Key>::hash(key.$get())
            }
            #[inline(always)]
            fn same(&self, key: $t) -> bool {
                *self == key
            }
            #[inline(always)]
            fn own(key: $t) -> $t {
                key
            }
        }
        impl KeyLike for $t {
            type Owned = $t;
            #[inline(always)]
            fn view(&self) -> $t {
                *self
            }
        }
        copied_column!($t);
    };
}
as_integer!(Timestamp, millis);
as_integer!(TimeSpan, micros);

/// Derived keys lie side by side and are lent.
impl<K> KeyColumn<K> for Vec<K>
where
    K: DerivedKey,
{
    const ROW_BYTES: usize = size_of::<K>();
    #[inline(always)]
    fn push(&mut self, key: &K, _: u64) {
        self.push(key.clone())
    }
    #[inline(always)]
    fn len(&self) -> usize {
        self.len()
    }
    #[inline(always)]
    fn get(&self, at: usize) -> &K {
        &self[at]
    }
    #[inline(always)]
    fn hash(&self, at: usize) -> u64 {
        K::hash(&self[at])
    }
    fn clear(&mut self) {
        self.clear()
    }
    fn reserve(&mut self, rows: usize) {
        self.reserve_exact(rows)
    }
}
/// A key by `#[derive(Key)]`: it travels as a reference.
pub trait DerivedKey: for<'a> Key<Ref<'a> = &'a Self> {}

/// What a key by `#[derive(Key)]` derives beside it. The lifetime keeps rustc from asking for it where the key is declared, once for each
/// part, and again where it is used: it asks there alone.
pub trait BesideKey<'a>: Record + Eq + Clone {}
impl<T: Record + Eq + Clone> BesideKey<'_> for T {}

impl<T: KeyLike + ?Sized> KeyLike for &T {
    type Owned = T::Owned;
    #[inline(always)]
    fn view(&self) -> <T::Owned as Key>::Ref<'_> {
        (**self).view()
    }
}
impl<T: KeyHash + ?Sized> KeyHash for &T {
    #[inline(always)]
    fn key_hash(&self, state: u64) -> u64 {
        (**self).key_hash(state)
    }
}

/// The key of rows that have none: they stay on their worker.
impl Key for () {
    type Ref<'a> = ();
    type Column = NoKeys;
    type Kept = ();
    #[inline(always)]
    fn view(&self) {}
    #[inline(always)]
    fn hash(_: ()) -> u64 {
        0
    }
    #[inline(always)]
    fn same(&self, _: ()) -> bool {
        true
    }
    fn own(_: ()) {}
}
impl KeyLike for () {
    type Owned = ();
    #[inline(always)]
    fn view(&self) {}
}
/// So many times nothing.
#[derive(Default)]
pub struct NoKeys(usize);
impl KeyColumn<()> for NoKeys {
    const ROW_BYTES: usize = 0;
    #[inline(always)]
    fn push(&mut self, _: (), _: u64) {
        self.0 += 1;
    }
    #[inline(always)]
    fn len(&self) -> usize {
        self.0
    }
    #[inline(always)]
    fn get(&self, _: usize) {}
    #[inline(always)]
    fn hash(&self, _: usize) -> u64 {
        0
    }
    fn clear(&mut self) {
        self.0 = 0;
    }
    fn reserve(&mut self, _: usize) {}
}

macro_rules! tuples {
    ($($(#[$doc:meta])* $column:ident: $($T:ident $i:tt)+;)*) => { $(
        impl<$($T: KeyHash),+> KeyHash for ($($T,)+) {
            #[inline(always)]
            fn key_hash(&self, state: u64) -> u64 {
                $(let state = self.$i.key_hash(state);)+
                state
            }
        }
        impl<$($T: Key),+> Key for ($($T,)+)
        where
            $(for<'a> $T::Ref<'a>: KeyHash,)+
        {
            type Ref<'a> = ($($T::Ref<'a>,)+);
            type Column = $column<$($T),+>;
            type Kept = Self;
            #[inline(always)]
            fn view(&self) -> Self::Ref<'_> { ($(self.$i.view(),)+) }
            #[inline(always)]
            fn hash(key: Self::Ref<'_>) -> u64 { key.key_hash(0) }
            #[inline(always)]
            fn same(&self, key: Self::Ref<'_>) -> bool { $(self.$i.same(key.$i))&&+ }
            fn own(key: Self::Ref<'_>) -> Self { ($($T::own(key.$i),)+) }
        }
        impl<$($T: KeyLike),+> KeyLike for ($($T,)+)
        where
            $(for<'a> <$T::Owned as Key>::Ref<'a>: KeyHash,)+
        {
            type Owned = ($($T::Owned,)+);
            #[inline(always)]
            fn view(&self) -> <Self::Owned as Key>::Ref<'_> { ($(self.$i.view(),)+) }
        }
        $(#[$doc])*
        pub struct $column<$($T: Key),+>($($T::Column,)+ Vec<u64>);
        impl<$($T: Key),+> Default for $column<$($T),+> {
            fn default() -> Self { $column($(<$T::Column>::default(),)+ Vec::new()) }
        }
        impl<$($T: Key),+> KeyColumn<($($T,)+)> for $column<$($T),+>
        where
            $(for<'a> $T::Ref<'a>: KeyHash,)+
        {
            const ROW_BYTES: usize = 8 $(+ <$T::Column as KeyColumn<$T>>::ROW_BYTES)+;
            #[inline(always)]
            fn push(&mut self, key: <($($T,)+) as Key>::Ref<'_>, hash: u64) {
                // The part's own hash is only looked at where the part is a key by itself.
                $(self.$i.push(key.$i, 0);)+
                self.hashes().push(hash);
            }
            #[inline(always)]
            fn len(&self) -> usize { self.hashes_ref().len() }
            #[inline(always)]
            fn get(&self, at: usize) -> <($($T,)+) as Key>::Ref<'_> { ($(self.$i.get(at),)+) }
            #[inline(always)]
            fn hash(&self, at: usize) -> u64 { self.hashes_ref()[at] }
            fn clear(&mut self) { $(self.$i.clear();)+ self.hashes().clear(); }
            fn reserve(&mut self, rows: usize) { $(self.$i.reserve(rows);)+ self.hashes().reserve_exact(rows); }
            fn heap_bytes(&self) -> usize { 0 $(+ self.$i.heap_bytes())+ }
        }
    )* };
}
macro_rules! last {
    ($($column:ident: $($T:ident)+, $i:tt;)*) => { $(
        impl<$($T: Key),+> $column<$($T),+> {
            #[inline(always)]
            fn hashes(&mut self) -> &mut Vec<u64> { &mut self.$i }
            #[inline(always)]
            fn hashes_ref(&self) -> &Vec<u64> { &self.$i }
        }
    )* };
}
tuples! {
    /// Keys of one part.
    Column1: A 0;
    /// Keys of two parts, column by column.
    Column2: A 0 B 1;
    /// Keys of three parts.
    Column3: A 0 B 1 C 2;
    /// Keys of four parts.
    Column4: A 0 B 1 C 2 D 3;
    /// Keys of five parts.
    Column5: A 0 B 1 C 2 D 3 E 4;
    /// Keys of six parts.
    Column6: A 0 B 1 C 2 D 3 E 4 F 5;
}
last! {
    Column1: A, 1; Column2: A B, 2; Column3: A B C, 3; Column4: A B C D, 4; Column5: A B C D E, 5; Column6: A B C D E F, 6;
}

impl<T: KeyHash> KeyHash for Option<T> {
    #[inline(always)]
    fn key_hash(&self, state: u64) -> u64 {
        match self {
            None => 0u8.key_hash(state),
            Some(value) => value.key_hash(1u8.key_hash(state)),
        }
    }
}
impl<T: KeyHash> KeyHash for [T] {
    fn key_hash(&self, state: u64) -> u64 {
        self.iter().fold((self.len() as u64).key_hash(state), |state, part| part.key_hash(state))
    }
}
impl<T: KeyHash> KeyHash for Vec<T> {
    fn key_hash(&self, state: u64) -> u64 {
        self.as_slice().key_hash(state)
    }
}
impl<T: KeyHash, const N: usize> KeyHash for [T; N] {
    #[inline(always)]
    fn key_hash(&self, state: u64) -> u64 {
        self.iter().fold(state, |state, part| part.key_hash(state))
    }
}
impl<T: KeyHash + ?Sized> KeyHash for Box<T> {
    fn key_hash(&self, state: u64) -> u64 {
        (**self).key_hash(state)
    }
}
