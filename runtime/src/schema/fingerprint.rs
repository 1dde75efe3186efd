//! [`fingerprint`]: 64 bits that stand for a schema in an envelope.
//!
//! FNV-1a over a walk of the tree: for each node a byte for its kind, then its name (length, bytes), its number of
//! parts and its parts. It depends on names, types and order, not on `was`, and not on the compiler, the machine or
//! the build. It tells schemas apart by accident, not by intent: nobody gains from forging one.

use super::{Field, Schema};

/// Goes up whenever the walk changes, and is part of what is hashed.
pub const FINGERPRINT_VERSION: u8 = 1;

/// Stands for the schema: equal schemas have equal fingerprints, on every machine and in every build.
pub const fn fingerprint(schema: &Schema) -> u64 {
    node(START, schema)
}

// 0xcbf2_9ce4_8422_2325 and the prime below are FNV-1a's for 64 bits (RFC 9923).
pub(super) const START: u64 = byte(0xcbf2_9ce4_8422_2325, FINGERPRINT_VERSION);

pub(super) const fn byte(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3)
}

pub(super) const fn number(mut hash: u64, number: usize) -> u64 {
    let bytes = (number as u64).to_le_bytes();
    let mut i = 0;
    while i < bytes.len() {
        hash = byte(hash, bytes[i]);
        i += 1;
    }
    hash
}

pub(super) const fn text(hash: u64, text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash = number(hash, bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        hash = byte(hash, bytes[i]);
        i += 1;
    }
    hash
}

/// The kinds' bytes are part of stored data: they never change, and a new kind gets a new one.
const fn kind(schema: &Schema) -> u8 {
    match schema {
        Schema::Bool => 1,
        Schema::U8 => 2,
        Schema::U16 => 3,
        Schema::U32 => 4,
        Schema::U64 => 5,
        Schema::U128 => 6,
        Schema::I8 => 7,
        Schema::I16 => 8,
        Schema::I32 => 9,
        Schema::I64 => 10,
        Schema::I128 => 11,
        Schema::F32 => 12,
        Schema::F64 => 13,
        Schema::Char => 14,
        Schema::Str => 15,
        Schema::Bytes => 16,
        Schema::Path => 17,
        Schema::Timestamp => 18,
        Schema::TimeSpan => 19,
        Schema::Duration => 20,
        Schema::Unit => 21,
        Schema::Option(_) => 22,
        Schema::List(_) => 23,
        Schema::Array(..) => 24,
        Schema::Map(..) => 25,
        Schema::Tuple(_) => 26,
        Schema::Struct { .. } => 27,
        Schema::Enum { .. } => 28,
        Schema::Foreign { .. } => 29,
        // How a value looks outside, or looked before, says nothing about its bytes.
        Schema::Scalar(of) | Schema::Evolved(of, _) => kind(of),
    }
}

const fn node(hash: u64, schema: &Schema) -> u64 {
    if let Schema::Scalar(of) | Schema::Evolved(of, _) = schema {
        return node(hash, of);
    }
    let hash = byte(hash, kind(schema));
    match schema {
        Schema::Option(of) | Schema::List(of) => node(hash, of),
        Schema::Array(of, n) => node(number(hash, *n), of),
        Schema::Map(key, value) => node(node(hash, key), value),
        Schema::Tuple(parts) => {
            let mut hash = number(hash, parts.len());
            let mut i = 0;
            while i < parts.len() {
                hash = node(hash, parts[i]);
                i += 1;
            }
            hash
        }
        Schema::Struct { name, fields: of } => fields(text(hash, name), of),
        Schema::Enum { name, variants } => {
            let mut hash = number(text(hash, name), variants.len());
            let mut i = 0;
            while i < variants.len() {
                hash = fields(text(hash, variants[i].name), variants[i].fields);
                i += 1;
            }
            hash
        }
        Schema::Foreign { name } => text(hash, name),
        _ => hash,
    }
}

const fn fields(hash: u64, fields: &[Field]) -> u64 {
    let mut hash = number(hash, fields.len());
    let mut i = 0;
    while i < fields.len() {
        hash = node(text(hash, fields[i].name), fields[i].schema);
        i += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::super::Variant;
    use super::*;
    use std::collections::HashMap;

    const fn pair(name: &'static str, fields: &'static [Field]) -> Schema {
        Schema::Struct { name, fields }
    }
    const A: Field = Field { name: "a", schema: &Schema::U8, was: &[] };
    const B: Field = Field { name: "b", schema: &Schema::U8, was: &[] };

    #[test]
    fn stored_data_depends_on_these_numbers() {
        assert_eq!(fingerprint(&Schema::U64), 0x082f_1f07_b4e8_87ab);
        assert_eq!(fingerprint(&pair("P", &[A, B])), 0x3164_869a_e75c_2219);
    }

    #[test]
    fn names_types_and_order_tell_schemas_apart() {
        let all = [
            Schema::Bool,
            Schema::U8,
            Schema::I8,
            Schema::Str,
            Schema::Bytes,
            Schema::Unit,
            Schema::Option(&Schema::U8),
            Schema::List(&Schema::U8),
            Schema::Array(&Schema::U8, 1),
            Schema::Array(&Schema::U8, 2),
            Schema::Map(&Schema::U8, &Schema::I8),
            Schema::Map(&Schema::I8, &Schema::U8),
            Schema::Tuple(&[&Schema::U8]),
            Schema::Tuple(&[&Schema::U8, &Schema::U8]),
            Schema::Tuple(&[&Schema::Tuple(&[&Schema::U8]), &Schema::U8]),
            Schema::Tuple(&[&Schema::Tuple(&[&Schema::U8, &Schema::U8])]),
            pair("P", &[A, B]),
            pair("P", &[B, A]),
            pair("P", &[A]),
            pair("Q", &[A, B]),
            Schema::Foreign { name: "P" },
            Schema::Enum { name: "P", variants: &[Variant { name: "a", fields: &[A], was: &[] }] },
            Schema::Enum { name: "P", variants: &[Variant { name: "b", fields: &[A], was: &[] }] },
        ];
        let mut seen = HashMap::new();
        for schema in &all {
            if let Some(other) = seen.insert(fingerprint(schema), schema) {
                panic!("{schema} and {other} have one fingerprint");
            }
        }
    }

    #[test]
    fn old_names_and_outside_forms_are_no_part_of_it() {
        const RENAMED: Field = Field { name: "a", schema: &Schema::Scalar(&Schema::U8), was: &["z"] };
        assert_eq!(fingerprint(&pair("P", &[RENAMED, B])), fingerprint(&pair("P", &[A, B])));
    }
}
