//! Byte forms as JSON and back, by their schema alone: so that a person or a script can look at what is stored, and write it,
//! without the program's types.
//!
//! ```text
//! integers, floats       numbers; floats that are none: "NaN", "inf", "-inf", "NaN:7ff8000000000001" (their bits)
//! bool, char, text       true, "c", "text"
//! bytes, [u8; n], Path   text if all of it is printable ASCII (a path: if it is UTF-8), else the list of the bytes
//! Timestamp, TimeSpan    "2013-01-01T10:15:00Z", "1h30min"; a Timestamp is also read from a number of ms
//! Duration               "1.5s"
//! ()                     null
//! Option                 null, or the value; {"some": value} if the value is null itself, or such an object
//! lists, arrays, sets    lists
//! maps                   objects if the keys are text, else lists of [key, value]
//! tuples, struct S(..)   lists; struct S(x) with one field is x
//! structs                objects
//! enums                  "Variant", or {"Variant": fields}, the fields as those of a struct
//! Serde<T>               what serde makes of it, with {"$map": [[key, value]]}, {"$bytes": "00ff"}, {"$float": "NaN"} where
//!                        JSON has nothing of the kind
//! a form of its own      {"$bytes": "00ff"}, all of the key or value in which it is
//! ```
//!
//! Both ways are exact: what [`to_json`] gives, [`from_json`] turns into the same bytes; only numbers in a `Serde<T>` may become wider, which
//! its type reads as the same.

mod foreign;
mod hex;
mod read;
mod write;

pub use read::to_json;
pub use write::{Mismatch, from_json};

use crate::json::Json;
use crate::schema::{OwnedField, OwnedSchema};

/// The name of the schema of `Serde<T>`.
const SERDE: &str = "Serde<..>";

/// The member of the object that tells a value that is shown as `null` from no value.
const SOME: &str = "some";

/// What is in such an object.
fn some(json: &Json) -> Option<&Json> {
    match json {
        Json::Object(members) => match &members[..] {
            [(name, value)] if name == SOME => Some(value),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a value of it is shown as `null` in some case.
fn is_nullable(schema: &OwnedSchema) -> bool {
    match schema {
        OwnedSchema::Unit | OwnedSchema::Option(_) | OwnedSchema::Foreign { .. } => true,
        OwnedSchema::Scalar(of) => is_nullable(of),
        OwnedSchema::Struct { fields, .. } => match shape(fields) {
            Shape::One(field) => is_nullable(&field.schema),
            _ => false,
        },
        _ => false,
    }
}

/// How fields are shown.
enum Shape<'a> {
    /// As an object.
    Named,
    /// As a list.
    Side,
    /// As the only one of them.
    One(&'a OwnedField),
}

fn shape(fields: &[OwnedField]) -> Shape<'_> {
    match fields {
        [only] if only.name == "0" => Shape::One(only),
        [first, ..] if first.name == "0" => Shape::Side,
        _ => Shape::Named,
    }
}

/// Whether there is a part in it of which nothing is known but its name.
fn is_opaque(schema: &OwnedSchema) -> bool {
    has_foreign(schema, &|name| name != SERDE)
}

/// Whether there is a type in it that is not a record's own, so that several bytes may mean the same.
pub fn is_foreign(schema: &OwnedSchema) -> bool {
    has_foreign(schema, &|_| true)
}

fn has_foreign(schema: &OwnedSchema, of_name: &dyn Fn(&str) -> bool) -> bool {
    let has = |schema: &OwnedSchema| has_foreign(schema, of_name);
    let any = |fields: &[OwnedField]| fields.iter().any(|field| has(&field.schema));
    match schema {
        OwnedSchema::Foreign { name } => of_name(name),
        OwnedSchema::Option(of) | OwnedSchema::List(of) | OwnedSchema::Array(of, _) | OwnedSchema::Scalar(of) => {
            has(of)
        }
        OwnedSchema::Map(key, value) => has(key) || has(value),
        OwnedSchema::Tuple(parts) => parts.iter().any(has),
        OwnedSchema::Struct { fields, .. } => any(fields),
        OwnedSchema::Enum { variants, .. } => variants.iter().any(|variant| any(&variant.fields)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
