//! What a table can hold: rows whose fields are single cells. Asked in constants, so that a nested row in a csv sink
//! is an error of `cargo check` at the sink.

use super::{Field, Message, Schema, Variant};

/// Whether a table can hold rows of this schema: a single cell, or a struct or tuple of cells, where a cell is a
/// number, text, a time, an enum without fields, a foreign type, one of these as the only field of a tuple struct, or
/// an `Option` of one of these.
pub const fn is_flat(schema: &Schema) -> bool {
    match schema {
        Schema::Evolved(of, _) => is_flat(of),
        Schema::Struct { fields, .. } if !is_cell(schema) => !fields.is_empty() && nested(fields).is_none(),
        Schema::Tuple(parts) => !parts.is_empty() && nested_part(parts).is_none(),
        _ => is_cell(schema),
    }
}

/// The first field that is no cell, if the schema is a struct or tuple that has one.
pub const fn first_nested_field(schema: &Schema) -> Option<&'static str> {
    match schema {
        Schema::Evolved(of, _) => first_nested_field(of),
        Schema::Struct { fields, .. } if !is_cell(schema) => match nested(fields) {
            Some(field) => Some(field.name),
            None => None,
        },
        Schema::Tuple(parts) => match nested_part(parts) {
            Some(i) => Some(place(i)),
            None => None,
        },
        _ => None,
    }
}

/// Why a table cannot hold rows of this schema, if it cannot: the field, its type and what to do. `sink` is the word for
/// the table: `csv`.
pub const fn not_flat(schema: &Schema, sink: &str) -> Option<Message> {
    if is_flat(schema) { None } else { Some(complaint(schema, sink)) }
}

const fn complaint(schema: &Schema, sink: &str) -> Message {
    if let Schema::Evolved(of, _) = schema {
        return complaint(of, sink);
    }
    let (name, of) = match schema {
        Schema::Struct { fields, .. } => match nested(fields) {
            Some(field) => (field.name, Some(field.schema)),
            None => ("", None),
        },
        Schema::Tuple(parts) => match nested_part(parts) {
            Some(i) => (place(i), Some(parts[i])),
            None => ("", None),
        },
        _ => ("", None),
    };
    match of {
        Some(of) => put_type(
            Message::new().put("field `").put(name).put("` of `").put(schema.short_name()).put("` has type `"),
            of,
        )
        .put("`, which cannot be a ")
        .put(sink)
        .put(" column\nhelp: map the row to flat fields first, or write `#[record(scalar)]` on a type that serde writes as one value"),
        None => put_type(Message::new().put("`"), schema)
            .put("` has no fields that could be ")
            .put(sink)
            .put(" columns\nhelp: map the row to flat fields first"),
    }
}

/// The type in short, without what is inside structs and enums.
pub(super) const fn put_type(to: Message, schema: &Schema) -> Message {
    match schema {
        Schema::Option(of) => put_type(to.put("Option<"), of).put(">"),
        Schema::List(of) => put_type(to.put("["), of).put("]"),
        Schema::Array(of, n) => put_type(to.put("["), of).put("; ").put_number(*n).put("]"),
        Schema::Map(key, value) => put_type(put_type(to.put("{"), key).put(": "), value).put("}"),
        Schema::Tuple(parts) => {
            let mut to = to.put("(");
            let mut i = 0;
            while i < parts.len() {
                to = put_type(if i == 0 { to } else { to.put(", ") }, parts[i]);
                i += 1;
            }
            to.put(")")
        }
        Schema::Scalar(of) | Schema::Evolved(of, _) => put_type(to, of),
        _ => to.put(schema.short_name()),
    }
}

const fn nested(fields: &'static [Field]) -> Option<&'static Field> {
    let mut i = 0;
    while i < fields.len() {
        if !is_column(fields[i].schema) {
            return Some(&fields[i]);
        }
        i += 1;
    }
    None
}

const fn nested_part(parts: &'static [&'static Schema]) -> Option<usize> {
    let mut i = 0;
    while i < parts.len() {
        if !is_column(parts[i]) {
            return Some(i);
        }
        i += 1;
    }
    None
}

/// A cell that may be empty.
const fn is_column(schema: &Schema) -> bool {
    match schema {
        Schema::Option(of) => is_cell(of),
        Schema::Evolved(of, _) => is_column(of),
        _ => is_cell(schema),
    }
}

const fn is_cell(schema: &Schema) -> bool {
    match schema {
        Schema::Bool
        | Schema::U8
        | Schema::U16
        | Schema::U32
        | Schema::U64
        | Schema::U128
        | Schema::I8
        | Schema::I16
        | Schema::I32
        | Schema::I64
        | Schema::I128
        | Schema::F32
        | Schema::F64
        | Schema::Char
        | Schema::Str
        | Schema::Path
        | Schema::Timestamp
        | Schema::TimeSpan
        | Schema::Scalar(_) => true,
        Schema::Evolved(of, _) => is_cell(of),
        // What serde makes of it is not known here; a sink that finds it nested says so at run time.
        Schema::Foreign { .. } => true,
        Schema::Enum { variants, .. } => all_plain(variants),
        // serde writes `struct Tail(String)` as the text alone.
        Schema::Struct { fields, .. } => match fields {
            [only] => is_place(only.name) && is_cell(only.schema),
            _ => false,
        },
        // serde writes bytes and a `Duration` as several values, and `()` as none.
        Schema::Bytes
        | Schema::Duration
        | Schema::Unit
        | Schema::Option(_)
        | Schema::List(_)
        | Schema::Array(..)
        | Schema::Map(..)
        | Schema::Tuple(_) => false,
    }
}

const fn all_plain(variants: &[Variant]) -> bool {
    let mut i = 0;
    while i < variants.len() {
        if !variants[i].fields.is_empty() {
            return false;
        }
        i += 1;
    }
    true
}

const fn is_place(name: &str) -> bool {
    matches!(name.as_bytes(), [b'0'])
}

pub(super) const fn place(i: usize) -> &'static str {
    match i {
        0 => "0",
        1 => "1",
        2 => "2",
        3 => "3",
        4 => "4",
        5 => "5",
        6 => "6",
        7 => "7",
        8 => "8",
        9 => "9",
        10 => "10",
        11 => "11",
        _ => "12 or later",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn field(name: &'static str, schema: &'static Schema) -> Field {
        Field { name, schema, was: &[] }
    }
    const TAIL: Schema = Schema::Struct { name: "Tail", fields: &[field("0", &Schema::Str)] };
    const KIND: Schema = Schema::Enum {
        name: "Kind",
        variants: &[Variant { name: "A", fields: &[], was: &[] }, Variant { name: "B", fields: &[], was: &[] }],
    };
    const FULL: Schema =
        Schema::Enum { name: "Full", variants: &[Variant { name: "A", fields: &[field("0", &Schema::U8)], was: &[] }] };
    const AIRPORT: Schema = Schema::Struct { name: "Airport", fields: &[field("0", &Schema::Array(&Schema::U8, 3))] };
    const ROW: Schema = Schema::Struct {
        name: "Row",
        fields: &[
            field("tail", &Schema::Option(&TAIL)),
            field("kind", &KIND),
            field("at", &Schema::Timestamp),
            field("from", &Schema::Scalar(&AIRPORT)),
        ],
    };
    const NESTED: Schema = Schema::Struct {
        name: "Board",
        fields: &[field("kind", &KIND), field("row", &ROW), field("legs", &Schema::List(&Schema::Str))],
    };

    #[track_caller]
    fn check(schema: Schema, expected: Result<(), &str>) {
        assert_eq!(is_flat(&schema), expected.is_ok(), "{schema}");
        if let Err(message) = expected {
            assert_eq!(complaint(&schema, "csv").as_str(), message);
        }
    }

    #[test]
    fn cells_and_structs_and_tuples_of_cells_are_flat() {
        for schema in [ROW, TAIL, KIND, Schema::U8, Schema::Str, Schema::Tuple(&[&Schema::Str, &TAIL])] {
            check(schema, Ok(()));
            assert_eq!(first_nested_field(&schema), None);
        }
    }

    #[test]
    fn the_rest_is_refused_with_field_type_and_cure() {
        check(
            NESTED,
            Err(
                "field `row` of `Board` has type `Row`, which cannot be a csv column\nhelp: map the row to flat fields \
                 first, or write `#[record(scalar)]` on a type that serde writes as one value",
            ),
        );
        assert_eq!(first_nested_field(&NESTED), Some("row"));
        check(
            Schema::Tuple(&[&Schema::U8, &Schema::Option(&Schema::List(&Schema::F64))]),
            Err(
                "field `1` of `(..)` has type `Option<[f64]>`, which cannot be a csv column\nhelp: map the row to flat \
                 fields first, or write `#[record(scalar)]` on a type that serde writes as one value",
            ),
        );
        check(
            Schema::Map(&Schema::Str, &FULL),
            Err("`{str: Full}` has no fields that could be csv columns\nhelp: map the row to flat fields first"),
        );
        check(
            Schema::Option(&Schema::Option(&Schema::U8)),
            Err("`Option<Option<u8>>` has no fields that could be csv columns\nhelp: map the row to flat fields first"),
        );
        for schema in [FULL, Schema::Unit, Schema::Bytes, Schema::Tuple(&[]), AIRPORT] {
            assert!(!is_flat(&schema), "{schema}");
        }
    }

    #[test]
    fn what_is_flat_has_no_complaint() {
        assert!(not_flat(&NESTED, "csv").is_some_and(|text| text.as_str().contains("field `row` of `Board`")));
        assert!(not_flat(&Schema::U8, "csv").is_none());
    }
}
