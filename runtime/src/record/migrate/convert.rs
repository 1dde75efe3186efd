//! Runs a plan over bytes. They come from disk and are not trusted: what is no value of the writer's schema is an error,
//! and nothing is set aside for a count that the bytes do not justify.

use super::plan::{Arm, Part, Source, Step, width};
use crate::codec::{CodecError, Reader, put_bytes, put_length};
use crate::schema::{OwnedField, OwnedSchema};

impl Step {
    pub(super) fn run(&self, from: &mut Reader<'_>, to: &mut Vec<u8>) -> Result<(), CodecError> {
        match self {
            Step::Copy(n) => to.extend_from_slice(from.take(*n)?),
            Step::Run => put_bytes(to, from.bytes()?),
            Step::Widen { from: few, to: many, signed } => {
                let bytes = from.take(*few)?;
                to.extend_from_slice(bytes);
                let negative = *signed && bytes.last().is_some_and(|top| *top >= 0x80);
                to.resize(to.len() + (many - few), if negative { 0xff } else { 0 });
            }
            Step::Float => to.extend_from_slice(&f64::from(f32::from_le_bytes(from.array()?)).to_le_bytes()),
            Step::Option(some) => match from.byte()? {
                0 => to.push(0),
                1 => {
                    to.push(1);
                    some.run(from, to)?;
                }
                other => return Err(from.invalid(format!("{other} is neither none (0) nor some (1)"))),
            },
            Step::List { of, least: (least, least_today) } => {
                let count = from.count(*least)?;
                put_length(to, count);
                for i in 0..count {
                    of.run(from, to).map_err(|e| e.element(i))?;
                }
                end_of_list(from, *least, count)?;
                if *least_today == 0 {
                    to.resize(to.len() + count, 0);
                }
            }
            Step::Array(of, n) => {
                for i in 0..*n {
                    of.run(from, to).map_err(|e| e.element(i))?;
                }
            }
            Step::Parts(parts) => {
                for part in parts {
                    match part {
                        Part::Step(step) => step.run(from, to)?,
                        Part::Skip(schema) => skip(schema, from)?,
                        Part::Fill(fill) => (fill.0)(to),
                    }
                }
            }
            Step::Shuffled { stored, parts } => {
                let mut places = Vec::with_capacity(stored.len());
                for schema in stored {
                    places.push(from.clone());
                    skip(schema, from)?;
                }
                for (source, step) in parts {
                    match source {
                        Source::Filled(fill) => (fill.0)(to),
                        Source::Stored(at) => {
                            if let Some(place) = places.get(*at) {
                                step.run(&mut place.clone(), to)?;
                            }
                        }
                    }
                }
            }
            Step::Enum { name, wide: (wide, wide_today), variants } => {
                let index = index(from, *wide)?;
                match variants.get(usize::from(index)) {
                    Some(Arm::To(today, fields)) => {
                        if *wide_today {
                            to.extend_from_slice(&today.to_le_bytes());
                        } else {
                            to.push(*today as u8);
                        }
                        fields.run(from, to)?;
                    }
                    Some(Arm::Dropped(variant)) => {
                        let what = format!("a stored `{name}::{variant}`, a variant that `{name}` has dropped");
                        return Err(from.invalid(what));
                    }
                    None => return Err(from.no_variant(name, index)),
                }
            }
            Step::Migrate(step, convert) => {
                let mut former = Vec::new();
                step.run(from, &mut former)?;
                (convert.0)(&former, to).map_err(|what| from.invalid(what))?;
            }
        }
        Ok(())
    }
}

fn index(from: &mut Reader<'_>, wide: bool) -> Result<u16, CodecError> {
    if wide { Ok(u16::from_le_bytes(from.array()?)) } else { Ok(u16::from(from.byte()?)) }
}

/// Elements without bytes have a zero each behind the last.
fn end_of_list(from: &mut Reader<'_>, least: usize, count: usize) -> Result<(), CodecError> {
    if least == 0 && from.take(count)?.iter().any(|byte| *byte != 0) {
        return Err(from.invalid("no zeros behind elements without bytes"));
    }
    Ok(())
}

/// Passes over a value.
fn skip(schema: &OwnedSchema, from: &mut Reader<'_>) -> Result<(), CodecError> {
    // Also what keeps an array of a great many empty values from being walked.
    if let Some(width) = width(schema) {
        return from.take(width).map(|_| ());
    }
    match schema {
        OwnedSchema::Option(of) => match from.byte()? {
            0 => Ok(()),
            1 => skip(of, from),
            other => Err(from.invalid(format!("{other} is neither none (0) nor some (1)"))),
        },
        OwnedSchema::List(of) => {
            let (count, width) = (from.count(of.least_bytes())?, width(of));
            match width {
                Some(width) => from.take(width.saturating_mul(count)).map(|_| ())?,
                None => (0..count).try_for_each(|i| skip(of, from).map_err(|e| e.element(i)))?,
            }
            end_of_list(from, of.least_bytes(), count)
        }
        OwnedSchema::Map(key, value) => {
            let least = key.least_bytes().saturating_add(value.least_bytes());
            let count = from.count(least)?;
            for i in 0..count {
                skip(key, from).and_then(|()| skip(value, from)).map_err(|e| e.element(i))?;
            }
            end_of_list(from, least, count)
        }
        OwnedSchema::Array(of, n) => (0..*n).try_for_each(|i| skip(of, from).map_err(|e| e.element(i))),
        OwnedSchema::Scalar(of) => skip(of, from),
        OwnedSchema::Tuple(parts) => parts.iter().try_for_each(|part| skip(part, from)),
        OwnedSchema::Struct { fields, .. } => skip_fields(fields, from),
        OwnedSchema::Enum { name, variants } => {
            let index = index(from, variants.len() > 256)?;
            match variants.get(usize::from(index)) {
                Some(variant) => skip_fields(&variant.fields, from),
                None => Err(from.invalid(format!("`{name}` has no variant number {index}"))),
            }
        }
        // Text, bytes, and foreign types whose length is known: no plan passes over others.
        _ => from.bytes().map(|_| ()),
    }
}

fn skip_fields(fields: &[OwnedField], from: &mut Reader<'_>) -> Result<(), CodecError> {
    fields.iter().try_for_each(|field| skip(&field.schema, from))
}
