//! From JSON to bytes.

use super::foreign::packed;
use super::hex::from_hex;
use super::{SERDE, Shape, is_nullable, is_opaque, shape, some};
use crate::codec::{put_bytes, put_length};
use crate::json::Json;
use crate::names::{listed, near};
use crate::record::Record;
use crate::schema::{OwnedField, OwnedSchema, OwnedVariant};
use crate::time::{TimeSpan, Timestamp};
use std::fmt;
use std::time::Duration;

/// Why JSON is no value of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Fields and places in lists, the innermost first.
    path: Vec<String>,
    /// What is wrong, in a sentence without a full stop.
    pub what: String,
}

impl Mismatch {
    /// Adds that it is in this part.
    pub fn inside(mut self, part: impl Into<String>) -> Self {
        self.path.push(part.into());
        self
    }

    /// The field, as `value.late.legs[3]`.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for part in self.path.iter().rev() {
            if !path.is_empty() && !part.starts_with('[') {
                path.push('.');
            }
            path += part;
        }
        path
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        if path.is_empty() { f.write_str(&self.what) } else { write!(f, "`{path}`: {}", self.what) }
    }
}

impl std::error::Error for Mismatch {}

fn wrong(what: impl Into<String>) -> Mismatch {
    Mismatch { path: Vec::new(), what: what.into() }
}

fn expected(schema: &OwnedSchema, found: &Json) -> Mismatch {
    wrong(format!("`{schema}` is expected, and {} stands there", shown(found)))
}

/// A value for a message: what it is, and itself if it is short.
fn shown(json: &Json) -> String {
    let text = json.to_string();
    match json {
        Json::Null => text,
        _ if text.len() <= 40 => format!("{} `{text}`", json.kind()),
        _ => json.kind().to_owned(),
    }
}

/// Appends the byte form of a value.
///
/// # Errors
/// If it is no value of this schema, with the field. What was appended until then is of no use.
pub fn from_json(schema: &OwnedSchema, json: &Json, out: &mut Vec<u8>) -> Result<(), Mismatch> {
    if is_opaque(schema) {
        let bytes = from_hex(json);
        let what =
            "a type with a form of its own is in it, so all of it is written as {\"$bytes\": \"hexadecimal digits\"}";
        out.extend(bytes.ok_or_else(|| wrong(what))?);
        return Ok(());
    }
    put(schema, json, out)
}

fn put(schema: &OwnedSchema, json: &Json, out: &mut Vec<u8>) -> Result<(), Mismatch> {
    macro_rules! parsed {
        ($type:ty) => {
            match json {
                Json::Number(text) => text.parse::<$type>().map_err(|_| expected(schema, json))?.encode(out),
                _ => return Err(expected(schema, json)),
            }
        };
    }
    match schema {
        OwnedSchema::Bool => match json {
            Json::Bool(bool) => bool.encode(out),
            _ => return Err(expected(schema, json)),
        },
        OwnedSchema::U8 => parsed!(u8),
        OwnedSchema::U16 => parsed!(u16),
        OwnedSchema::U32 => parsed!(u32),
        OwnedSchema::U64 => parsed!(u64),
        OwnedSchema::U128 => parsed!(u128),
        OwnedSchema::I8 => parsed!(i8),
        OwnedSchema::I16 => parsed!(i16),
        OwnedSchema::I32 => parsed!(i32),
        OwnedSchema::I64 => parsed!(i64),
        OwnedSchema::I128 => parsed!(i128),
        OwnedSchema::F32 => {
            let bits = |hex: &str| u32::from_str_radix(hex, 16).ok().map(f32::from_bits);
            float(json, bits, |float| float.is_finite(), f32::is_nan)
                .ok_or_else(|| expected(schema, json))?
                .encode(out);
        }
        OwnedSchema::F64 => {
            let bits = |hex: &str| u64::from_str_radix(hex, 16).ok().map(f64::from_bits);
            float(json, bits, |float| float.is_finite(), f64::is_nan)
                .ok_or_else(|| expected(schema, json))?
                .encode(out);
        }
        OwnedSchema::Duration => {
            let text = text(schema, json)?;
            let duration = seconds(text);
            duration
                .ok_or_else(|| wrong(format!("seconds like \"1.5s\" are expected, and `{text}` stands there")))?
                .encode(out);
        }
        OwnedSchema::Char => {
            let mut chars = text(schema, json)?.chars();
            match (chars.next(), chars.next()) {
                (Some(char), None) => char.encode(out),
                _ => return Err(expected(schema, json)),
            }
        }
        OwnedSchema::Str => put_bytes(out, text(schema, json)?.as_bytes()),
        OwnedSchema::Bytes | OwnedSchema::Path => put_bytes(out, &bytes(schema, json)?),
        OwnedSchema::Timestamp => match json {
            Json::Number(ms) => Timestamp::from_millis(ms.parse().map_err(|_| expected(schema, json))?).encode(out),
            _ => text(schema, json)?.parse::<Timestamp>().map_err(|e| wrong(e.to_string()))?.encode(out),
        },
        OwnedSchema::TimeSpan => text(schema, json)?.parse::<TimeSpan>().map_err(|e| wrong(e.to_string()))?.encode(out),
        OwnedSchema::Unit => match json {
            Json::Null => {}
            _ => return Err(expected(schema, json)),
        },
        OwnedSchema::Option(of) => match json {
            Json::Null => false.encode(out),
            _ => {
                true.encode(out);
                put(of, some(json).filter(|_| is_nullable(of)).unwrap_or(json), out)?;
            }
        },
        OwnedSchema::List(of) => {
            let values = list(schema, json)?;
            put_length(out, values.len());
            elements(of, values, out)?;
            end(of.least_bytes(), values.len(), out);
        }
        OwnedSchema::Array(of, length) if **of == OwnedSchema::U8 => {
            let bytes = bytes(schema, json)?;
            count(schema, bytes.len(), *length)?;
            out.extend_from_slice(&bytes);
        }
        OwnedSchema::Array(of, length) => {
            let values = list(schema, json)?;
            count(schema, values.len(), *length)?;
            elements(of, values, out)?;
        }
        OwnedSchema::Map(key, of) => map(schema, key, of, json, out)?,
        OwnedSchema::Tuple(parts) => {
            let values = list(schema, json)?;
            count(schema, values.len(), parts.len())?;
            for (i, (part, value)) in parts.iter().zip(values).enumerate() {
                put(part, value, out).map_err(|e| e.inside(format!("[{i}]")))?;
            }
        }
        OwnedSchema::Struct { fields, .. } => put_fields(fields, json, out)?,
        OwnedSchema::Enum { name, variants } => put_variant(schema, name, variants, json, out)?,
        OwnedSchema::Scalar(of) => put(of, json, out)?,
        OwnedSchema::Foreign { name } if name == SERDE => put_bytes(out, &packed(json).map_err(wrong)?),
        OwnedSchema::Foreign { .. } => return Err(expected(schema, json)),
    }
    Ok(())
}

/// A float of a number, or of the text that stands for one that is none.
fn float<F: std::str::FromStr + Copy>(
    json: &Json,
    of_bits: impl Fn(&str) -> Option<F>,
    is_finite: impl Fn(F) -> bool,
    is_nan: impl Fn(F) -> bool,
) -> Option<F> {
    match json {
        // One that is too large would silently become infinite.
        Json::Number(text) => text.parse().ok().filter(|float| is_finite(*float)),
        Json::Text(text) => match text.strip_prefix("NaN:") {
            Some(bits) => of_bits(bits).filter(|float| is_nan(*float)),
            None => text.parse().ok().filter(|float| !is_finite(*float)),
        },
        _ => None,
    }
}

fn text<'j>(schema: &OwnedSchema, json: &'j Json) -> Result<&'j str, Mismatch> {
    match json {
        Json::Text(text) => Ok(text),
        _ => Err(expected(schema, json)),
    }
}

fn list<'j>(schema: &OwnedSchema, json: &'j Json) -> Result<&'j [Json], Mismatch> {
    match json {
        Json::List(values) => Ok(values),
        _ => Err(expected(schema, json)),
    }
}

fn count(schema: &OwnedSchema, found: usize, wanted: usize) -> Result<(), Mismatch> {
    if found == wanted {
        return Ok(());
    }
    Err(wrong(format!("`{schema}` has {wanted} parts, and {found} stand there")))
}

fn elements(of: &OwnedSchema, values: &[Json], out: &mut Vec<u8>) -> Result<(), Mismatch> {
    for (i, value) in values.iter().enumerate() {
        put(of, value, out).map_err(|e| e.inside(format!("[{i}]")))?;
    }
    Ok(())
}

/// What stands behind a list or a map whose elements have no bytes.
fn end(least: usize, count: usize, out: &mut Vec<u8>) {
    if least == 0 {
        out.resize(out.len() + count, 0);
    }
}

fn bytes(schema: &OwnedSchema, json: &Json) -> Result<Vec<u8>, Mismatch> {
    match json {
        Json::Text(text) => Ok(text.as_bytes().to_vec()),
        Json::List(values) => {
            let byte = |(i, value): (usize, &Json)| match value {
                Json::Number(text) => {
                    text.parse().map_err(|_| expected(&OwnedSchema::U8, value).inside(format!("[{i}]")))
                }
                _ => Err(expected(&OwnedSchema::U8, value).inside(format!("[{i}]"))),
            };
            values.iter().enumerate().map(byte).collect()
        }
        _ => Err(expected(schema, json)),
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (seconds, fraction) = text.strip_suffix('s').map(|text| text.split_once('.').unwrap_or((text, "0")))?;
    if !digits(seconds) || !digits(fraction) || fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    Some(Duration::new(seconds.parse().ok()?, format!("{fraction:0<9}").parse().ok()?))
}

fn map(
    schema: &OwnedSchema,
    key: &OwnedSchema,
    of: &OwnedSchema,
    json: &Json,
    out: &mut Vec<u8>,
) -> Result<(), Mismatch> {
    let length = match json {
        Json::Object(members) if *key == OwnedSchema::Str => {
            put_length(out, members.len());
            for (name, value) in members {
                put_bytes(out, name.as_bytes());
                put(of, value, out).map_err(|e| e.inside(format!("[\"{name}\"]")))?;
            }
            members.len()
        }
        Json::List(pairs) => {
            put_length(out, pairs.len());
            for (i, pair) in pairs.iter().enumerate() {
                let Json::List(parts) = pair else { return Err(expected(schema, pair).inside(format!("[{i}]"))) };
                let [one, other] = &parts[..] else {
                    return Err(wrong("a pair of key and value is expected").inside(format!("[{i}]")));
                };
                put(key, one, out).map_err(|e| e.inside(format!("[{i}][0]")))?;
                put(of, other, out).map_err(|e| e.inside(format!("[{i}][1]")))?;
            }
            pairs.len()
        }
        _ => return Err(expected(schema, json)),
    };
    end(key.least_bytes().saturating_add(of.least_bytes()), length, out);
    Ok(())
}

fn put_fields(fields: &[OwnedField], json: &Json, out: &mut Vec<u8>) -> Result<(), Mismatch> {
    let names = || fields.iter().map(|field| &*field.name).collect::<Vec<_>>();
    match shape(fields) {
        Shape::One(field) => put(&field.schema, json, out),
        Shape::Side => {
            let Json::List(values) = json else {
                return Err(wrong(format!(
                    "a list of {} fields is expected, and {} stands there",
                    fields.len(),
                    shown(json)
                )));
            };
            if values.len() != fields.len() {
                return Err(wrong(format!("{} fields are expected, and {} stand there", fields.len(), values.len())));
            }
            for (i, (field, value)) in fields.iter().zip(values).enumerate() {
                put(&field.schema, value, out).map_err(|e| e.inside(format!("[{i}]")))?;
            }
            Ok(())
        }
        Shape::Named => {
            let Json::Object(members) = json else {
                let fields = listed(&names());
                return Err(wrong(format!(
                    "an object with the fields {fields} is expected, and {} stands there",
                    shown(json)
                )));
            };
            if let Some((stranger, _)) = members.iter().find(|(name, _)| fields.iter().all(|field| field.name != *name))
            {
                return Err(wrong(format!("there is no field `{stranger}`; {}", near(stranger, &names()))));
            }
            for field in fields {
                let member = members.iter().find(|(name, _)| *name == field.name);
                let value = match (member, &field.schema) {
                    (Some((_, value)), _) => value,
                    // Others leave out what is null.
                    (None, OwnedSchema::Option(_)) => &Json::Null,
                    (None, _) => return Err(wrong(format!("the field `{}` is missing", field.name))),
                };
                put(&field.schema, value, out).map_err(|e| e.inside(&field.name))?;
            }
            Ok(())
        }
    }
}

fn put_variant(
    schema: &OwnedSchema,
    of: &str,
    variants: &[OwnedVariant],
    json: &Json,
    out: &mut Vec<u8>,
) -> Result<(), Mismatch> {
    let (name, fields) = match json {
        Json::Text(name) => (name, None),
        Json::Object(members) => match &members[..] {
            [(name, fields)] => (name, Some(fields)),
            _ => {
                return Err(wrong(format!(
                    "a variant of `{of}` stands alone in its object, as {{\"Variant\": fields}}"
                )));
            }
        },
        _ => return Err(expected(schema, json)),
    };
    let Some((index, variant)) = variants.iter().enumerate().find(|(_, variant)| variant.name == *name) else {
        let names: Vec<&str> = variants.iter().map(|variant| &*variant.name).collect();
        return Err(wrong(format!("`{of}` has no variant `{name}`; {}", near(name, &names))));
    };
    match u8::try_from(index) {
        Ok(index) if variants.len() <= 256 => out.push(index),
        _ => (index as u16).encode(out),
    }
    match (fields, variant.fields.is_empty()) {
        (None, true) => Ok(()),
        (Some(fields), false) => put_fields(&variant.fields, fields, out).map_err(|e| e.inside(name)),
        (None, false) => {
            let names: Vec<&str> = variant.fields.iter().map(|field| &*field.name).collect();
            Err(wrong(format!("variant `{name}` of `{of}` has fields: {}", listed(&names))))
        }
        (Some(_), true) => Err(wrong(format!("variant `{name}` of `{of}` has no fields: write \"{name}\""))),
    }
}
