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
