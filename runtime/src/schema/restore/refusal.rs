//! What is said of what cannot be restored: the part, what it was and is, and what to write.

use super::super::flat::put_type;
use super::super::locked::{LockedKind, LockedSchema, same};
use super::super::{Field, Message, Schema, Variant};
use super::{Place, Rules, Verdict};

pub(super) const fn other(old: LockedSchema<'_>, form: &'static Schema, place: &Place<'_>, rules: Rules) -> Verdict {
    // One name may have been that of a struct and be that of an enum.
    let (was, is) = if same(old.short_name(), form.short_name()) { (kind_of(old), kind(form)) } else { ("", "") };
    let text = put_locked(start(place).put(" was `").put(was), old);
    let text = put_type(text.put("` and is `").put(is), form).put("` now");
    if rules.key {
        return Verdict::Refused(text.put(", and state is found by the hash of its key").put(BACK));
    }
    let text = text.put("\nhelp: change it back");
    let text = match place.within {
        Some(name) => text
            .put(", or keep the old type under another name and write `#[record(migrate = function)]` on `")
            .put(name)
            .put("`, with `fn(Old) -> ")
            .put(name)
            .put("`"),
        None if let Some(state) = place.state => text
            .put(", or give it another name and write `#[dropped(")
            .put(place.operator)
            .put(".")
            .put(state)
            .put(")]` on the job"),
        None => text.put(
            ", or give the operator another name and the job `#[dropped(old_name)]`; a type of your own could have a migration",
        ),
    };
    Verdict::Refused(text)
}

/// `it`, or the path to the part.
const fn start(place: &Place<'_>) -> Message {
    if place.is_root() { Message::new().put("it") } else { place.put(Message::new().put("`")).put("`") }
}

pub(super) const fn renamed(old: LockedSchema<'_>, form: &'static Schema, place: &Place<'_>) -> Verdict {
    let (was, is) = (old.short_name(), form.short_name());
    let text = start(place).put(" was of type `").put(was).put("` and is of type `").put(is).put("` now");
    let text =
        text.put("\nhelp: if the type has just got another name, write `#[was(").put(was).put(")]` on `").put(is);
    Verdict::Refused(
        text.put("`; if it is another type, `#[record(migrate = function)]`, with `fn(Old) -> ").put(is).put("`"),
    )
}

/// The type, and the variant if there is one: `Stats`, `Shape::Round`.
const fn put_within(to: Message, variant: &str, place: &Place<'_>) -> Message {
    let to = match place.within {
        Some(name) => to.put(name),
        None => to,
    };
    if variant.is_empty() { to } else { to.put("::").put(variant) }
}

pub(super) const fn gone(
    name: &str,
    variant: &str,
    stranger: Option<&Field>,
    place: &Place<'_>,
    rules: Rules,
    of_process: bool,
) -> Verdict {
    if of_process {
        let text = Message::new().put("`").put(name).put("` is stored, and the process does not have it any more");
        let text = text.put("\nhelp: if it has another name now, write `#[was(").put(name);
        let text =
            text.put(")]` in front of that `state` or `timer`; if its values may go, `#[dropped(").put(place.operator);
        return Verdict::Refused(text.put(".").put(name).put(")]` on the job"));
    }
    let text = Message::new().put("field `").put(name).put("` of `");
    let text = put_within(text, variant, place).put("` is not there any more");
    if rules.key {
        return Verdict::Refused(text.put(", and the hash of a key is made of all its fields").put(BACK));
    }
    if let Some(field) = stranger {
        let text = text.put(", and `").put(field.name).put("` is new");
        let text = text.put("\nhelp: if it is the same under another name, write `#[was(").put(name).put(")]` on `");
        let text = text.put(field.name).put("`; else `#[dropped(").put(name).put(")]` on `");
        return Verdict::Refused(
            put_within(text, variant, place).put("` and `#[added]` on `").put(field.name).put("`"),
        );
    }
    let text = text.put("\nhelp: write `#[dropped(").put(name).put(")]` on `");
    let text = put_within(text, variant, place).put("` if its values may go, or `#[was(").put(name);
    Verdict::Refused(text.put(")]` on the field that has them now"))
}

pub(super) const fn unfilled(field: &Field, variant: &str, place: &Place<'_>, rules: Rules) -> Verdict {
    let text = Message::new().put("field `").put(field.name).put("` of `");
    let text = put_within(text, variant, place).put("` is new");
    if rules.key {
        return Verdict::Refused(text.put(", and the hash of a key is made of all its fields").put(BACK));
    }
    Verdict::Refused(text.put(
        " and has no value in what is stored\nhelp: write `#[added]` on it, or `#[added(expression)]`, or \
         `#[was(old_name)]` if it was renamed",
    ))
}

pub(super) const fn moved(field: &Field, variant: &str, place: &Place<'_>) -> Verdict {
    let text = Message::new().put("field `").put(field.name).put("` of `");
    let text = put_within(text, variant, place)
        .put("` has another place, and the hash of a key is made of its fields in their order");
    Verdict::Refused(text.put("\nhelp: put the fields back in their order"))
}

pub(super) const fn renamed_variant(was: &str, is: &str, place: &Place<'_>) -> Verdict {
    let text = Message::new().put("variant `").put(was).put("` of `");
    let text = put_within(text, "", place)
        .put("` is `")
        .put(is)
        .put("` now, and the hash of a key is made of its variants' names");
    Verdict::Refused(text.put("\nhelp: give it its old name"))
}

pub(super) const fn gone_variant(name: &str, stranger: Option<&Variant>, place: &Place<'_>, rules: Rules) -> Verdict {
    let text = Message::new().put("variant `").put(name).put("` of `");
    let text = put_within(text, "", place).put("` is not there any more");
    if rules.key {
        return Verdict::Refused(text.put(", and keys of it may be stored\nhelp: put it back"));
    }
    let text = match stranger {
        Some(new) => {
            let text = text.put(", and `").put(new.name).put("` is new");
            let text = text.put("\nhelp: if it is the same under another name, write `#[was(").put(name);
            text.put(")]` on `").put(new.name).put("`; else put it back, or write `#[dropped(")
        }
        None => text.put(", and values of it may be stored\nhelp: put it back, or write `#[dropped("),
    };
    Verdict::Refused(
        put_within(text.put(name).put(")]` on `"), "", place).put("`: a stored value of it will stop the restore"),
    )
}

/// What is added where a type has migrations, and none of them begins with what was stored.
pub(super) const fn no_migration(why: Message, name: &str) -> Verdict {
    let text = why.put("\nnote: no migration of `").put(name);
    Verdict::Refused(text.put("` begins with a type of exactly the fields that were stored"))
}

/// What can be done where a key has changed.
const BACK: &str = "\nhelp: change it back, or give the operator another name and the job `#[dropped(old_name)]`";

/// The type in short, without what is inside structs and enums.
const fn put_locked(to: Message, schema: LockedSchema<'_>) -> Message {
    match schema.kind() {
        LockedKind::Option(of) => put_locked(to.put("Option<"), of).put(">"),
        LockedKind::List(of) => put_locked(to.put("["), of).put("]"),
        LockedKind::Array(of, n) => put_locked(to.put("["), of).put("; ").put_number(n).put("]"),
        LockedKind::Map(key, value) => put_locked(put_locked(to.put("{"), key).put(": "), value).put("}"),
        LockedKind::Tuple(parts) => {
            let (mut to, mut rest, mut first) = (to.put("("), parts, true);
            while let Some((part, behind)) = rest.next() {
                to = put_locked(if first { to } else { to.put(", ") }, part);
                (rest, first) = (behind, false);
            }
            to.put(")")
        }
        _ => to.put(schema.short_name()),
    }
}

const fn kind_of(schema: LockedSchema<'_>) -> &'static str {
    match schema.kind() {
        LockedKind::Struct(..) => "struct ",
        LockedKind::Enum(..) => "enum ",
        LockedKind::Foreign(..) => "foreign ",
        _ => "",
    }
}

const fn kind(schema: &Schema) -> &'static str {
    match schema {
        Schema::Struct { .. } => "struct ",
        Schema::Enum { .. } => "enum ",
        Schema::Foreign { .. } => "foreign ",
        _ => "",
    }
}
