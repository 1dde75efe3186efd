//! Writes schemas as a lock file has them, and makes owned ones of those that were read.

use std::fmt::{self, Write as _};

use super::super::{OwnedField, OwnedSchema, OwnedVariant};
use super::grammar::is_word;
use super::{LockedFields, LockedKind, LockedSchema};

/// A name that a lock file cannot hold: it has a quotation mark or a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotWritable(pub String);

impl fmt::Display for NotWritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name {:?} cannot stand in a lock file", self.0)
    }
}

impl std::error::Error for NotWritable {}

impl OwnedSchema {
    /// The text of a lock file: a field per line, `indent` in front of each line but the first.
    ///
    /// # Errors
    /// If a name has a quotation mark or a control character.
    pub fn to_locked(&self, indent: &str) -> Result<String, NotWritable> {
        let mut out = String::new();
        put(self, indent, &mut out)?;
        Ok(out)
    }
}

fn put(schema: &OwnedSchema, indent: &str, out: &mut String) -> Result<(), NotWritable> {
    match schema {
        OwnedSchema::Option(of) => between("Option<", of, ">", indent, out)?,
        OwnedSchema::List(of) => between("[", of, "]", indent, out)?,
        OwnedSchema::Array(of, n) => between("[", of, &format!("; {n}]"), indent, out)?,
        OwnedSchema::Map(key, value) => {
            between("{", key, ": ", indent, out)?;
            between("", value, "}", indent, out)?;
        }
        OwnedSchema::Tuple(parts) => {
            out.push('(');
            for (i, part) in parts.iter().enumerate() {
                between(if i == 0 { "" } else { ", " }, part, "", indent, out)?;
            }
            out.push_str(if parts.len() == 1 { ",)" } else { ")" });
        }
        OwnedSchema::Struct { name, fields } => {
            out.push_str("struct ");
            put_name(name, out)?;
            put_fields(fields, indent, out)?;
        }
        OwnedSchema::Enum { name, variants } => {
            out.push_str("enum ");
            put_name(name, out)?;
            out.push_str(" {\n");
            let inside = format!("{indent}  ");
            for variant in variants {
                out.push_str(&inside);
                put_name(&variant.name, out)?;
                if !variant.fields.is_empty() {
                    put_fields(&variant.fields, &inside, out)?;
                }
                out.push_str(",\n");
            }
            out.push_str(indent);
            out.push('}');
        }
        OwnedSchema::Scalar(of) => put(of, indent, out)?,
        OwnedSchema::Foreign { name } => {
            out.push_str("foreign ");
            put_name(name, out)?;
        }
        plain => out.push_str(plain.short_name()),
    }
    Ok(())
}

fn between(open: &str, of: &OwnedSchema, close: &str, indent: &str, out: &mut String) -> Result<(), NotWritable> {
    out.push_str(open);
    put(of, indent, out)?;
    out.push_str(close);
    Ok(())
}

fn put_fields(fields: &[OwnedField], indent: &str, out: &mut String) -> Result<(), NotWritable> {
    out.push_str(" {\n");
    let inside = format!("{indent}  ");
    for field in fields {
        out.push_str(&inside);
        put_name(&field.name, out)?;
        between(": ", &field.schema, ",\n", &inside, out)?;
    }
    out.push_str(indent);
    out.push('}');
    Ok(())
}

/// A name, in quotes where it is no word.
pub(crate) fn put_name(name: &str, out: &mut String) -> Result<(), NotWritable> {
    if name.contains('"') || name.chars().any(char::is_control) {
        return Err(NotWritable(name.to_owned()));
    }
    let bare = !name.is_empty() && name.chars().all(is_word);
    let _ = if bare { out.write_str(name) } else { write!(out, "\"{name}\"") };
    Ok(())
}

impl LockedSchema<'_> {
    /// The schema with parts of its own.
    pub fn to_owned(self) -> OwnedSchema {
        let boxed = |of: LockedSchema<'_>| Box::new(of.to_owned());
        match self.kind() {
            LockedKind::Plain(name) => plain(name),
            LockedKind::Unit => OwnedSchema::Unit,
            LockedKind::Option(of) => OwnedSchema::Option(boxed(of)),
            LockedKind::List(of) => OwnedSchema::List(boxed(of)),
            LockedKind::Array(of, n) => OwnedSchema::Array(boxed(of), n),
            LockedKind::Map(key, value) => OwnedSchema::Map(boxed(key), boxed(value)),
            LockedKind::Tuple(mut rest) => {
                let mut parts = Vec::new();
                while let Some((part, behind)) = rest.next() {
                    parts.push(part.to_owned());
                    rest = behind;
                }
                OwnedSchema::Tuple(parts)
            }
            LockedKind::Struct(name, of) => OwnedSchema::Struct { name: name.to_owned(), fields: fields(of) },
            LockedKind::Enum(name, mut rest) => {
                let mut variants = Vec::new();
                while let Some((name, of, behind)) = rest.next() {
                    variants.push(OwnedVariant { name: name.to_owned(), fields: fields(of), was: Vec::new() });
                    rest = behind;
                }
                OwnedSchema::Enum { name: name.to_owned(), variants }
            }
            LockedKind::Foreign(name) => OwnedSchema::Foreign { name: name.to_owned() },
        }
    }
}

fn fields(mut rest: LockedFields<'_>) -> Vec<OwnedField> {
    let mut fields = Vec::new();
    while let Some((name, schema, behind)) = rest.next() {
        fields.push(OwnedField { name: name.to_owned(), schema: schema.to_owned(), was: Vec::new() });
        rest = behind;
    }
    fields
}

/// The codes of what has no parts are those of its byte form; the name says which.
fn plain(name: &str) -> OwnedSchema {
    (1..=u8::MAX).map_while(OwnedSchema::plain).find(|schema| schema.short_name() == name).unwrap_or(OwnedSchema::Unit)
}
