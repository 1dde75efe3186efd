//! From bytes to JSON.

use super::foreign::unpacked;
use super::hex::to_hex;
use super::{SERDE, SOME, Shape, is_nullable, is_opaque, shape, some};
use crate::codec::{CodecError, Reader};
use crate::json::Json;
use crate::record::Record;
use crate::schema::{OwnedField, OwnedSchema};
use crate::time::{TimeSpan, Timestamp};
use std::time::Duration;

/// A byte form as JSON.
///
/// # Errors
/// If the bytes are no value of this schema.
pub fn to_json(schema: &OwnedSchema, bytes: &[u8]) -> Result<Json, CodecError> {
    if is_opaque(schema) {
        return Ok(to_hex(bytes));
    }
    let mut from = Reader::new(bytes);
    let json = value(schema, &mut from)?;
    from.end()?;
    Ok(json)
}

fn value(schema: &OwnedSchema, from: &mut Reader<'_>) -> Result<Json, CodecError> {
    Ok(match schema {
        OwnedSchema::Bool => Json::Bool(bool::decode(from)?),
        OwnedSchema::U8 => Json::number(u8::decode(from)?),
        OwnedSchema::U16 => Json::number(u16::decode(from)?),
        OwnedSchema::U32 => Json::number(u32::decode(from)?),
        OwnedSchema::U64 => Json::number(u64::decode(from)?),
        OwnedSchema::U128 => Json::number(u128::decode(from)?),
        OwnedSchema::I8 => Json::number(i8::decode(from)?),
        OwnedSchema::I16 => Json::number(i16::decode(from)?),
        OwnedSchema::I32 => Json::number(i32::decode(from)?),
        OwnedSchema::I64 => Json::number(i64::decode(from)?),
        OwnedSchema::I128 => Json::number(i128::decode(from)?),
        OwnedSchema::F32 => {
            let float = f32::decode(from)?;
            let (bits, usual) = (float.to_bits(), f32::NAN.to_bits());
            if float.is_nan() && bits != usual {
                Json::text(format!("NaN:{bits:08x}"))
            } else {
                number(float.is_finite(), float)
            }
        }
        OwnedSchema::F64 => {
            let float = f64::decode(from)?;
            let (bits, usual) = (float.to_bits(), f64::NAN.to_bits());
            if float.is_nan() && bits != usual {
                Json::text(format!("NaN:{bits:016x}"))
            } else {
                number(float.is_finite(), float)
            }
        }
        OwnedSchema::Char => Json::text(char::decode(from)?),
        OwnedSchema::Str => Json::text(from.str()?),
        OwnedSchema::Bytes => bytes(from.bytes()?),
        OwnedSchema::Path => {
            let path = from.bytes()?;
            std::str::from_utf8(path).map_or_else(|_| list_of_bytes(path), Json::text)
        }
        OwnedSchema::Timestamp => Json::text(Timestamp::decode(from)?.to_string()),
        OwnedSchema::TimeSpan => Json::text(TimeSpan::decode(from)?.to_string()),
        OwnedSchema::Duration => Json::text(seconds(Duration::decode(from)?)),
        OwnedSchema::Unit => Json::Null,
        OwnedSchema::Option(of) => match bool::decode(from)? {
            false => Json::Null,
            true => {
                let inner = value(of, from)?;
                let clear = !is_nullable(of) || (inner != Json::Null && some(&inner).is_none());
                if clear { inner } else { Json::Object(vec![(SOME.to_owned(), inner)]) }
            }
        },
        OwnedSchema::List(of) => {
            let least = of.least_bytes();
            let count = from.count(least)?;
            let values = from.nested(|from| {
                (0..count).map(|i| value(of, from).map_err(|e| e.element(i))).collect::<Result<_, _>>()
            })?;
            end(from, least, count)?;
            Json::List(values)
        }
        OwnedSchema::Array(of, length) if **of == OwnedSchema::U8 => bytes(from.take(*length)?),
        OwnedSchema::Array(of, length) => {
            Json::List((0..*length).map(|i| value(of, from).map_err(|e| e.element(i))).collect::<Result<_, _>>()?)
        }
        OwnedSchema::Map(key, of) => map(key, of, from)?,
        OwnedSchema::Tuple(parts) => Json::List(parts.iter().map(|part| value(part, from)).collect::<Result<_, _>>()?),
        OwnedSchema::Struct { fields, .. } => of_fields(fields, from)?,
        OwnedSchema::Enum { name, variants } => {
            let index = if variants.len() > 256 { u16::decode(from)? } else { u16::from(from.byte()?) };
            let variant = variants.get(usize::from(index));
            let variant = variant.ok_or_else(|| from.invalid(format!("`{name}` has no variant number {index}")))?;
            match variant.fields.is_empty() {
                true => Json::text(&*variant.name),
                false => Json::Object(vec![(variant.name.clone(), of_fields(&variant.fields, from)?)]),
            }
        }
        OwnedSchema::Scalar(of) => value(of, from)?,
        OwnedSchema::Foreign { name } if name == SERDE => {
            let packed = from.bytes()?;
            unpacked(packed).map_err(|why| from.invalid(why))?
        }
        OwnedSchema::Foreign { name } => return Err(from.invalid(format!("`{name}` has a form of its own"))),
    })
}

fn number(finite: bool, float: impl std::fmt::Debug) -> Json {
    let text = format!("{float:?}");
    if finite { Json::Number(text) } else { Json::Text(text) }
}

fn bytes(bytes: &[u8]) -> Json {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(|byte| (0x20..0x7f).contains(byte)) => Json::text(text),
        _ => list_of_bytes(bytes),
    }
}

fn list_of_bytes(bytes: &[u8]) -> Json {
    Json::List(bytes.iter().map(Json::number).collect())
}

fn seconds(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    if nanos == 0 {
        format!("{seconds}s")
    } else {
        format!("{seconds}.{}s", format!("{nanos:09}").trim_end_matches('0'))
    }
}

/// What stands behind a list or a map whose elements have no bytes.
fn end(from: &mut Reader<'_>, least: usize, count: usize) -> Result<(), CodecError> {
    if least == 0 && from.take(count)?.iter().any(|byte| *byte != 0) {
        return Err(from.invalid("no zeros behind elements without bytes"));
    }
    Ok(())
}

fn map(key: &OwnedSchema, of: &OwnedSchema, from: &mut Reader<'_>) -> Result<Json, CodecError> {
    let least = key.least_bytes().saturating_add(of.least_bytes());
    let count = from.count(least)?;
    let pairs: Vec<(Json, Json)> = from.nested(|from| {
        let pair = |from: &mut Reader<'_>| Ok((value(key, from)?, value(of, from)?));
        (0..count).map(|i| pair(from).map_err(|e: CodecError| e.element(i))).collect::<Result<_, _>>()
    })?;
    end(from, least, count)?;
    if *key != OwnedSchema::Str {
        return Ok(Json::List(pairs.into_iter().map(|(key, value)| Json::List(vec![key, value])).collect()));
    }
    let members =
        pairs.into_iter().map(|(key, value)| (if let Json::Text(key) = key { key } else { String::new() }, value));
    Ok(Json::Object(members.collect()))
}

fn of_fields(fields: &[OwnedField], from: &mut Reader<'_>) -> Result<Json, CodecError> {
    let mut read = |field: &OwnedField| value(&field.schema, from);
    Ok(match shape(fields) {
        Shape::One(field) => read(field)?,
        Shape::Side => Json::List(fields.iter().map(read).collect::<Result<_, _>>()?),
        Shape::Named => {
            let named = fields.iter().map(|field| Ok((field.name.clone(), read(field)?)));
            Json::Object(named.collect::<Result<_, CodecError>>()?)
        }
    })
}
