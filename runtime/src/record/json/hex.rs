//! Bytes as hexadecimal digits, in the object that stands for them.

use crate::json::Json;

/// The member that says so.
const BYTES: &str = "$bytes";

/// `{"$bytes": "00ff"}`
pub(super) fn to_hex(bytes: &[u8]) -> Json {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Json::Object(vec![(BYTES.to_owned(), Json::Text(digits))])
}

/// The bytes, if it is that object.
pub(super) fn from_hex(json: &Json) -> Option<Vec<u8>> {
    let Json::Object(members) = json else { return None };
    let [(name, Json::Text(digits))] = &members[..] else { return None };
    if name != BYTES || digits.len() % 2 == 1 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..digits.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}
