//! Frames as bytes, for another process.
//!
//! ```text
//! u8 version = 1 | u8 kind: 0 empty, 1 rows, 2 partials | u8 urgent | u8 0 | u32 sender | u32 target | u32 rows
//! | u32 bytes (flow control) | u32 body length | i64 watermark | body | padding to 8
//! ```

use super::{Frame, Payload, Rows, Time};
use crate::codec::{CodecError, CodecErrorKind, Reader};
use crate::key::{Kept, Key};
use crate::record::Record;

/// The version of this form.
pub const VERSION: u8 = 1;
const HEAD: usize = 32;

/// A frame's body as it arrived.
pub struct Bytes {
    partials: bool,
    rows: u32,
    body: Vec<u8>,
}

impl Bytes {
    /// How many rows the head promises.
    pub fn rows(&self) -> usize {
        self.rows as usize
    }
}

/// The byte form of a frame.
pub fn write<K: Key, V: Record, T: Time, A: Record>(frame: &Frame<K, V, T, A>) -> Vec<u8> {
    let mut body = Vec::new();
    let kind = match &frame.payload {
        Payload::Empty | Payload::Broken(_) => 0u8,
        Payload::Rows(rows) => {
            rows.encode(&mut body);
            1
        }
        Payload::Partials(rows) => {
            rows.encode(&mut body);
            2
        }
        Payload::Table(start, table) => {
            let mut rows = (0u32, Vec::new(), Vec::new(), Vec::new());
            table.for_each(|key, acc| {
                rows.0 += 1;
                key.clone().owned().encode(&mut rows.1);
                acc.encode(&mut rows.2);
                if T::TIMED {
                    start.encode(&mut rows.3);
                }
            });
            rows.0.encode(&mut body);
            [rows.1, rows.2, rows.3].iter().for_each(|column| body.extend_from_slice(column));
            0u32.encode(&mut body);
            2
        }
        Payload::Wire(bytes) => {
            body.extend_from_slice(&bytes.body);
            1 + u8::from(bytes.partials)
        }
    };
    let mut out = Vec::with_capacity(HEAD + body.len() + 8);
    out.extend_from_slice(&[VERSION, kind, u8::from(frame.urgent), 0]);
    for word in [frame.sender, frame.target, frame.rows() as u32, frame.bytes, body.len() as u32] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&frame.watermark.to_le_bytes());
    out.extend_from_slice(&body);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

/// Reads the head of a frame and keeps its body as bytes, to be read by [`unpack`] when it is applied.
///
/// # Errors
/// If the bytes are no frame of this version.
pub fn read<K: Key, V, T, A>(bytes: &[u8]) -> Result<Frame<K, V, T, A>, CodecError> {
    let mut from = Reader::new(bytes);
    let [version, kind, urgent, _] = <[u8; 4]>::decode(&mut from)?;
    if version != VERSION || kind > 2 {
        return Err(CodecError::new(CodecErrorKind::Invalid, 0, format!("frame version {version}, kind {kind}")));
    }
    let (sender, target) = (u32::decode(&mut from)?, u32::decode(&mut from)?);
    let (rows, counted, length) = (u32::decode(&mut from)?, u32::decode(&mut from)?, u32::decode(&mut from)?);
    let watermark = i64::decode(&mut from)?;
    let Some(body) = bytes.get(HEAD..HEAD + length as usize) else {
        return Err(CodecError::new(CodecErrorKind::Short, HEAD, "a frame"));
    };
    let payload = match kind {
        0 => Payload::Empty,
        _ => Payload::Wire(Bytes { partials: kind == 2, rows, body: body.to_vec() }),
    };
    Ok(Frame { sender, target, watermark, urgent: urgent != 0, bytes: counted, payload })
}

/// Turns bytes into rows.
///
/// # Errors
/// If the body is not what its head promises.
pub fn unpack<K: Key, V: Record, T: Time, A: Record>(bytes: &Bytes) -> Result<Payload<K, V, T, A>, CodecError> {
    let mut from = Reader::new(&bytes.body);
    Ok(match bytes.partials {
        false => Payload::Rows(Rows::decode(&mut from)?),
        true => Payload::Partials(Rows::decode(&mut from)?),
    })
}
