//! Envelopes: a record that says what it is and whether it is whole, for bytes that outlive the program that wrote
//! them.
//!
//! ```text
//! 0   magic        "PELTONr\0"
//! 8   version      u16, FORMAT_VERSION
//! 10  fingerprint  u64, of the record's schema
//! 18  length       u64, of the payload in bytes
//! 26  payload      the record's byte form
//! ..  checksum     u32, CRC-32 (IEEE) of everything before it
//! ```
//! All numbers are little-endian. CRC-32 detects each change within 32 neighbouring bits, and any other but one in
//! four billion.

use super::Record;
use crate::codec::{CodecError, CodecErrorKind, Reader};
use crate::schema::fingerprint;

/// The first bytes of an envelope.
pub const MAGIC: [u8; 8] = *b"PELTONr\0";

/// The layout of envelopes and byte forms that this version writes, and the only one it reads.
pub const FORMAT_VERSION: u16 = 1;

const HEADER: usize = 26;

/// The record in an envelope, to be read by [`open`].
pub fn seal<T: Record>(record: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + 64);
    out.extend_from_slice(&MAGIC);
    FORMAT_VERSION.encode(&mut out);
    const { fingerprint(T::SCHEMA) }.encode(&mut out);
    let length_at = out.len();
    0u64.encode(&mut out);
    let start = out.len();
    record.encode(&mut out);
    let length = (out.len() - start) as u64;
    for (to, byte) in out.iter_mut().skip(length_at).zip(length.to_le_bytes()) {
        *to = byte;
    }
    crc32fast::hash(&out).encode(&mut out);
    out
}

/// Reads a record that [`seal`] wrote, and nothing else.
///
/// # Errors
/// If the bytes are no envelope, of another format version, cut off or changed, or hold a record of another schema.
pub fn open<T: Record>(bytes: &[u8]) -> Result<T, CodecError> {
    let mut reader = Reader::new(bytes);
    if !reader.array().is_ok_and(|magic| magic == MAGIC) {
        let what = "these bytes are no record that was sealed";
        return Err(CodecError::new(CodecErrorKind::NotAnEnvelope, 0, what));
    }
    let version = u16::decode(&mut reader)?;
    if version != FORMAT_VERSION {
        let what = format!("the record has format version {version}, and this program reads version {FORMAT_VERSION}");
        return Err(CodecError::new(CodecErrorKind::OtherVersion, 8, what));
    }
    let print = u64::decode(&mut reader)?;
    let length = u64::decode(&mut reader)?;
    let start = reader.at();
    let payload = match usize::try_from(length) {
        Ok(length) => reader.take(length)?,
        Err(_) => return Err(reader.invalid(format!("a record of {length} bytes"))),
    };
    let end = reader.at();
    let checksum = u32::decode(&mut reader)?;
    reader.end()?;
    if crc32fast::hash(bytes.split_at(end).0) != checksum {
        let what = "the bytes are not those that were written: the checksum differs";
        return Err(CodecError::new(CodecErrorKind::Damaged, end, what));
    }
    if print != const { fingerprint(T::SCHEMA) } {
        let what = format!(
            "the record was written with another schema (fingerprint {print:016x}) than `{}` (fingerprint {:016x})",
            T::SCHEMA,
            const { fingerprint(T::SCHEMA) }
        );
        return Err(CodecError::new(CodecErrorKind::OtherSchema, 10, what));
    }
    let mut reader = Reader::starting_at(start, payload);
    let record = T::decode(&mut reader)?;
    reader.end()?;
    Ok(record)
}
