//! [`Past`]: what a type says of the forms it had before, so that what was stored in one of them can be read.
//!
//! It stands beside the form and is no part of it: fingerprints, byte forms and what is stored look through it. What
//! is renamed, dropped, filled in or converted is said at the type, never guessed.

use std::fmt;

/// What a type says of its earlier forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    /// Names the type had before: `#[was(Old)]` on it.
    pub was: &'static [&'static str],
    /// Fields and variants it has no more: `#[dropped(name)]`.
    pub dropped: &'static [Dropped],
    /// What fields have where they were not stored: `#[added]`.
    pub defaults: &'static [Filled],
    /// Types whose values can be made into today's: `#[record(migrate = function)]`.
    pub migrations: &'static [Former],
    /// Whose type it is.
    pub owner: Owner,
}

/// Whose a type is: what cannot be restored is cured where its user can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The user's.
    User,
    /// Pelton's own: nothing can be written on it.
    Pelton,
    /// Pelton's own too, and its fields are the states and timers of a `process`: that one may go is said in front of the job.
    Process,
}

impl Past {
    /// Of a type that says nothing.
    pub const NONE: &'static Past =
        &Past { was: &[], dropped: &[], defaults: &[], migrations: &[], owner: Owner::User };
    /// Of a type of Pelton's own.
    pub const OURS: &'static Past = &Past { owner: Owner::Pelton, ..*Past::NONE };
}

/// A field or variant that a type has no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The variant whose field it was; empty for a field of a struct and for a variant.
    pub variant: &'static str,
    /// Its name.
    pub name: &'static str,
}

/// A field that has a value where none was stored.
#[derive(Clone, Copy)]
pub struct Filled {
    /// The variant whose field it is; empty for a field of a struct.
    pub variant: &'static str,
    /// Its name.
    pub field: &'static str,
    /// Appends the byte form of that value.
    pub fill: fn(&mut Vec<u8>),
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filled").field("variant", &self.variant).field("field", &self.field).finish_non_exhaustive()
    }
}

/// By field: functions have no identity of their own.
impl PartialEq for Filled {
    fn eq(&self, other: &Self) -> bool {
        (self.variant, self.field) == (other.variant, other.field)
    }
}
impl Eq for Filled {}

/// Makes the byte form of a former type into that of today's; what it says where it cannot is a sentence without a stop.
pub type Convert = fn(&[u8], &mut Vec<u8>) -> Result<(), String>;

/// A type whose values can be made into today's.
#[derive(Clone, Copy)]
pub struct Former {
    /// What it holds.
    pub schema: &'static super::Schema,
    /// Makes a value of it into one of today's.
    pub convert: Convert,
}

impl fmt::Debug for Former {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Former").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl PartialEq for Former {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema
    }
}
impl Eq for Former {}
