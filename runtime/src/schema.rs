//! [`Schema`]: names and types of what a record's byte form holds, as a constant tree.
//!
//! It is what a snapshot says about itself, what a lock file compares, and what a sink asks before it takes a row. It
//! is made of `&'static` parts and walked in constants, so that a mistake is an error of `cargo check`. It describes;
//! it reads and writes nothing, and knows nothing of the traits that carry it.

mod fingerprint;
mod flat;
pub(crate) mod locked;
mod message;
pub(crate) mod owned;
mod past;
mod restore;

use std::fmt;

pub use fingerprint::{FINGERPRINT_VERSION, fingerprint};
pub use flat::{first_nested_field, is_flat, not_flat};
pub use locked::{LockedFields, LockedKind, LockedParts, LockedSchema, LockedVariants, Node, NodeKind, NotWritable};
pub use message::Message;
pub use owned::{OwnedField, OwnedSchema, OwnedVariant};
pub use past::{Convert, Dropped, Filled, Former, Owner, Past};
pub use restore::{Verdict, can_restore, can_restore_key, can_restore_of};
pub(crate) use restore::{is_length_known, widened};

/// Names and types of what a byte form holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Schema {
    /// `bool`
    Bool,
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64`, and `usize`
    U64,
    /// `u128`
    U128,
    /// `i8`
    I8,
    /// `i16`
    I16,
    /// `i32`
    I32,
    /// `i64`, and `isize`
    I64,
    /// `i128`
    I128,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `char`
    Char,
    /// Owned or borrowed text.
    Str,
    /// Owned or borrowed bytes.
    Bytes,
    /// A path of the file system.
    Path,
    /// A point in event time.
    Timestamp,
    /// A distance in event time.
    TimeSpan,
    /// A `std::time::Duration`.
    Duration,
    /// `()`
    Unit,
    /// A value or none.
    Option(&'static Schema),
    /// As many as there are, in an order or, for sets, in none.
    List(&'static Schema),
    /// A fixed number of one type.
    Array(&'static Schema, usize),
    /// Keys and values.
    Map(&'static Schema, &'static Schema),
    /// Types side by side, without names.
    Tuple(&'static [&'static Schema]),
    /// A struct. The fields of a tuple struct are named `0`, `1`, ..
    Struct {
        /// The type's name, without its path and its generics.
        name: &'static str,
        /// In the order of the byte form.
        fields: &'static [Field],
    },
    /// An enum. A variant's index in the byte form is its place in this list.
    Enum {
        /// The type's name, without its path and its generics.
        name: &'static str,
        /// In the order in which they are written.
        variants: &'static [Variant],
    },
    /// A type whose outside form (serde) is one cell of a table, whatever it is made of: `#[record(scalar)]`.
    Scalar(&'static Schema),
    /// A type that says something of the forms it had before, and the form it has.
    Evolved(&'static Schema, &'static Past),
    /// A foreign type, carried in a form of its own of one byte or more.
    Foreign {
        /// The type's name.
        name: &'static str,
    },
}

/// A field of a struct or of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; `0`, `1`, .. where fields have none.
    pub name: &'static str,
    /// What it holds.
    pub schema: &'static Schema,
    /// Names it had before: `#[was(old)]`.
    pub was: &'static [&'static str],
}

/// A variant of an enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: &'static str,
    /// Its fields; none for a plain one.
    pub fields: &'static [Field],
    /// Names it had before: `#[was(Old)]`.
    pub was: &'static [&'static str],
}

impl Schema {
    /// The fewest bytes that the byte form of such a value has. Counts are checked with it, in constants, against the
    /// bytes that are left; a hand-written form with fewer bytes than its schema says is not read back from a list.
    pub const fn least_bytes(&self) -> usize {
        match self {
            Schema::Unit => 0,
            Schema::Bool | Schema::U8 | Schema::I8 => 1,
            Schema::U16 | Schema::I16 => 2,
            Schema::U32 | Schema::I32 | Schema::F32 | Schema::Char => 4,
            Schema::U64 | Schema::I64 | Schema::F64 | Schema::Timestamp | Schema::TimeSpan => 8,
            Schema::Duration => 12,
            Schema::U128 | Schema::I128 => 16,
            Schema::Str | Schema::Bytes | Schema::Path | Schema::Option(_) => 1,
            Schema::List(_) | Schema::Map(..) | Schema::Foreign { .. } => 1,
            Schema::Scalar(of) | Schema::Evolved(of, _) => of.least_bytes(),
            Schema::Array(of, n) => of.least_bytes().saturating_mul(*n),
            Schema::Tuple(parts) => {
                let (mut sum, mut i) = (0usize, 0);
                while i < parts.len() {
                    sum = sum.saturating_add(parts[i].least_bytes());
                    i += 1;
                }
                sum
            }
            Schema::Struct { fields, .. } => least_of_fields(fields),
            Schema::Enum { variants, .. } => {
                let index = if variants.len() > 256 { 2 } else { 1 };
                let (mut least, mut i) = (usize::MAX, 0);
                while i < variants.len() {
                    let fields = least_of_fields(variants[i].fields);
                    least = if fields < least { fields } else { least };
                    i += 1;
                }
                if variants.is_empty() { index } else { least.saturating_add(index) }
            }
        }
    }
}

const fn least_of_fields(fields: &[Field]) -> usize {
    let (mut sum, mut i) = (0usize, 0);
    while i < fields.len() {
        sum = sum.saturating_add(fields[i].schema.least_bytes());
        i += 1;
    }
    sum
}

impl fmt::Display for Schema {
    /// One line that reads like the type: `Departure { at: Timestamp, legs: [Leg { to: str }], delay: Option<i32> }`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        OwnedSchema::from(self).fmt(f)
    }
}

impl Schema {
    /// What the bytes are, without how the value looks outside and without what the type says of earlier forms.
    pub const fn form(&self) -> &Schema {
        match self {
            Schema::Scalar(of) | Schema::Evolved(of, _) => of.form(),
            form => form,
        }
    }

    /// What the type says of earlier forms.
    pub const fn past(&self) -> &'static Past {
        match self {
            Schema::Evolved(_, past) => past,
            Schema::Scalar(of) => of.past(),
            _ => Past::NONE,
        }
    }

    /// A name without what is inside: the type's own for structs and enums, `Option<..>`, `[..]` and the like for
    /// the rest.
    pub const fn short_name(&self) -> &'static str {
        match self {
            Schema::Bool => "bool",
            Schema::U8 => "u8",
            Schema::U16 => "u16",
            Schema::U32 => "u32",
            Schema::U64 => "u64",
            Schema::U128 => "u128",
            Schema::I8 => "i8",
            Schema::I16 => "i16",
            Schema::I32 => "i32",
            Schema::I64 => "i64",
            Schema::I128 => "i128",
            Schema::F32 => "f32",
            Schema::F64 => "f64",
            Schema::Char => "char",
            Schema::Str => "str",
            Schema::Bytes => "bytes",
            Schema::Path => "Path",
            Schema::Timestamp => "Timestamp",
            Schema::TimeSpan => "TimeSpan",
            Schema::Duration => "Duration",
            Schema::Unit => "()",
            Schema::Option(_) => "Option<..>",
            Schema::List(_) => "[..]",
            Schema::Array(..) => "[..; n]",
            Schema::Map(..) => "{..: ..}",
            Schema::Tuple(_) => "(..)",
            Schema::Scalar(of) | Schema::Evolved(of, _) => of.short_name(),
            Schema::Struct { name, .. } | Schema::Enum { name, .. } | Schema::Foreign { name } => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEG: Schema = Schema::Struct {
        name: "Leg",
        fields: &[
            Field { name: "to", schema: &Schema::Str, was: &["dest"] },
            Field { name: "cause", schema: &CAUSE, was: &[] },
        ],
    };
    const CAUSE: Schema = Schema::Enum {
        name: "Cause",
        variants: &[
            Variant { name: "None", fields: &[], was: &[] },
            Variant { name: "Late", fields: &[Field { name: "0", schema: &Schema::I32, was: &[] }], was: &[] },
        ],
    };

    #[track_caller]
    fn reads(schema: Schema, as_line: &str) {
        assert_eq!(schema.to_string(), as_line);
    }

    #[test]
    fn a_schema_is_one_readable_line() {
        reads(Schema::Option(&Schema::I32), "Option<i32>");
        reads(Schema::Map(&Schema::Str, &Schema::List(&Schema::U8)), "{str: [u8]}");
        reads(Schema::Tuple(&[&Schema::U8]), "(u8,)");
        reads(Schema::Tuple(&[&Schema::U8, &Schema::Array(&Schema::Bool, 3)]), "(u8, [bool; 3])");
        reads(CAUSE, "Cause = None | Late(i32)");
        reads(LEG, "Leg { to: str, cause: (Cause = None | Late(i32)) }");
    }

    #[test]
    fn least_bytes_sums_fields_and_takes_the_smallest_variant() {
        assert_eq!(LEG.least_bytes(), 1 + 1);
        assert_eq!(Schema::Array(&Schema::I64, 3).least_bytes(), 24);
        assert_eq!(Schema::Tuple(&[&Schema::Unit, &Schema::Unit]).least_bytes(), 0);
    }
}
