//! [`Record`]: what may cross an exchange or live in state. [`Row`]: a value on its way, which may borrow from the
//! source's buffer, and what it becomes when it must outlive it.
//!
//! The submodules implement both for the types of the standard library ([`numbers`](self), text, collections, tuples,
//! time), carry foreign serde types ([`Serde`]), and put records into envelopes ([`seal`], [`open`]). Nothing here
//! knows of frames, state or files.

mod collections;
mod envelope;
mod foreign;
pub(crate) mod json;
mod migrate;
mod numbers;
mod pointers;
mod schema;
mod text;
mod tuples;

use crate::codec::{CodecError, Reader};
use crate::schema::Schema;

pub use envelope::{FORMAT_VERSION, MAGIC, open, seal};
pub use foreign::Serde;
pub use migrate::Migration;

/// A value that can leave its chain: it has an exact byte form and a schema. `#[derive(Record)]` writes it.
///
/// The byte form is little-endian, has no padding, and is read back exactly; bytes that are no such value give an
/// error and never a panic or a large allocation. How it is laid out stands in [`codec`](crate::codec).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept or sent",
    label = "not a `Record`",
    note = "write `#[derive(Record)]` on `{Self}`, or carry a foreign type as `Serde<{Self}>`",
    note = "what is kept outlives the source's buffer: own it (`String`, not `&str`)"
)]
pub trait Record: Sized + Send + 'static {
    /// Names and types of what is encoded.
    const SCHEMA: &'static Schema;
    /// Appends the byte form.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads one value, and leaves what follows it.
    ///
    /// # Errors
    /// If the bytes are not the byte form of a value of this type.
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError>;

    /// Appends the byte forms of many values, one after the other. Numbers do it at once.
    #[doc(hidden)]
    #[inline]
    fn encode_all(values: &[Self], out: &mut Vec<u8>) {
        for value in values {
            value.encode(out);
        }
    }

    /// Reads `count` values that [`encode_all`](Record::encode_all) wrote; the count has been checked.
    ///
    /// # Errors
    /// If one of them cannot be read.
    #[doc(hidden)]
    #[inline]
    fn decode_all(from: &mut Reader<'_>, count: usize) -> Result<Vec<Self>, CodecError> {
        let mut values = Vec::with_capacity(from.room(count, size_of::<Self>()));
        for i in 0..count {
            values.push(Self::decode(from).map_err(|e| e.element(i))?);
        }
        Ok(values)
    }

    /// Reads an array that [`encode_all`](Record::encode_all) wrote.
    ///
    /// # Errors
    /// If one of its values cannot be read.
    #[doc(hidden)]
    #[inline]
    fn decode_array<const N: usize>(from: &mut Reader<'_>) -> Result<[Self; N], CodecError> {
        let values = Self::decode_all(from, N)?;
        values.try_into().map_err(|_| from.invalid("an array of another length"))
    }
}

/// Reads a value from its byte form, which is all of the bytes.
///
/// # Errors
/// If they are not the byte form of one value of this type.
pub fn whole<T: Record>(bytes: &[u8]) -> Result<T, CodecError> {
    let mut from = Reader::new(bytes);
    let value = T::decode(&mut from)?;
    from.end()?;
    Ok(value)
}

/// A row on its way through a chain. Owned records are their own [`Stored`](Row::Stored); one that borrows
/// (`&str`, a struct with `Cow` fields) becomes its owned form when an edge or a state keeps it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept or sent",
    label = "this is a `{Self}`",
    note = "write `#[derive(Record)]` on it, or bring it to a type that has it, with `.map(..)` in front"
)]
pub trait Row: Sized {
    /// The owned form.
    type Stored: Record;
    /// Gives the owned form.
    fn store(self) -> Self::Stored;
}

/// Declares that owned types are their own stored form.
macro_rules! own_rows {
    ($($(#[$meta:meta])* [$($generics:tt)*] $type:ty),* $(,)?) => { $(
        $(#[$meta])*
        impl<$($generics)*> $crate::record::Row for $type {
            type Stored = Self;
            #[inline(always)]
            fn store(self) -> Self {
                self
            }
        }
    )* };
}
use own_rows;
