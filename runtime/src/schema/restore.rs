//! [`can_restore`]: whether what was written as one schema can be read as another, asked in constants, so that a state
//! that would be lost is an error of `cargo check`.
//!
//! What can be read: fields that are new and have a default, fields that are dropped by name, fields and variants under
//! other names (`#[was(..)]`), in another order, and variants that are new; integers that became wider, `f32` that became
//! `f64`; and what a migration is there for. All of it at any depth. Everything else is refused, with the path to the part
//! that differs and what to write. `record/migrate.rs` reads bytes by the same rules; a test holds the two together.
//!
//! Keys are less free: the hash of a key says where its state is, so whatever would change the hash is refused.

mod refusal;

use super::locked::{LockedFields, LockedKind, LockedSchema, LockedVariants, has, same};
use super::past::{Owner, Past};
use super::{Field, Message, Schema, Variant};
use refusal::{gone, gone_variant, moved, no_migration, other, renamed, renamed_variant, unfilled};

/// Whether what was written in one form can be read in another.
#[derive(Clone, Copy)]
#[expect(clippy::large_enum_variant, reason = "made in constants, where nothing can be boxed")]
pub enum Verdict {
    /// The forms are one.
    Same,
    /// They differ, and the one can be read as the other.
    Reads,
    /// They differ in a way that would lose or change values: what, where, and what to write.
    Refused(Message),
}

impl Verdict {
    /// What is wrong, if something is.
    pub const fn refusal(&self) -> Option<&str> {
        match self {
            Verdict::Refused(message) => Some(message.as_str()),
            _ => None,
        }
    }

    const fn and(self, other: Verdict) -> Verdict {
        match (self, other) {
            (Verdict::Refused(_), _) => self,
            (_, Verdict::Refused(_)) => other,
            (Verdict::Same, Verdict::Same) => Verdict::Same,
            _ => Verdict::Reads,
        }
    }

    const fn is_refused(&self) -> bool {
        matches!(self, Verdict::Refused(_))
    }

    const fn changed_if(self, changed: bool) -> Verdict {
        if changed { self.and(Verdict::Reads) } else { self }
    }
}

/// Whether values that were written as `old` can be read as `new`.
pub const fn can_restore(old: &LockedSchema<'_>, new: &'static Schema) -> Verdict {
    can_restore_of(old, new, "operator")
}

/// The same of what an operator keeps, which has this name.
pub const fn can_restore_of(old: &LockedSchema<'_>, new: &'static Schema, operator: &str) -> Verdict {
    whole(*old, walk(*old, new, &Place { operator, ..Place::root(new) }, Rules { key: false }))
}

/// The same for keys: what also leaves the hash of each key as it is.
pub const fn can_restore_key(old: &LockedSchema<'_>, new: &'static Schema) -> Verdict {
    whole(*old, walk(*old, new, &Place::root(new), Rules { key: true }))
}

/// A value is read part by part where anything in it has changed, which a form that only its own type knows does not allow.
const fn whole(old: LockedSchema<'_>, verdict: Verdict) -> Verdict {
    match (verdict, opaque(old)) {
        (Verdict::Reads, Some(name)) => {
            let text = Message::new().put("it holds a `").put(name).put("`, whose bytes only that type can read");
            Verdict::Refused(text.put(", beside parts that have changed\nhelp: change them back"))
        }
        _ => verdict,
    }
}

/// A foreign type of unknown length in it.
const fn opaque(schema: LockedSchema<'_>) -> Option<&str> {
    match schema.kind() {
        LockedKind::Foreign(name) if !is_length_known(name) => Some(name),
        LockedKind::Option(of) | LockedKind::List(of) | LockedKind::Array(of, _) => opaque(of),
        LockedKind::Map(key, value) => match opaque(key) {
            Some(name) => Some(name),
            None => opaque(value),
        },
        LockedKind::Tuple(mut rest) => {
            while let Some((part, behind)) = rest.next() {
                if let Some(name) = opaque(part) {
                    return Some(name);
                }
                rest = behind;
            }
            None
        }
        LockedKind::Struct(_, fields) => opaque_field(fields),
        LockedKind::Enum(_, mut rest) => {
            while let Some((_, fields, behind)) = rest.next() {
                if let Some(name) = opaque_field(fields) {
                    return Some(name);
                }
                rest = behind;
            }
            None
        }
        _ => None,
    }
}

const fn opaque_field(mut rest: LockedFields<'_>) -> Option<&str> {
    while let Some((_, schema, behind)) = rest.next() {
        if let Some(name) = opaque(schema) {
            return Some(name);
        }
        rest = behind;
    }
    None
}

#[derive(Clone, Copy)]
struct Rules {
    /// Hashes stay as they are.
    key: bool,
}

/// Where in the value the walk is: the names from the outside in.
struct Place<'p> {
    outside: Option<&'p Place<'p>>,
    /// The innermost type with a name: where attributes can be written.
    within: Option<&'p str>,
    joint: &'p str,
    name: &'p str,
    /// The operator that keeps it.
    operator: &'p str,
    /// The state or timer of a `process` that it is in.
    state: Option<&'p str>,
}

impl<'p> Place<'p> {
    const fn root(schema: &'p Schema) -> Place<'p> {
        Place { outside: None, within: named(schema), joint: "", name: "", operator: "operator", state: None }
    }

    const fn field(&'p self, name: &'p str, of: &'p Schema) -> Place<'p> {
        let within = match named(of) {
            Some(name) => Some(name),
            None => self.within,
        };
        Place { outside: Some(self), within, joint: ".", name, operator: self.operator, state: self.state }
    }

    /// A state or timer of a `process`, by its name alone.
    const fn state(&'p self, name: &'p str) -> Place<'p> {
        Place { outside: Some(self), within: None, joint: "", name, operator: self.operator, state: Some(name) }
    }

    const fn part(&'p self, name: &'p str, of: &'p Schema) -> Place<'p> {
        Place { joint: "", ..self.field(name, of) }
    }

    const fn is_root(&self) -> bool {
        self.outside.is_none()
    }

    /// `Best.legs[].venue`
    const fn put(&self, to: Message) -> Message {
        match (self.outside, self.within) {
            (Some(outside), _) => outside.put(to).put(self.joint).put(self.name),
            (None, Some(name)) => to.put(name),
            (None, None) => to,
        }
    }
}

/// The name of the type, if the user has given it one.
const fn named(schema: &Schema) -> Option<&str> {
    match (schema.form(), schema.past().owner) {
        (Schema::Struct { name, .. } | Schema::Enum { name, .. }, Owner::User) => Some(name),
        _ => None,
    }
}

const fn walk(old: LockedSchema<'_>, new: &'static Schema, place: &Place<'_>, rules: Rules) -> Verdict {
    if old.is(new) {
        return Verdict::Same;
    }
    let past = new.past();
    let verdict = plainly(old, new.form(), past, place, rules);
    if matches!(verdict, Verdict::Same) || rules.key || past.migrations.is_empty() {
        return verdict;
    }
    match verdict {
        _ if is_former(old, past) => Verdict::Reads,
        Verdict::Refused(why) => no_migration(why, new.short_name()),
        _ => verdict,
    }
}

/// Whether a migration begins with what was written: it takes a type with exactly these fields, so that it cannot be
/// taken for one that is there for another version.
const fn is_former(old: LockedSchema<'_>, past: &'static Past) -> bool {
    let mut i = 0;
    while i < past.migrations.len() {
        if is_exactly(old, past.migrations[i].schema) {
            return true;
        }
        i += 1;
    }
    false
}

const fn is_exactly(old: LockedSchema<'_>, former: &'static Schema) -> bool {
    if is_former(old, former.past()) {
        return true;
    }
    let place = Place::root(former);
    let rules = Rules { key: false };
    match (old.kind(), former.form()) {
        // A former type has another name in today's code than it had when it was written.
        (LockedKind::Struct(_, old), Schema::Struct { fields, .. }) => {
            old.count() == fields.len()
                && !has_strangers(old, fields)
                && !fields_of(old, fields, "", Past::NONE, &place, rules).is_refused()
        }
        (LockedKind::Enum(_, old), Schema::Enum { variants, .. }) => {
            old.count() == variants.len() && !variants_of(old, variants, Past::NONE, &place, rules).is_refused()
        }
        (LockedKind::Struct(..) | LockedKind::Enum(..), _) | (_, Schema::Struct { .. } | Schema::Enum { .. }) => false,
        (_, form) => !plainly(old, form, Past::NONE, &place, rules).is_refused(),
    }
}

/// Whether a name of today was not stored, nor under an old name.
const fn has_strangers(old: LockedFields<'_>, new: &'static [Field]) -> bool {
    let (mut i, mut ahead) = (0, Ahead { rest: old, at: 0 });
    while i < new.len() {
        let (found, behind) = stored(old, ahead, &new[i]);
        if found.is_none() {
            return true;
        }
        (i, ahead) = (i + 1, behind);
    }
    false
}

const fn plainly(
    old: LockedSchema<'_>,
    form: &'static Schema,
    past: &'static Past,
    place: &Place<'_>,
    rules: Rules,
) -> Verdict {
    match (old.kind(), form) {
        (LockedKind::Struct(name, old_fields), Schema::Struct { name: today, fields }) => {
            if !same(name, today) && !has(past.was, name) {
                return match past.owner {
                    Owner::User => renamed(old, form, place),
                    // nothing can be written on it
                    Owner::Pelton | Owner::Process => other(old, form, place, rules),
                };
            }
            fields_of(old_fields, fields, "", past, place, rules).changed_if(!same(name, today))
        }
        (LockedKind::Enum(name, old_variants), Schema::Enum { name: today, variants }) => {
            if !same(name, today) && !has(past.was, name) {
                return match past.owner {
                    Owner::User => renamed(old, form, place),
                    // nothing can be written on it
                    Owner::Pelton | Owner::Process => other(old, form, place, rules),
                };
            }
            variants_of(old_variants, variants, past, place, rules).changed_if(!same(name, today))
        }
        (LockedKind::Option(old), Schema::Option(new)) => walk(old, new, place, rules),
        (LockedKind::List(old), Schema::List(new)) => walk(old, new, &place.part("[]", new), rules),
        (LockedKind::Array(of, n), Schema::Array(new, today)) => {
            if n != *today {
                return other(old, form, place, rules);
            }
            walk(of, new, &place.part("[]", new), rules)
        }
        (LockedKind::Map(key, value), Schema::Map(new_key, new_value)) => {
            let keys = walk(key, new_key, &place.part("{key}", new_key), rules);
            keys.and(walk(value, new_value, &place.part("{value}", new_value), rules))
        }
        (LockedKind::Tuple(old_parts), Schema::Tuple(parts)) => {
            if old_parts.count() != parts.len() {
                return other(old, form, place, rules);
            }
            let (mut rest, mut i, mut verdict) = (old_parts, 0, Verdict::Same);
            while let Some((part, behind)) = rest.next() {
                verdict = verdict.and(walk(part, parts[i], &place.field(super::flat::place(i), parts[i]), rules));
                (rest, i) = (behind, i + 1);
            }
            verdict
        }
        (LockedKind::Unit, Schema::Unit) => Verdict::Same,
        (LockedKind::Unit, Schema::Tuple([])) => Verdict::Same,
        (LockedKind::Foreign(name), Schema::Foreign { name: today }) if same(name, today) => Verdict::Same,
        (LockedKind::Plain(word), _) => match plain(word, form) {
            Some(true) => Verdict::Same,
            Some(false) => Verdict::Reads,
            None => other(old, form, place, rules),
        },
        // Bytes are a list of them.
        (LockedKind::List(of), Schema::Bytes) if matches!(of.kind(), LockedKind::Plain(word) if same(word, "u8")) => {
            Verdict::Reads
        }
        _ => other(old, form, place, rules),
    }
}

/// Of what has no parts: whether it is the same, or can be read; `None` if it cannot.
const fn plain(old: &str, form: &'static Schema) -> Option<bool> {
    if let Schema::List(of) = form {
        return match plain("u8", of.form()) {
            Some(_) if same(old, "bytes") => Some(false),
            _ => None,
        };
    }
    if matches!(form, Schema::Struct { .. } | Schema::Enum { .. } | Schema::Foreign { .. }) {
        return None;
    }
    let today = form.short_name();
    if same(old, today) {
        return Some(true);
    }
    let float = same(old, "f32") && same(today, "f64");
    if float || widened(old, today).is_some() { Some(false) } else { None }
}

/// Of two integers of which the second holds each value of the first: the bytes of both, and whether the first is signed.
pub(crate) const fn widened(old: &str, today: &str) -> Option<(usize, usize, bool)> {
    match (integer(old), integer(today)) {
        (Some((signed, bits)), Some((signed_today, bits_today)))
            if bits < bits_today && (signed == signed_today || signed_today) =>
        {
            Some((bits / 8, bits_today / 8, signed))
        }
        _ => None,
    }
}

/// Whether a foreign type begins with its length. Others have a form of their own, which nobody else can pass over.
pub(crate) const fn is_length_known(name: &str) -> bool {
    same(name, "Serde<..>")
}

/// Whether it is signed, and its bits.
const fn integer(name: &str) -> Option<(bool, usize)> {
    match name.as_bytes() {
        b"u8" => Some((false, 8)),
        b"u16" => Some((false, 16)),
        b"u32" => Some((false, 32)),
        b"u64" => Some((false, 64)),
        b"u128" => Some((false, 128)),
        b"i8" => Some((true, 8)),
        b"i16" => Some((true, 16)),
        b"i32" => Some((true, 32)),
        b"i64" => Some((true, 64)),
        b"i128" => Some((true, 128)),
        _ => None,
    }
}

/// Stored fields from one on: where the next one of today is looked for first, since most keep their order.
#[derive(Clone, Copy)]
struct Ahead<'a> {
    rest: LockedFields<'a>,
    at: usize,
}

/// A stored field.
#[derive(Clone, Copy)]
struct Stored<'a> {
    /// Its place among the stored ones.
    at: usize,
    schema: LockedSchema<'a>,
    /// Whether it was stored under another name.
    renamed: bool,
}

/// A field of today as it was stored: under its name or, if there is none of it, under an old one. And where to look for
/// the next one.
const fn stored<'a>(old: LockedFields<'a>, ahead: Ahead<'a>, new: &Field) -> (Option<Stored<'a>>, Ahead<'a>) {
    if let Some((name, schema, rest)) = ahead.rest.next()
        && same(name, new.name)
    {
        return (Some(Stored { at: ahead.at, schema, renamed: false }), Ahead { rest, at: ahead.at + 1 });
    }
    let (mut wanted, mut names) = (new.name, new.was.len());
    loop {
        let (mut rest, mut at) = (old, 0);
        while let Some((name, schema, behind)) = rest.next() {
            if same(name, wanted) {
                let renamed = !same(name, new.name);
                return (Some(Stored { at, schema, renamed }), Ahead { rest: behind, at: at + 1 });
            }
            (rest, at) = (behind, at + 1);
        }
        if names == 0 {
            return (None, ahead);
        }
        names -= 1;
        wanted = new.was[names];
    }
}

/// The most fields of a struct that a lock can hold.
const MOST_FIELDS: usize = 1024;

const fn fields_of(
    old: LockedFields<'_>,
    new: &'static [Field],
    variant: &str,
    past: &'static Past,
    place: &Place<'_>,
    rules: Rules,
) -> Verdict {
    let mut claimed = [0u64; MOST_FIELDS / 64];
    let (mut i, mut ahead, mut verdict) = (0, Ahead { rest: old, at: 0 }, Verdict::Same);
    // The first new field without a value: perhaps one of those that are gone, under another name.
    let mut stranger = None;
    while i < new.len() {
        let field = &new[i];
        let (found, behind) = stored(old, ahead, field);
        ahead = behind;
        match found {
            Some(Stored { at, schema, renamed }) => {
                if at < MOST_FIELDS {
                    claimed[at / 64] |= 1 << (at % 64);
                }
                if rules.key && at != i {
                    return moved(field, variant, place);
                }
                let inside = match past.owner {
                    Owner::Process => place.state(field.name),
                    _ => place.field(field.name, field.schema),
                };
                let inside = walk(schema, field.schema, &inside, rules);
                verdict = verdict.and(inside).changed_if(at != i || renamed);
            }
            None if rules.key || !is_filled(past, variant, field.name) => {
                if stranger.is_none() {
                    stranger = Some(field);
                }
            }
            None => verdict = verdict.and(Verdict::Reads),
        }
        i += 1;
    }
    let (mut rest, mut at) = (old, 0);
    while let Some((name, _, behind)) = rest.next() {
        let is_claimed = at < MOST_FIELDS && claimed[at / 64] >> (at % 64) & 1 == 1;
        if !is_claimed {
            if rules.key || !is_dropped(past, variant, name) {
                return gone(name, variant, stranger, place, rules, matches!(past.owner, Owner::Process));
            }
            verdict = verdict.and(Verdict::Reads);
        }
        (rest, at) = (behind, at + 1);
    }
    match stranger {
        Some(field) => unfilled(field, variant, place, rules),
        None => verdict,
    }
}

/// Today's variant for a stored name: the one that has it, else the one that had it; and its place.
const fn variant_of(new: &'static [Variant], name: &str) -> Option<usize> {
    let mut i = 0;
    while i < new.len() {
        if same(new[i].name, name) {
            return Some(i);
        }
        i += 1;
    }
    i = 0;
    while i < new.len() {
        if has(new[i].was, name) {
            return Some(i);
        }
        i += 1;
    }
    None
}

const fn variants_of(
    old: LockedVariants<'_>,
    new: &'static [Variant],
    past: &'static Past,
    place: &Place<'_>,
    rules: Rules,
) -> Verdict {
    let (mut rest, mut at, mut verdict) = (old, 0, Verdict::Same);
    while let Some((name, fields, behind)) = rest.next() {
        match variant_of(new, name) {
            Some(i) => {
                let variant = &new[i];
                if rules.key && !same(variant.name, name) {
                    return renamed_variant(name, variant.name, place);
                }
                let inside = Place { outside: Some(place), joint: "::", name: variant.name, ..*place };
                verdict = verdict
                    .and(fields_of(fields, variant.fields, variant.name, past, &inside, rules))
                    .changed_if(i != at || !same(variant.name, name));
            }
            None if rules.key || !is_dropped(past, "", name) => {
                return gone_variant(name, newcomer(old, new), place, rules);
            }
            None => verdict = verdict.and(Verdict::Reads),
        }
        (rest, at) = (behind, at + 1);
    }
    verdict.changed_if(at != new.len())
}

/// A variant of today that was not stored: perhaps one of those that are gone, under another name.
const fn newcomer(old: LockedVariants<'_>, new: &'static [Variant]) -> Option<&'static Variant> {
    let mut i = 0;
    while i < new.len() {
        let (mut rest, mut stored) = (old, false);
        while let Some((name, _, behind)) = rest.next() {
            stored = stored || same(name, new[i].name) || has(new[i].was, name);
            rest = behind;
        }
        if !stored {
            return Some(&new[i]);
        }
        i += 1;
    }
    None
}

const fn is_dropped(past: &Past, variant: &str, name: &str) -> bool {
    let mut i = 0;
    while i < past.dropped.len() {
        if same(past.dropped[i].variant, variant) && same(past.dropped[i].name, name) {
            return true;
        }
        i += 1;
    }
    false
}

const fn is_filled(past: &Past, variant: &str, field: &str) -> bool {
    let mut i = 0;
    while i < past.defaults.len() {
        if same(past.defaults[i].variant, variant) && same(past.defaults[i].field, field) {
            return true;
        }
        i += 1;
    }
    false
}
