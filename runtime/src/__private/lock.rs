//! What `derive(Record)` and the lock ask of types, in constants.

use crate::codec::Reader;
use crate::record::Record;
use crate::schema::Schema;

/// The schema of what a migration begins with.
pub const fn former_schema<Former: Record, Today>(_: fn(Former) -> Today) -> &'static Schema {
    Former::SCHEMA
}

/// Runs a user's migration over bytes.
///
/// # Errors
/// If they are no value of the former type.
pub fn migrate<Former: Record, Today: Record>(
    bytes: &[u8],
    out: &mut Vec<u8>,
    function: fn(Former) -> Today,
) -> Result<(), String> {
    let mut from = Reader::new(bytes);
    let former = Former::decode(&mut from).and_then(|former| from.end().map(|()| former));
    let today = function(former.map_err(|error| error.to_string())?);
    today.encode(out);
    Ok(())
}
