//! [`CodecError`]: why bytes are not the value they should be, at which byte, and in which field.
//!
//! It is built on the way out of nested calls, each adding the field it stands for, and never on the hot path: one
//! pointer wide, so that a `Result` of it costs little where all goes well.

use std::fmt;

/// What kind of mistake the bytes have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecErrorKind {
    /// The bytes end too early, or claim more elements than they could hold.
    Short,
    /// The bytes are there and mean no value of the type.
    Invalid,
    /// There are bytes behind the value.
    Trailing,
    /// Values are nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
    /// An envelope of something else, or none.
    NotAnEnvelope,
    /// An envelope in a format that this version does not read.
    OtherVersion,
    /// The checksum says that bytes have changed.
    Damaged,
    /// An envelope that holds a value of another schema.
    OtherSchema,
}

/// Bytes that could not be read as a record: what was wrong, at which byte, in which field.
#[derive(Clone, PartialEq, Eq)]
pub struct CodecError(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: CodecErrorKind,
    what: String,
    at: usize,
    /// The outermost type that has said its name.
    within: Option<&'static str>,
    /// Fields and indices, innermost first.
    path: Vec<Step>,
}

#[derive(Clone, PartialEq, Eq)]
enum Step {
    Field(&'static str),
    Index(usize),
}

impl CodecError {
    /// An error of `kind` at byte `at`; `what` is a sentence without a full stop.
    #[cold]
    pub fn new(kind: CodecErrorKind, at: usize, what: impl Into<String>) -> Self {
        CodecError(Box::new(Inner { kind, what: what.into(), at, within: None, path: Vec::new() }))
    }

    /// Adds that it happened in this field of this type. Called from the inside out.
    #[cold]
    pub fn inside(mut self, of: &'static str, field: &'static str) -> Self {
        self.0.within = Some(of);
        self.0.path.push(Step::Field(field));
        self
    }

    /// Adds that it happened in this element of a list, set or map, counted from 0.
    #[cold]
    pub fn element(mut self, index: usize) -> Self {
        self.0.path.push(Step::Index(index));
        self
    }

    /// What kind of mistake it is.
    pub fn kind(&self) -> CodecErrorKind {
        self.0.kind
    }

    /// What is wrong, without the place.
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// The byte at which it shows, counted from 0 at the start of what was read.
    pub fn at(&self) -> usize {
        self.0.at
    }

    /// Type and field, as `Departure.legs[3].delay`; empty if no type has said its name.
    pub fn path(&self) -> String {
        let mut path = String::from(self.0.within.unwrap_or_default());
        for step in self.0.path.iter().rev() {
            match step {
                Step::Field(name) if path.is_empty() => path.push_str(name),
                Step::Field(name) => {
                    path.push('.');
                    path.push_str(name);
                }
                Step::Index(index) => {
                    path.push('[');
                    path.push_str(&index.to_string());
                    path.push(']');
                }
            }
        }
        path
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {}", self.0.what, self.0.at)?;
        let path = self.path();
        if !path.is_empty() {
            write!(f, ", in `{path}`")?;
        }
        f.write_str(")")
    }
}

impl fmt::Debug for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

impl std::error::Error for CodecError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_where_and_in_which_field() {
        let error = CodecError::new(CodecErrorKind::Short, 17, "the bytes end 4 short of 8")
            .inside("Leg", "delay")
            .element(3)
            .inside("Departure", "legs");
        assert_eq!(error.to_string(), "the bytes end 4 short of 8 (byte 17, in `Departure.legs[3].delay`)");
        assert_eq!((error.kind(), error.at()), (CodecErrorKind::Short, 17));
    }

    #[test]
    fn a_bare_value_has_no_path() {
        let error = CodecError::new(CodecErrorKind::Invalid, 0, "2 is no bool");
        assert_eq!(error.to_string(), "2 is no bool (byte 0)");
        assert_eq!(error.path(), "");
    }
}
