//! The byte form of schemas: what stored data says about its writer's types, readable without that program.
//!
//! ```text
//! schema    code (the byte of the fingerprint's walk; 30 = scalar), then its parts:
//!   option, list, scalar  schema            array    schema, number        map     schema, schema
//!   tuple                 count, schemas    foreign  name                  struct  name, count, fields
//!   enum                  name, count, variants
//! field     name, schema, old names         variant  name, fields, old names
//! ```

use super::{Record, own_rows};
use crate::codec::{CodecError, Reader, put_length};
use crate::schema::owned::code;
use crate::schema::{Field, OwnedField, OwnedSchema, OwnedVariant, Schema};

impl Record for OwnedSchema {
    /// A schema has schemas in it, which a constant tree cannot say.
    const SCHEMA: &'static Schema = &Schema::Foreign { name: "Schema" };

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.code());
        match self {
            OwnedSchema::Option(of) | OwnedSchema::List(of) | OwnedSchema::Scalar(of) => of.encode(out),
            OwnedSchema::Array(of, n) => {
                of.encode(out);
                put_length(out, *n);
            }
            OwnedSchema::Map(key, value) => {
                key.encode(out);
                value.encode(out);
            }
            OwnedSchema::Tuple(parts) => parts.encode(out),
            OwnedSchema::Struct { name, fields } => {
                name.encode(out);
                fields.encode(out);
            }
            OwnedSchema::Enum { name, variants } => {
                name.encode(out);
                variants.encode(out);
            }
            OwnedSchema::Foreign { name } => name.encode(out),
            _ => {}
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        let code = from.byte()?;
        if let Some(plain) = OwnedSchema::plain(code) {
            return Ok(plain);
        }
        from.nested(|from| {
            Ok(match code {
                code::OPTION => OwnedSchema::Option(Box::decode(from)?),
                code::LIST => OwnedSchema::List(Box::decode(from)?),
                code::SCALAR => OwnedSchema::Scalar(Box::decode(from)?),
                code::ARRAY => OwnedSchema::Array(Box::decode(from)?, from.length()?),
                code::MAP => OwnedSchema::Map(Box::decode(from)?, Box::decode(from)?),
                code::TUPLE => OwnedSchema::Tuple(Vec::decode(from)?),
                code::STRUCT => OwnedSchema::Struct { name: String::decode(from)?, fields: Vec::decode(from)? },
                code::ENUM => OwnedSchema::Enum { name: String::decode(from)?, variants: Vec::decode(from)? },
                code::FOREIGN => OwnedSchema::Foreign { name: String::decode(from)? },
                other => return Err(from.invalid(format!("{other} stands for no kind of schema"))),
            })
        })
    }
}

impl Record for OwnedField {
    const SCHEMA: &'static Schema = &Schema::Struct {
        name: "Field",
        fields: &[
            Field { name: "name", schema: String::SCHEMA, was: &[] },
            Field { name: "schema", schema: OwnedSchema::SCHEMA, was: &[] },
            Field { name: "was", schema: <Vec<String>>::SCHEMA, was: &[] },
        ],
    };

    fn encode(&self, out: &mut Vec<u8>) {
        self.name.encode(out);
        self.schema.encode(out);
        self.was.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(OwnedField { name: String::decode(from)?, schema: OwnedSchema::decode(from)?, was: Vec::decode(from)? })
    }
}

impl Record for OwnedVariant {
    const SCHEMA: &'static Schema = &Schema::Struct {
        name: "Variant",
        fields: &[
            Field { name: "name", schema: String::SCHEMA, was: &[] },
            Field { name: "fields", schema: <Vec<OwnedField>>::SCHEMA, was: &[] },
            Field { name: "was", schema: <Vec<String>>::SCHEMA, was: &[] },
        ],
    };

    fn encode(&self, out: &mut Vec<u8>) {
        self.name.encode(out);
        self.fields.encode(out);
        self.was.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(OwnedVariant { name: String::decode(from)?, fields: Vec::decode(from)?, was: Vec::decode(from)? })
    }
}

own_rows!([] OwnedSchema, [] OwnedField, [] OwnedVariant);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::CodecErrorKind;
    use crate::schema::owned::ALL_KINDS;
    use proptest::prelude::*;

    fn bytes_of(schema: &OwnedSchema) -> Vec<u8> {
        let mut bytes = Vec::new();
        schema.encode(&mut bytes);
        bytes
    }

    #[test]
    fn every_kind_is_read_back_and_no_part_of_it_is() {
        let schema = OwnedSchema::from(&ALL_KINDS);
        let bytes = bytes_of(&schema);
        let mut reader = Reader::new(&bytes);
        assert_eq!(OwnedSchema::decode(&mut reader).unwrap(), schema);
        reader.end().unwrap();
        for length in 0..bytes.len() {
            assert!(OwnedSchema::decode(&mut Reader::new(&bytes[..length])).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn the_byte_form_does_not_change() {
        let bytes = bytes_of(&OwnedSchema::from(&Schema::Struct {
            name: "P",
            fields: &[Field { name: "a", schema: &Schema::Option(&Schema::U8), was: &["b"] }],
        }));
        assert_eq!(bytes, [27, 1, b'P', 1, 1, b'a', 22, 2, 1, 1, b'b']);
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused_and_not_followed() {
        let error = OwnedSchema::decode(&mut Reader::new(&[22; 100_000])).unwrap_err();
        assert_eq!(error.kind(), CodecErrorKind::TooDeep);
        let error = OwnedSchema::decode(&mut Reader::new(&[31])).unwrap_err();
        assert_eq!(error.to_string(), "31 stands for no kind of schema (byte 1)");
    }

    proptest! {
        #[test]
        fn whatever_reads_as_a_schema_is_how_it_is_written(
            bytes in proptest::collection::vec(prop_oneof![4 => 0u8..32, 1 => any::<u8>()], 0..60)
        ) {
            let mut reader = Reader::new(&bytes);
            if let Ok(schema) = OwnedSchema::decode(&mut reader) {
                prop_assert_eq!(&bytes_of(&schema)[..], &bytes[..reader.at()]);
                // Nothing that is said of it may panic.
                let _ = (schema.fingerprint(), schema.to_string(), schema.least_bytes());
            }
        }
    }
}
