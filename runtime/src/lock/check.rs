//! Holds a job's states against its lock, in constants: what cannot be restored is a compile error, at the operator.

use super::{LockedState, StateNames};
use crate::record::Record;
use crate::schema::locked::{has, same};
use crate::schema::{Message, Owner, Schema, Verdict, can_restore_key, can_restore_of};
use std::marker::PhantomData;

/// How what is stored is given up on purpose.
const GIVE_UP: &str = "\nto give up what is stored: PELTON_LOCK_ACCEPT=1 cargo run -- lock --accept";

/// Fails the build, at its caller, if a state of these types cannot be restored from what the lock says. A state that the
/// lock does not know is new: nothing is stored of it.
///
/// # Panics
/// In constants, with operator, state and the part that differs, and what to write.
#[track_caller]
#[expect(clippy::panic, reason = "called in constants, where a panic is a compile error")]
pub const fn restores<K: Record, V: Record>(
    lock: &'static [LockedState<'static>],
    names: &'static StateNames,
    dropped: &[&str],
) -> PhantomData<(K, V)> {
    if let Some(state) = find(lock, names, dropped)
        && let Some(message) = complaint(state, names, K::SCHEMA, V::SCHEMA)
    {
        panic!("{}", message.put(GIVE_UP).as_str())
    }
    PhantomData
}

/// Why a state cannot be restored, if it cannot.
pub(super) const fn complaint(
    old: &LockedState<'_>,
    names: &StateNames,
    key: &'static Schema,
    value: &'static Schema,
) -> Option<Message> {
    if !old.of.is_empty() && !names.of.is_empty() && !same(old.of, names.of) {
        let text = Message::new().put("state `").put(names.state).put("` of `").put(names.operator);
        let text = text.put("` cannot be restored: its windows were `").put(old.of).put("` and are `").put(names.of);
        let text = text.put("`\nhelp: change it back, or give the operator another name and the job `#[dropped(");
        return Some(text.put(old.operator).put(")]`, if what is stored may go"));
    }
    if let Verdict::Refused(why) = can_restore_key(&old.key, key) {
        let text = Message::new().put("the key of `").put(names.operator).put("` cannot be restored: ");
        return Some(text.put(why.as_str()));
    }
    if let Verdict::Refused(why) = can_restore_of(&old.value, value, names.operator) {
        let text = match value.past().owner {
            // its states have names of their own
            Owner::Process => Message::new().put("the process `").put(names.operator),
            _ => Message::new().put("state `").put(names.state).put("` of `").put(names.operator),
        };
        return Some(text.put("` cannot be restored: ").put(why.as_str()));
    }
    None
}

/// What is stored of a state: under its name; or under a former one, if nothing is stored under its name or that is given up.
pub(super) const fn find<'s, 'a>(
    lock: &'s [LockedState<'a>],
    names: &StateNames,
    dropped: &[&str],
) -> Option<&'s LockedState<'a>> {
    let (mut i, mut own, mut former, mut given_up) = (0, None, None, None);
    while i < lock.len() {
        let state = &lock[i];
        if same(state.operator, names.operator) && same(state.state, names.state) {
            own = Some(state);
        } else if names.mean(state.operator, state.state) {
            if is_dropped(state, dropped) {
                given_up = Some(state);
            } else {
                former = Some(state);
            }
        }
        i += 1;
    }
    match (own, former) {
        (Some(own), Some(_)) if !is_dropped(own, dropped) => Some(own),
        (_, Some(former)) => Some(former),
        (Some(own), None) => Some(own),
        (None, None) => given_up,
    }
}

/// Fails the build, at its caller, if the lock knows of a state that the job has no more and has not given up.
///
/// # Panics
/// In constants, with operator and state, and what to write.
#[track_caller]
#[expect(clippy::panic, reason = "called in constants, where a panic is a compile error")]
pub const fn nothing_lost(lock: &[LockedState<'_>], kept: &[&StateNames], dropped: &[&str]) {
    let mut i = 0;
    while i < lock.len() {
        if let Some(message) = loss(&lock[i], lock, kept, dropped) {
            panic!("{}", message.put(GIVE_UP).as_str())
        }
        i += 1;
    }
}

/// Why a stored state has no place, if it has none.
pub(super) const fn loss(
    state: &LockedState<'_>,
    lock: &[LockedState<'_>],
    kept: &[&StateNames],
    dropped: &[&str],
) -> Option<Message> {
    let (mut i, mut is_kept, mut given_on, mut instead) = (0, false, false, None);
    while i < kept.len() {
        let names = kept[i];
        if names.mean(state.operator, state.state)
            && let Some(found) = find(lock, names, dropped)
        {
            if same(found.operator, state.operator) && same(found.state, state.state) {
                is_kept = true;
                // What is dropped is what had this name before.
                given_on = !names.was.is_empty();
            } else if !is_dropped(state, dropped) {
                return Some(claimed(state, found));
            }
        }
        if same(names.operator, state.operator) || has(names.was, state.operator) {
            instead = Some(names.state);
        }
        i += 1;
    }
    match (is_kept, is_dropped(state, dropped)) {
        (true, false) | (false, true) => None,
        (true, true) if given_on => None,
        (true, true) => Some(
            of_operator(Message::new(), state)
                .put(" is said to be dropped, and the job has it\nhelp: take it out of `#[dropped(..)]`"),
        ),
        (false, false) => Some(match instead {
            Some(name) => of_operator(Message::new(), state)
                .put(" is stored, and the operator keeps `")
                .put(name)
                .put("` now: it has become another one\nhelp: change it back, or write `#[dropped(")
                .put(state.operator)
                .put(".")
                .put(state.state)
                .put(")]` on the job if its state may go"),
            None => {
                let text = of_operator(Message::new(), state).put(" is stored, and the job does not have it any more");
                let text = match newcomer(lock, state, kept) {
                    Some(operator) => text
                        .put("; `")
                        .put(operator)
                        .put("` is new\nhelp: if that is its name now, write `#[was(")
                        .put(state.operator)
                        .put(")]` on the `let` of `")
                        .put(operator)
                        .put("`; else "),
                    None => text.put("\nhelp: put it back, or write "),
                };
                text.put("`#[dropped(").put(state.operator).put(")]` on the job if its state may go")
            }
        }),
    }
}

/// A stored state is said to be what another stored one is.
const fn claimed(state: &LockedState<'_>, other: &LockedState<'_>) -> Message {
    let text = of_operator(Message::new(), state).put(" is stored, and so is ");
    let text = of_operator(text, other).put(", and the job says that both are one\nhelp: ");
    if same(state.operator, other.operator) {
        let text = text.put("take `").put(state.state).put("` out of `#[was(..)]`, and write `#[dropped(");
        return text.put(state.operator).put(".").put(state.state).put(")]` on the job if it may go");
    }
    let text = text.put("write `#[dropped(").put(other.operator).put(")]` on the job if what is stored of `");
    text.put(other.operator).put("` may go, or take `").put(state.operator).put("` out of `#[was(..)]`")
}

/// An operator that keeps such a state and was not stored: perhaps this one under another name.
const fn newcomer<'k>(lock: &[LockedState<'_>], state: &LockedState<'_>, kept: &[&'k StateNames]) -> Option<&'k str> {
    let mut i = 0;
    while i < kept.len() {
        if same(kept[i].state, state.state) && find(lock, kept[i], &[]).is_none() {
            return Some(kept[i].operator);
        }
        i += 1;
    }
    None
}

const fn of_operator(to: Message, state: &LockedState<'_>) -> Message {
    to.put("state `").put(state.state).put("` of `").put(state.operator).put("`")
}

/// Whether `operator` or `operator.state` is among them.
const fn is_dropped(state: &LockedState<'_>, dropped: &[&str]) -> bool {
    let mut i = 0;
    while i < dropped.len() {
        if same(dropped[i], state.operator) || is_joined(dropped[i], state.operator, state.state) {
            return true;
        }
        i += 1;
    }
    false
}

/// Whether a text is the two names with a dot between them.
const fn is_joined(text: &str, operator: &str, state: &str) -> bool {
    let (text, operator, state) = (text.as_bytes(), operator.as_bytes(), state.as_bytes());
    if text.len() != operator.len() + 1 + state.len() || text[operator.len()] != b'.' {
        return false;
    }
    let mut i = 0;
    while i < text.len() {
        let wanted = if i < operator.len() {
            operator[i]
        } else if i == operator.len() {
            b'.'
        } else {
            state[i - operator.len() - 1]
        };
        if text[i] != wanted {
            return false;
        }
        i += 1;
    }
    true
}
