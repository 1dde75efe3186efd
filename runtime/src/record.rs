//! [`Record`]: what may cross an exchange or live in state. [`Row`]: a value on its way, which may borrow from the
//! source's buffer, and what it becomes when it must outlive it.

use crate::codec::{CodecError, Reader};
use crate::schema::Schema;

/// A value that can leave its chain: it has an exact byte form and a schema. `#[derive(Record)]` writes it.
///
/// The byte form is little-endian, has no padding, and is read back exactly; bytes that are no such value give an
/// error and never a panic or a large allocation.
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
}

/// A row on its way through a chain. Owned records are their own [`Stored`](Row::Stored); one that borrows
/// (`&str`, a struct with `Cow` fields) becomes its owned form when an edge or a state keeps it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot leave its chain",
    label = "the rows here are `{Self}`",
    note = "write `#[derive(Record)]` on it, or own it with `.map(..)` first"
)]
pub trait Row: Sized {
    /// The owned form.
    type Stored: Record;
    /// Gives the owned form.
    fn store(self) -> Self::Stored;
}
macro_rules! stub { ($($t:ty),*) => { $(impl Record for $t { const SCHEMA: &'static Schema = &Schema::Scalar(stringify!($t)); fn encode(&self, out: &mut Vec<u8>) { out.extend_from_slice(&self.to_le_bytes()) } fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> { let mut b = [0u8; size_of::<$t>()]; b.copy_from_slice(from.take(size_of::<$t>())?); Ok(<$t>::from_le_bytes(b)) } } impl Row for $t { type Stored = $t; #[inline(always)] fn store(self) -> $t { self } })* } }
stub!(u8, u16, u32, u64, usize, u128, i8, i16, i32, i64, isize, i128, f32, f64);
macro_rules! stub2 { ($($t:ty),*) => { $(impl Record for $t { const SCHEMA: &'static Schema = &Schema::Scalar(stringify!($t)); fn encode(&self, _: &mut Vec<u8>) { } fn decode(_: &mut Reader<'_>) -> Result<Self, CodecError> { Ok(Default::default()) } } impl Row for $t { type Stored = $t; fn store(self) -> $t { self } })* } }
stub2!(bool, char, (), String, crate::time::Timestamp, crate::time::TimeSpan);
impl<'a> Row for &'a str { type Stored = String; fn store(self) -> String { self.into() } }
impl<T: Record> Record for Option<T> { const SCHEMA: &'static Schema = T::SCHEMA; fn encode(&self, _: &mut Vec<u8>) { } fn decode(_: &mut Reader<'_>) -> Result<Self, CodecError> { Ok(None) } }
impl<const N: usize> Record for [u8; N] { const SCHEMA: &'static Schema = u8::SCHEMA; fn encode(&self, o: &mut Vec<u8>) { o.extend_from_slice(self) } fn decode(f: &mut Reader<'_>) -> Result<Self, CodecError> { let mut b = [0; N]; b.copy_from_slice(f.take(N)?); Ok(b) } }
macro_rules! stubt { ($($($T:ident $i:tt)+;)*) => { $(impl<$($T: Record),+> Record for ($($T,)+) { const SCHEMA: &'static Schema = &Schema::Scalar("tuple"); fn encode(&self, o: &mut Vec<u8>) { $(self.$i.encode(o);)+ } fn decode(f: &mut Reader<'_>) -> Result<Self, CodecError> { Ok(($($T::decode(f)?,)+)) } }
impl<$($T: Row),+> Row for ($($T,)+) { type Stored = ($($T::Stored,)+); #[inline(always)] fn store(self) -> Self::Stored { ($(self.$i.store(),)+) } })* } }
stubt! { A 0; A 0 B 1; A 0 B 1 C 2; A 0 B 1 C 2 D 3; A 0 B 1 C 2 D 3 E 4; A 0 B 1 C 2 D 3 E 4 F 5; A 0 B 1 C 2 D 3 E 4 F 5 G 6; A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7; }
