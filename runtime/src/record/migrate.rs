//! [`Migration`]: reads bytes through the schema of whoever wrote them.
//!
//! Between a writer's schema and today's there is a plan, made once: which parts are copied, widened, left out, filled in,
//! put into another order or handed to a migration of the user's. It turns the writer's bytes into those that today's code
//! reads. The rules are those of [`can_restore`]; what they do not allow has no plan, so nothing is
//! ever read as something else. It knows nothing of files, keys or state.

mod convert;
mod plan;
#[cfg(test)]
mod tests;

use super::Record;
use crate::codec::{CodecError, Reader};
use crate::error::Fault;
use crate::schema::{LockedSchema, OwnedSchema, Schema, can_restore, can_restore_key};

use plan::Step;

/// How values that were written in one schema are read in another.
#[derive(Clone, Debug)]
pub struct Migration {
    /// `None`: the bytes are what today's code writes.
    step: Option<Step>,
}

impl Migration {
    /// From a writer's schema to today's.
    ///
    /// # Errors
    /// If values would be lost or changed. The fault names the part that differs, both schemas, and what to write.
    pub fn between(old: &OwnedSchema, new: &'static Schema) -> Result<Migration, Fault> {
        if plan::same_form(old, new) {
            return Ok(Migration { step: None });
        }
        match plan::plan(old, new) {
            Some(step) => Ok(Migration { step: Some(step) }),
            None => Err(refusal(old, new, false)),
        }
    }

    /// The same for keys: a key whose hash would be another one is refused too, since its state would not be found.
    ///
    /// # Errors
    /// As [`between`](Migration::between).
    pub fn between_keys(old: &OwnedSchema, new: &'static Schema) -> Result<Migration, Fault> {
        if plan::same_form(old, new) {
            return Ok(Migration { step: None });
        }
        let keeps = can_restore_key(&LockedSchema::of(&old.nodes()), new).refusal().is_none();
        match plan::plan(old, new) {
            Some(step) if keeps => Ok(Migration { step: Some(step) }),
            _ => Err(refusal(old, new, true)),
        }
    }

    /// Whether the bytes are what today's code writes: then they can be decoded as they are.
    pub fn is_identity(&self) -> bool {
        self.step.is_none()
    }

    /// Reads one value in the writer's form and appends it in today's. What follows it is left.
    ///
    /// # Errors
    /// If the bytes are no value in the writer's form, if it is one of a dropped variant, or if the user's migration
    /// refuses it.
    pub fn convert(&self, from: &mut Reader<'_>, to: &mut Vec<u8>) -> Result<(), CodecError> {
        match &self.step {
            Some(step) => step.run(from, to),
            None => {
                let what = "bytes that need no conversion are decoded as they are";
                Err(CodecError::new(crate::codec::CodecErrorKind::Invalid, from.at(), what))
            }
        }
    }

    /// Reads one value in the writer's form. `room` is cleared and used for what stands between; reuse it.
    ///
    /// # Errors
    /// As [`convert`](Migration::convert), or if `T` refuses the value.
    pub fn decode<T: Record>(&self, from: &mut Reader<'_>, room: &mut Vec<u8>) -> Result<T, CodecError> {
        if self.is_identity() {
            return T::decode(from);
        }
        room.clear();
        self.convert(from, room)?;
        let mut reader = Reader::new(room);
        let value = T::decode(&mut reader)?;
        reader.end()?;
        Ok(value)
    }
}

/// Why there is no plan, in the words of `cargo check`.
fn refusal(old: &OwnedSchema, new: &'static Schema, key: bool) -> Fault {
    let nodes = old.nodes();
    let locked = LockedSchema::of(&nodes);
    let verdict = if key { can_restore_key(&locked, new) } else { can_restore(&locked, new) };
    let said = verdict.refusal().unwrap_or("its parts differ");
    let (why, help) = said.split_once("\nhelp: ").unwrap_or((said, ""));
    let fault = Fault::new(format!("what was stored cannot be read: {why}\n  stored: {old}\n  today:  {new}"));
    if help.is_empty() { fault } else { fault.help(help) }
}
