//! [`BadRecord`]: a record that is no row, as a row of its own.

use crate::error::Fault;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::Deref;

/// A record that could not be read, in a stream of its own: `name.errors` of a source with `on_error divert`. Any sink can hold it.
#[derive(Clone, Debug, PartialEq, Eq, pelton::Record, Serialize, Deserialize)]
pub struct BadRecord {
    /// The record as it stands in the input, without the end of its line.
    pub bytes: Bytes,
    /// Where it stands: file, line and column, as far as they are known.
    pub position: String,
    /// Why it is no row.
    pub reason: String,
}

impl BadRecord {
    /// Of a record and what is wrong with it.
    pub(crate) fn new(record: &[u8], fault: &Fault) -> BadRecord {
        let reason = match &fault.cause {
            None => fault.what.clone(),
            Some(cause) => format!("{}: {cause}", fault.what),
        };
        BadRecord { bytes: Bytes(record.to_vec()), position: fault.place.to_string(), reason }
    }
}

/// The bytes of a [`BadRecord`], most often text: `&record.bytes[..]` is a `&[u8]`.
///
/// Serde writes them as text where they are UTF-8. What is not is a list of numbers in JSON, and the bytes themselves in csv.
#[derive(Clone, PartialEq, Eq, pelton::Record)]
#[record(scalar)]
pub struct Bytes(pub Vec<u8>);

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self) {
            Ok(text) => to.serialize_str(text),
            Err(_) => to.serialize_bytes(self),
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(String),
            Bytes(Vec<u8>),
        }
        Ok(Bytes(match Either::deserialize(from)? {
            Either::Text(text) => text.into_bytes(),
            Either::Bytes(bytes) => bytes,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;

    #[test]
    fn bytes_are_text_where_they_can_be_and_come_back() {
        let bad = |bytes: &[u8]| BadRecord {
            bytes: Bytes(bytes.to_vec()),
            position: "in.csv, line 2".into(),
            reason: "no".into(),
        };
        let json = |bytes: &[u8]| serde_json::to_string(&bad(bytes)).unwrap();
        assert_eq!(json(b"a,\"b"), r#"{"bytes":"a,\"b","position":"in.csv, line 2","reason":"no"}"#);
        assert_eq!(json(b"a\xff"), r#"{"bytes":[97,255],"position":"in.csv, line 2","reason":"no"}"#);
        for bytes in [&b"a,\"b"[..], b"a\xff", b""] {
            assert_eq!(serde_json::from_str::<BadRecord>(&json(bytes)).unwrap(), bad(bytes));
        }
        assert!(crate::schema::is_flat(BadRecord::SCHEMA));
    }
}
