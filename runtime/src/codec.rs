//! The byte form of records: how it is laid out, the checked [`Reader`] that reads it, and what is said when it cannot
//! be read ([`CodecError`]).
//!
//! ```text
//! bool                  1 byte, 0 or 1                 integers, floats     fixed width, little-endian, bits exact
//! usize, isize          as u64, i64                    char                 u32, a Unicode scalar value
//! length, count         LEB128, shortest form only     text, bytes          length, then the bytes
//! Option                0, or 1 and the value          list, set, map       count, then the elements (key, value)
//! array, tuple, struct  the fields in order            enum                 index of the variant, then its fields
//! Timestamp, TimeSpan   i64: milliseconds, microseconds
//! ```
//!
//! The index of a variant is one byte, two in an enum with more than 256 variants. A list, set or
//! map whose elements have no bytes (`()`, an empty struct) ends with one zero byte for each: so every element that a
//! count claims costs at least a byte, and a count can be checked against what is left before anything is allocated.
//! Nothing here is self-describing; [`Schema`](crate::schema::Schema) is what names the parts. This file knows
//! nothing of records, files or frames.

mod error;
mod reader;

pub use error::{CodecError, CodecErrorKind};
pub use reader::{MAX_DEPTH, Reader};

/// Appends a length or a count in LEB128: seven bits per byte, lowest first, the top bit set on all but the last.
#[inline]
pub fn put_length(out: &mut Vec<u8>, length: usize) {
    let mut rest = length as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Appends text or bytes: the length, then the bytes.
#[inline]
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}
