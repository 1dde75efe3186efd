//! Makes the plan of a migration: the writer's schema on one side, today's on the other.

use crate::schema::owned::code;
use crate::schema::{Convert, Field, OwnedField, OwnedSchema, Past, Schema, Variant, is_length_known, widened};

/// What is done with one value.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Bytes of fixed width, as they are.
    Copy(usize),
    /// A length and as many bytes, as they are.
    Run,
    /// An integer of `from` bytes becomes one of `to` bytes.
    Widen { from: usize, to: usize, signed: bool },
    /// `f32` becomes `f64`.
    Float,
    /// None or some.
    Option(Box<Step>),
    /// A count and elements; `least` bytes each, before and after.
    List { of: Box<Step>, least: (usize, usize) },
    /// A fixed number of elements.
    Array(Box<Step>, usize),
    /// Parts, in an order that both share.
    Parts(Vec<Part>),
    /// Parts in another order: where each of today's comes from.
    Shuffled { stored: Vec<OwnedSchema>, parts: Vec<(Source, Step)> },
    /// Variants by their stored index.
    Enum { name: &'static str, wide: (bool, bool), variants: Vec<Arm> },
    /// What the user's migration makes of it.
    Migrate(Box<Step>, ConvertWith),
}

/// Where a part of today comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// The stored part at this place.
    Stored(usize),
    /// A default; the step has nothing to do.
    Filled(Fill),
}

/// A part that is copied, left out or filled in.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Step(Step),
    Skip(OwnedSchema),
    Fill(Fill),
}

/// A stored variant.
#[derive(Clone, Debug)]
pub(super) enum Arm {
    /// Today's index of it, and its fields.
    To(u16, Step),
    /// It has been dropped.
    Dropped(String),
}

/// A function that appends a default.
#[derive(Clone, Copy)]
pub(super) struct Fill(pub(super) fn(&mut Vec<u8>));
impl std::fmt::Debug for Fill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fill")
    }
}

/// A user's migration.
#[derive(Clone, Copy)]
pub(super) struct ConvertWith(pub(super) Convert);
impl std::fmt::Debug for ConvertWith {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConvertWith")
    }
}

/// Whether both are written as the same bytes and mean the same.
pub(super) fn same_form(old: &OwnedSchema, new: &Schema) -> bool {
    match (old, new.form()) {
        (OwnedSchema::Scalar(old), new) => same_form(old, new),
        (OwnedSchema::Option(old), Schema::Option(new)) | (OwnedSchema::List(old), Schema::List(new)) => {
            same_form(old, new)
        }
        (OwnedSchema::Array(old, n), Schema::Array(new, today)) => n == today && same_form(old, new),
        (OwnedSchema::Map(key, value), Schema::Map(new_key, new_value)) => {
            same_form(key, new_key) && same_form(value, new_value)
        }
        (OwnedSchema::Tuple(old), Schema::Tuple(new)) => {
            old.len() == new.len() && old.iter().zip(*new).all(|(old, new)| same_form(old, new))
        }
        (OwnedSchema::Struct { name, fields }, Schema::Struct { name: today, fields: new }) => {
            name == today && same_fields(fields, new)
        }
        (OwnedSchema::Enum { name, variants }, Schema::Enum { name: today, variants: new }) => {
            let same = |(old, new): (&crate::schema::OwnedVariant, &Variant)| {
                old.name == new.name && same_fields(&old.fields, new.fields)
            };
            name == today && variants.len() == new.len() && variants.iter().zip(*new).all(same)
        }
        (OwnedSchema::Foreign { name }, Schema::Foreign { name: today }) => name == today,
        (old, new) => !has_parts(new) && OwnedSchema::from(new) == *old,
    }
}

fn same_fields(old: &[OwnedField], new: &[Field]) -> bool {
    let same = |(old, new): (&OwnedField, &Field)| old.name == new.name && same_form(&old.schema, new.schema);
    old.len() == new.len() && old.iter().zip(new).all(same)
}

fn has_parts(schema: &Schema) -> bool {
    matches!(
        schema,
        Schema::Option(_)
            | Schema::List(_)
            | Schema::Array(..)
            | Schema::Map(..)
            | Schema::Tuple(_)
            | Schema::Struct { .. }
            | Schema::Enum { .. }
            | Schema::Foreign { .. }
    )
}

/// The plan; `None` if one of them cannot be read as the other.
pub(super) fn plan(old: &OwnedSchema, new: &'static Schema) -> Option<Step> {
    if let OwnedSchema::Scalar(of) = old {
        return plan(of, new);
    }
    if same_form(old, new) {
        return copy(old, new);
    }
    let migrated = new.past().migrations.iter().find_map(|former| {
        let step = exactly(old, former.schema)?;
        Some(Step::Migrate(Box::new(step), ConvertWith(former.convert)))
    });
    migrated.or_else(|| plainly(old, new.form(), new.past(), true))
}

/// A migration takes a type with exactly these fields or variants, whatever it was called.
fn exactly(old: &OwnedSchema, former: &'static Schema) -> Option<Step> {
    if let OwnedSchema::Scalar(of) = old {
        return exactly(of, former);
    }
    if same_form(old, former) {
        return copy(old, former);
    }
    let again = former.past().migrations.iter().find_map(|before| {
        let step = exactly(old, before.schema)?;
        Some(Step::Migrate(Box::new(step), ConvertWith(before.convert)))
    });
    if again.is_some() {
        return again;
    }
    let fits = match (old, former.form()) {
        (OwnedSchema::Struct { fields, .. }, Schema::Struct { fields: new, .. }) => fields.len() == new.len(),
        (OwnedSchema::Enum { variants, .. }, Schema::Enum { variants: new, .. }) => variants.len() == new.len(),
        (_, Schema::Struct { .. } | Schema::Enum { .. }) => false,
        _ => true,
    };
    if fits { plainly(old, former.form(), Past::NONE, false) } else { None }
}

/// By the form alone. `by_name`: a struct or enum has to have its name, or one that it had.
fn plainly(old: &OwnedSchema, form: &'static Schema, past: &'static Past, by_name: bool) -> Option<Step> {
    let known = |name: &str, today: &str| !by_name || name == today || past.was.contains(&name);
    match (old, form) {
        (OwnedSchema::Struct { name, fields }, Schema::Struct { name: today, fields: new }) => {
            if known(name, today) {
                plan_fields(fields, new, "", past)
            } else {
                None
            }
        }
        (OwnedSchema::Enum { name, variants }, Schema::Enum { name: today, variants: new }) => {
            if !known(name, today) {
                return None;
            }
            let arms = variants.iter().map(|variant| {
                let at = new.iter().position(|it| it.name == variant.name);
                let at = at.or_else(|| new.iter().position(|it| it.was.contains(&&*variant.name)));
                let Some(at) = at else {
                    let dropped = past.dropped.iter().any(|it| it.variant.is_empty() && it.name == variant.name);
                    return dropped.then(|| Arm::Dropped(variant.name.clone()));
                };
                let fields = plan_fields(&variant.fields, new[at].fields, new[at].name, past)?;
                Some(Arm::To(at as u16, fields))
            });
            let variants_planned = arms.collect::<Option<Vec<_>>>()?;
            Some(Step::Enum { name: today, wide: (variants.len() > 256, new.len() > 256), variants: variants_planned })
        }
        (OwnedSchema::Option(old), Schema::Option(new)) => Some(Step::Option(Box::new(plan(old, new)?))),
        (OwnedSchema::List(old), Schema::List(new)) => list(old, new),
        // Bytes are a list of plain ones, which no migration was written for.
        (OwnedSchema::Bytes, Schema::List(new)) => {
            let old = &OwnedSchema::U8;
            let of = if same_form(old, new) { copy(old, new) } else { plainly(old, new.form(), Past::NONE, true) };
            Some(Step::List { of: Box::new(of?), least: (old.least_bytes(), new.least_bytes()) })
        }
        (OwnedSchema::List(of), Schema::Bytes) if **of == OwnedSchema::U8 => Some(Step::Run),
        (OwnedSchema::Array(of, n), Schema::Array(new, today)) if n == today => {
            Some(Step::Array(Box::new(plan(of, new)?), *n))
        }
        (OwnedSchema::Map(key, value), Schema::Map(new_key, new_value)) => {
            let (of, new_of) = (plan(key, new_key)?, plan(value, new_value)?);
            let least = |key: usize, value: usize| key.saturating_add(value);
            let least =
                (least(key.least_bytes(), value.least_bytes()), least(new_key.least_bytes(), new_value.least_bytes()));
            Some(Step::List { of: Box::new(joined([Part::Step(of), Part::Step(new_of)])), least })
        }
        (OwnedSchema::Tuple(old), Schema::Tuple(new)) if old.len() == new.len() => {
            let parts = old.iter().zip(*new).map(|(old, new)| plan(old, new).map(Part::Step));
            Some(joined(parts.collect::<Option<Vec<_>>>()?))
        }
        (OwnedSchema::Tuple(old), Schema::Unit) if old.is_empty() => Some(Step::Copy(0)),
        (OwnedSchema::F32, Schema::F64) => Some(Step::Float),
        (old, new) => {
            let (from, to, signed) = widened(old.short_name(), new.short_name())?;
            // A type may have the name of an integer and be none.
            let both = old.code() < code::OPTION && !has_parts(new);
            both.then_some(Step::Widen { from, to, signed })
        }
    }
}

fn list(old: &OwnedSchema, new: &'static Schema) -> Option<Step> {
    let least = (old.least_bytes(), new.least_bytes());
    Some(Step::List { of: Box::new(plan(old, new)?), least })
}

/// Of what is the same on both sides.
fn copy(old: &OwnedSchema, new: &'static Schema) -> Option<Step> {
    if let Some(width) = width(old) {
        return Some(Step::Copy(width));
    }
    match (old, new.form()) {
        (OwnedSchema::Str | OwnedSchema::Bytes | OwnedSchema::Path, _) => Some(Step::Run),
        (OwnedSchema::Foreign { name }, _) => is_length_known(name).then_some(Step::Run),
        (old, form) => plainly(old, form, Past::NONE, false),
    }
}

/// The bytes of a value, where all values have as many.
pub(super) fn width(schema: &OwnedSchema) -> Option<usize> {
    let sum = |sum: Option<usize>, part: &OwnedSchema| sum?.checked_add(width(part)?);
    match schema {
        OwnedSchema::Str | OwnedSchema::Bytes | OwnedSchema::Path => None,
        OwnedSchema::Option(_) | OwnedSchema::List(_) | OwnedSchema::Map(..) => None,
        OwnedSchema::Enum { .. } | OwnedSchema::Foreign { .. } => None,
        OwnedSchema::Scalar(of) => width(of),
        OwnedSchema::Array(of, n) => width(of)?.checked_mul(*n),
        OwnedSchema::Tuple(parts) => parts.iter().fold(Some(0), sum),
        OwnedSchema::Struct { fields, .. } => fields.iter().map(|field| &field.schema).fold(Some(0), sum),
        plain => Some(plain.least_bytes()),
    }
}

/// Whether a value can be passed over.
fn is_skippable(schema: &OwnedSchema) -> bool {
    let fields = |fields: &[OwnedField]| fields.iter().all(|field| is_skippable(&field.schema));
    match schema {
        OwnedSchema::Foreign { name } => is_length_known(name),
        OwnedSchema::Option(of) | OwnedSchema::List(of) | OwnedSchema::Array(of, _) | OwnedSchema::Scalar(of) => {
            is_skippable(of)
        }
        OwnedSchema::Map(key, value) => is_skippable(key) && is_skippable(value),
        OwnedSchema::Tuple(parts) => parts.iter().all(is_skippable),
        OwnedSchema::Struct { fields: of, .. } => fields(of),
        OwnedSchema::Enum { variants, .. } => variants.iter().all(|variant| fields(&variant.fields)),
        _ => true,
    }
}

fn plan_fields(old: &[OwnedField], new: &'static [Field], variant: &str, past: &'static Past) -> Option<Step> {
    let mut claimed = vec![false; old.len()];
    let mut parts = Vec::with_capacity(new.len());
    for field in new {
        let named = |name: &str| old.iter().position(|it| it.name == name);
        // The newest of the old names stands last.
        match named(field.name).or_else(|| field.was.iter().rev().find_map(|name| named(name))) {
            Some(at) => {
                claimed[at] = true;
                parts.push((Source::Stored(at), plan(&old[at].schema, field.schema)?));
            }
            None => {
                let fill = past.defaults.iter().find(|it| it.variant == variant && it.field == field.name)?;
                parts.push((Source::Filled(Fill(fill.fill)), Step::Copy(0)));
            }
        }
    }
    let dropped = |name: &str| past.dropped.iter().any(|it| it.variant == variant && it.name == name);
    let gone = || old.iter().zip(&claimed).filter(|(_, claimed)| !**claimed).map(|(field, _)| field);
    if !gone().all(|field| dropped(&field.name) && is_skippable(&field.schema)) {
        return None;
    }
    let places = parts.iter().filter_map(|(source, _)| if let Source::Stored(at) = source { Some(*at) } else { None });
    if places.is_sorted_by(|a, b| a < b) {
        return Some(in_order(old, parts));
    }
    let stored = old.iter().map(|field| field.schema.clone()).collect::<Vec<_>>();
    stored.iter().all(is_skippable).then_some(Step::Shuffled { stored, parts })
}

fn in_order(old: &[OwnedField], parts: Vec<(Source, Step)>) -> Step {
    let (mut all, mut next) = (Vec::new(), 0);
    for (source, step) in parts {
        match source {
            Source::Filled(fill) => all.push(Part::Fill(fill)),
            Source::Stored(at) => {
                all.extend(old[next..at].iter().map(|field| Part::Skip(field.schema.clone())));
                all.push(Part::Step(step));
                next = at + 1;
            }
        }
    }
    all.extend(old[next..].iter().map(|field| Part::Skip(field.schema.clone())));
    joined(all)
}

/// Parts one after the other; neighbours that are copied are copied at once.
fn joined(parts: impl IntoIterator<Item = Part>) -> Step {
    let mut all: Vec<Part> = Vec::new();
    for part in parts {
        match (all.last_mut(), part) {
            (Some(Part::Step(Step::Copy(before))), Part::Step(Step::Copy(n))) => *before = before.saturating_add(n),
            (_, part) => all.push(part),
        }
    }
    if let [Part::Step(Step::Copy(n))] = all[..] { Step::Copy(n) } else { Step::Parts(all) }
}
