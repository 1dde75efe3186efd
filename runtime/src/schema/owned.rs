//! [`OwnedSchema`]: a [`Schema`] without `'static` parts, for what is read from bytes.
//!
//! A snapshot, a segment and a lock file say how their writer's values look; whoever reads them (another version of the
//! program, or a tool that has none) holds the schema in this form. It has the same parts, the same text and the same
//! fingerprint as the constant it was made of. Its own byte form is in `record/schema.rs`; nothing here knows of bytes.

use std::fmt;

use super::fingerprint::{START, byte, number, text};
use super::{Field, Schema, Variant};

/// Names and types of what a byte form holds, as read from somewhere. Each variant means what that of [`Schema`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "said at `Schema`")]
pub enum OwnedSchema {
    Bool,
    U8,
    U16,
    U32,
    U64,
    U128,
    I8,
    I16,
    I32,
    I64,
    I128,
    F32,
    F64,
    Char,
    Str,
    Bytes,
    Path,
    Timestamp,
    TimeSpan,
    Duration,
    Unit,
    Option(Box<OwnedSchema>),
    List(Box<OwnedSchema>),
    Array(Box<OwnedSchema>, usize),
    Map(Box<OwnedSchema>, Box<OwnedSchema>),
    Tuple(Vec<OwnedSchema>),
    Struct { name: String, fields: Vec<OwnedField> },
    Enum { name: String, variants: Vec<OwnedVariant> },
    Scalar(Box<OwnedSchema>),
    Foreign { name: String },
}

/// A field of a struct or of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedField {
    /// Its name; `0`, `1`, .. where fields have none.
    pub name: String,
    /// What it holds.
    pub schema: OwnedSchema,
    /// Names it had before.
    pub was: Vec<String>,
}

/// A variant of an enum. Its index in the byte form is its place among the variants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedVariant {
    /// Its name.
    pub name: String,
    /// Its fields; none for a plain one.
    pub fields: Vec<OwnedField>,
    /// Names it had before.
    pub was: Vec<String>,
}

/// What has no parts: its variant, the byte that stands for it, and its name.
macro_rules! plain {
    ($($variant:ident $code:literal $name:literal),* $(,)?) => {
        impl OwnedSchema {
            /// The schema that has no parts and this code.
            pub(crate) fn plain(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(OwnedSchema::$variant),)*
                    _ => None,
                }
            }

            /// The code and the name of a schema that has no parts.
            fn as_plain(&self) -> Option<(u8, &'static str)> {
                match self {
                    $(OwnedSchema::$variant => Some(($code, $name)),)*
                    _ => None,
                }
            }
        }

        fn plain_of(schema: &Schema) -> Option<OwnedSchema> {
            match schema {
                $(Schema::$variant => Some(OwnedSchema::$variant),)*
                _ => None,
            }
        }
    };
}

plain! {
    Bool 1 "bool", U8 2 "u8", U16 3 "u16", U32 4 "u32", U64 5 "u64", U128 6 "u128", I8 7 "i8", I16 8 "i16", I32 9 "i32",
    I64 10 "i64", I128 11 "i128", F32 12 "f32", F64 13 "f64", Char 14 "char", Str 15 "str", Bytes 16 "bytes",
    Path 17 "Path", Timestamp 18 "Timestamp", TimeSpan 19 "TimeSpan", Duration 20 "Duration", Unit 21 "()",
}

/// Codes of what has parts. Like the plain ones they are those of the fingerprint, and part of stored data.
pub(crate) mod code {
    pub const OPTION: u8 = 22;
    pub const LIST: u8 = 23;
    pub const ARRAY: u8 = 24;
    pub const MAP: u8 = 25;
    pub const TUPLE: u8 = 26;
    pub const STRUCT: u8 = 27;
    pub const ENUM: u8 = 28;
    pub const FOREIGN: u8 = 29;
    /// Not in the fingerprint, which looks through it.
    pub const SCALAR: u8 = 30;
}

fn texts(of: &[&str]) -> Vec<String> {
    of.iter().map(|text| (*text).to_owned()).collect()
}

fn boxed(of: &Schema) -> Box<OwnedSchema> {
    Box::new(OwnedSchema::from(of))
}

impl From<&Schema> for OwnedSchema {
    fn from(schema: &Schema) -> Self {
        match schema {
            Schema::Option(of) => OwnedSchema::Option(boxed(of)),
            Schema::List(of) => OwnedSchema::List(boxed(of)),
            Schema::Array(of, n) => OwnedSchema::Array(boxed(of), *n),
            Schema::Map(key, value) => OwnedSchema::Map(boxed(key), boxed(value)),
            Schema::Tuple(parts) => OwnedSchema::Tuple(parts.iter().map(|part| (*part).into()).collect()),
            Schema::Struct { name, fields } => OwnedSchema::Struct { name: (*name).to_owned(), fields: owned(fields) },
            Schema::Enum { name, variants } => {
                let variants = variants.iter().map(OwnedVariant::from).collect();
                OwnedSchema::Enum { name: (*name).to_owned(), variants }
            }
            Schema::Scalar(of) => OwnedSchema::Scalar(boxed(of)),
            Schema::Evolved(of, _) => OwnedSchema::from(*of),
            Schema::Foreign { name } => OwnedSchema::Foreign { name: (*name).to_owned() },
            // What is left has no parts; the test of all schemas would see one that is missing.
            plain => plain_of(plain).unwrap_or(OwnedSchema::Unit),
        }
    }
}

fn owned(fields: &[Field]) -> Vec<OwnedField> {
    fields.iter().map(OwnedField::from).collect()
}

impl From<&Field> for OwnedField {
    fn from(field: &Field) -> Self {
        OwnedField { name: field.name.to_owned(), schema: field.schema.into(), was: texts(field.was) }
    }
}

impl From<&Variant> for OwnedVariant {
    fn from(variant: &Variant) -> Self {
        OwnedVariant { name: variant.name.to_owned(), fields: owned(variant.fields), was: texts(variant.was) }
    }
}

impl OwnedSchema {
    /// The byte that stands for it in its byte form and, but for `Scalar`, in the fingerprint.
    pub(crate) fn code(&self) -> u8 {
        match self {
            OwnedSchema::Option(_) => code::OPTION,
            OwnedSchema::List(_) => code::LIST,
            OwnedSchema::Array(..) => code::ARRAY,
            OwnedSchema::Map(..) => code::MAP,
            OwnedSchema::Tuple(_) => code::TUPLE,
            OwnedSchema::Struct { .. } => code::STRUCT,
            OwnedSchema::Enum { .. } => code::ENUM,
            OwnedSchema::Scalar(_) => code::SCALAR,
            OwnedSchema::Foreign { .. } => code::FOREIGN,
            plain => plain.as_plain().map_or(0, |(code, _)| code),
        }
    }

    /// A name without what is inside: the type's own for structs and enums, `Option<..>`, `[..]` and the like for
    /// the rest.
    pub fn short_name(&self) -> &str {
        match self {
            OwnedSchema::Option(_) => "Option<..>",
            OwnedSchema::List(_) => "[..]",
            OwnedSchema::Array(..) => "[..; n]",
            OwnedSchema::Map(..) => "{..: ..}",
            OwnedSchema::Tuple(_) => "(..)",
            OwnedSchema::Scalar(of) => of.short_name(),
            OwnedSchema::Struct { name, .. } | OwnedSchema::Enum { name, .. } | OwnedSchema::Foreign { name } => name,
            plain => plain.as_plain().map_or("", |(_, name)| name),
        }
    }

    /// The fewest bytes that the byte form of such a value has, as [`Schema::least_bytes`] says it.
    pub fn least_bytes(&self) -> usize {
        let sum = |parts: &mut dyn Iterator<Item = &OwnedSchema>| {
            parts.fold(0usize, |sum, part| sum.saturating_add(part.least_bytes()))
        };
        let of_fields = |fields: &[OwnedField]| sum(&mut fields.iter().map(|field| &field.schema));
        match self {
            OwnedSchema::Unit => 0,
            OwnedSchema::Bool | OwnedSchema::U8 | OwnedSchema::I8 => 1,
            OwnedSchema::U16 | OwnedSchema::I16 => 2,
            OwnedSchema::U32 | OwnedSchema::I32 | OwnedSchema::F32 | OwnedSchema::Char => 4,
            OwnedSchema::U64 | OwnedSchema::I64 | OwnedSchema::F64 => 8,
            OwnedSchema::Timestamp | OwnedSchema::TimeSpan => 8,
            OwnedSchema::Duration => 12,
            OwnedSchema::U128 | OwnedSchema::I128 => 16,
            OwnedSchema::Str | OwnedSchema::Bytes | OwnedSchema::Path | OwnedSchema::Option(_) => 1,
            OwnedSchema::List(_) | OwnedSchema::Map(..) | OwnedSchema::Foreign { .. } => 1,
            OwnedSchema::Scalar(of) => of.least_bytes(),
            OwnedSchema::Array(of, n) => of.least_bytes().saturating_mul(*n),
            OwnedSchema::Tuple(parts) => sum(&mut parts.iter()),
            OwnedSchema::Struct { fields, .. } => of_fields(fields),
            OwnedSchema::Enum { variants, .. } => {
                let index = if variants.len() > 256 { 2 } else { 1 };
                let least = variants.iter().map(|variant| of_fields(&variant.fields)).min();
                least.unwrap_or(0).saturating_add(index)
            }
        }
    }

    /// Stands for the schema: the same number as [`fingerprint`](super::fingerprint()) of the constant it was made of.
    pub fn fingerprint(&self) -> u64 {
        node(START, self)
    }
}

fn node(hash: u64, schema: &OwnedSchema) -> u64 {
    if let OwnedSchema::Scalar(of) = schema {
        return node(hash, of);
    }
    let hash = byte(hash, schema.code());
    match schema {
        OwnedSchema::Option(of) | OwnedSchema::List(of) => node(hash, of),
        OwnedSchema::Array(of, n) => node(number(hash, *n), of),
        OwnedSchema::Map(key, value) => node(node(hash, key), value),
        OwnedSchema::Tuple(parts) => parts.iter().fold(number(hash, parts.len()), node),
        OwnedSchema::Struct { name, fields: of } => fields(text(hash, name), of),
        OwnedSchema::Enum { name, variants } => {
            let hash = number(text(hash, name), variants.len());
            variants.iter().fold(hash, |hash, variant| fields(text(hash, &variant.name), &variant.fields))
        }
        OwnedSchema::Foreign { name } => text(hash, name),
        _ => hash,
    }
}

fn fields(hash: u64, fields: &[OwnedField]) -> u64 {
    fields.iter().fold(number(hash, fields.len()), |hash, field| node(text(hash, &field.name), &field.schema))
}

impl fmt::Display for OwnedSchema {
    /// One line that reads like the type: `Departure { at: Timestamp, legs: [Leg { to: str }], delay: Option<i32> }`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OwnedSchema::Option(of) => write!(f, "Option<{of}>"),
            OwnedSchema::List(of) => write!(f, "[{of}]"),
            OwnedSchema::Array(of, n) => write!(f, "[{of}; {n}]"),
            OwnedSchema::Map(key, value) => write!(f, "{{{key}: {value}}}"),
            OwnedSchema::Tuple(parts) => {
                f.write_str("(")?;
                for (i, part) in parts.iter().enumerate() {
                    write!(f, "{}{part}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str(if parts.len() == 1 { ",)" } else { ")" })
            }
            OwnedSchema::Struct { name, fields } => {
                f.write_str(name)?;
                show_fields(f, fields)
            }
            OwnedSchema::Enum { name, variants } => {
                write!(f, "{name} = ")?;
                for (i, variant) in variants.iter().enumerate() {
                    write!(f, "{}{}", if i == 0 { "" } else { " | " }, variant.name)?;
                    show_fields(f, &variant.fields)?;
                }
                Ok(())
            }
            OwnedSchema::Scalar(of) => of.fmt(f),
            plain => f.write_str(plain.short_name()),
        }
    }
}

fn show_fields(f: &mut fmt::Formatter<'_>, fields: &[OwnedField]) -> fmt::Result {
    let Some(first) = fields.first() else { return Ok(()) };
    let named = !first.name.starts_with(|c: char| c.is_ascii_digit());
    f.write_str(if named { " { " } else { "(" })?;
    for (i, field) in fields.iter().enumerate() {
        f.write_str(if i == 0 { "" } else { ", " })?;
        if named {
            write!(f, "{}: ", field.name)?;
        }
        // An enum's alternatives inside a field would read as the field's own.
        if let OwnedSchema::Enum { .. } = field.schema {
            write!(f, "({})", field.schema)?;
        } else {
            write!(f, "{}", field.schema)?;
        }
    }
    f.write_str(if named { " }" } else { ")" })
}

/// One schema of each kind, nested, for the tests of all who walk them.
#[cfg(test)]
pub(crate) const ALL_KINDS: Schema = {
    const fn field(name: &'static str, schema: &'static Schema) -> Field {
        Field { name, schema, was: &["before", "and before that"] }
    }
    const PLAIN: &[&Schema] = &[
        &Schema::Bool,
        &Schema::U8,
        &Schema::U16,
        &Schema::U32,
        &Schema::U64,
        &Schema::U128,
        &Schema::I8,
        &Schema::I16,
        &Schema::I32,
        &Schema::I64,
        &Schema::I128,
        &Schema::F32,
        &Schema::F64,
        &Schema::Char,
        &Schema::Str,
        &Schema::Bytes,
        &Schema::Path,
        &Schema::Timestamp,
        &Schema::TimeSpan,
        &Schema::Duration,
        &Schema::Unit,
    ];
    const KIND: Schema = Schema::Enum {
        name: "Kind",
        variants: &[
            Variant { name: "Plain", fields: &[], was: &["Simple"] },
            Variant { name: "Pair", fields: &[field("0", &Schema::Tuple(PLAIN)), field("1", &Schema::U8)], was: &[] },
        ],
    };
    Schema::Struct {
        name: "All",
        fields: &[
            field("option", &Schema::Option(&Schema::Tuple(&[&Schema::U8]))),
            field("list", &Schema::List(&KIND)),
            field("array", &Schema::Array(&Schema::I64, 300)),
            field("map", &Schema::Map(&Schema::Str, &Schema::Foreign { name: "Url" })),
            field("scalar", &Schema::Scalar(&Schema::Array(&Schema::U8, 3))),
            field("kind", &KIND),
            field("never", &Schema::Enum { name: "Never", variants: &[] }),
        ],
    }
};

#[cfg(test)]
mod tests {
    use super::super::fingerprint;
    use super::*;

    /// A schema and all that it is made of.
    fn walk(schema: &Schema, each: &mut dyn FnMut(&Schema)) {
        each(schema);
        match schema {
            Schema::Option(of) | Schema::List(of) | Schema::Array(of, _) => walk(of, each),
            Schema::Scalar(of) | Schema::Evolved(of, _) => walk(of, each),
            Schema::Map(key, value) => {
                walk(key, each);
                walk(value, each);
            }
            Schema::Tuple(parts) => parts.iter().for_each(|part| walk(part, each)),
            Schema::Struct { fields, .. } => fields.iter().for_each(|field| walk(field.schema, each)),
            Schema::Enum { variants, .. } => {
                variants.iter().flat_map(|v| v.fields).for_each(|field| walk(field.schema, each))
            }
            _ => {}
        }
    }

    #[test]
    fn it_says_the_same_as_the_constant() {
        let mut codes = std::collections::BTreeSet::new();
        walk(&ALL_KINDS, &mut |schema| {
            let owned = OwnedSchema::from(schema);
            assert_eq!(owned.fingerprint(), fingerprint(schema), "{schema}");
            assert_eq!(owned.least_bytes(), schema.least_bytes(), "{schema}");
            assert_eq!(owned.short_name(), schema.short_name(), "{schema}");
            codes.insert(owned.code());
        });
        assert_eq!(codes.into_iter().collect::<Vec<_>>(), (1..=30).collect::<Vec<_>>(), "each kind has its code");
        for code in 1..=21 {
            assert_eq!(OwnedSchema::plain(code).map(|plain| plain.code()), Some(code));
        }
        assert_eq!((OwnedSchema::plain(0), OwnedSchema::plain(22)), (None, None));
    }

    #[test]
    fn old_names_are_kept() {
        let OwnedSchema::Struct { fields, .. } = OwnedSchema::from(&ALL_KINDS) else { panic!("a struct") };
        assert_eq!(fields[0].was, ["before", "and before that"]);
        let OwnedSchema::Enum { variants, .. } = &fields[5].schema else { panic!("an enum") };
        assert_eq!(variants[0].was, ["Simple"]);
    }
}
