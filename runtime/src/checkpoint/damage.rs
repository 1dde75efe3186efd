//! [`Damage`] and [`Problem`]: the difference between stored bytes that are wrong and a store that does not answer.
//!
//! Only the first is a reason to fall back to an older checkpoint. A network that is down is none: it comes back, and
//! everything is there.

use crate::error::Fault;
use std::fmt;

/// Something in the store that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The object.
    pub object: String,
    /// What is wrong with it, in a sentence that follows its name.
    pub what: String,
}

impl Damage {
    /// What is wrong with which object.
    pub fn new(object: impl Into<String>, what: impl Into<String>) -> Self {
        Damage { object: object.into(), what: what.into() }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.object, self.what)
    }
}

impl std::error::Error for Damage {}

/// What to do about damage that nobody gets behind by himself: who names a checkpoint goes on from that, or not at all.
pub const WAYS: &str = "`state verify` says which checkpoints are whole; choose one of them on purpose with `--from N --fork`, or restore \
     the store from a copy";

/// Why something could not be read.
#[derive(Debug)]
pub enum Problem {
    /// What is stored is wrong.
    Damaged(Damage),
    /// The store, or whoever took what was read, failed.
    Failed(Fault),
}

impl From<Damage> for Problem {
    fn from(damage: Damage) -> Self {
        Problem::Damaged(damage)
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Fault {
        match problem {
            Problem::Damaged(damage) => Fault::new("what is stored is damaged").because(damage).help(WAYS).damaged(),
            Problem::Failed(fault) => fault,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Damaged(damage) => damage.fmt(f),
            Problem::Failed(fault) => fault.fmt(f),
        }
    }
}
