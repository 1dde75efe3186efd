//! [`Problem`]: why a record is no row. Small on its way through serde, and told in full only when it is shown.
//!
//! It knows nothing of files and lines; the reader adds them.

use crate::error::Fault;
use serde::de;
use std::fmt;

/// Why a record is no row of the declared type.
#[derive(Debug)]
pub(super) struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    column: Option<usize>,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// A field of the struct has no column, and cannot do without.
    Missing(&'static str),
    /// Two columns for one field.
    Twice(&'static str),
    /// A field that is not of its type.
    Field { text: String, expected: &'static str },
    /// None of the names of an enum.
    Variant { text: String, names: &'static [&'static str] },
    /// What a type's own `Deserialize` says.
    Other(String),
}

impl Problem {
    #[cold]
    pub(super) fn new(kind: Kind) -> Self {
        Problem(Box::new(Inner { kind, column: None }))
    }

    /// A field that is not of its type.
    #[cold]
    pub(super) fn field(text: &[u8], expected: &'static str) -> Self {
        Problem::new(Kind::Field { text: shown(text), expected })
    }

    /// Says in which column it was, if that is not said yet.
    #[cold]
    pub(super) fn in_column(mut self, column: usize) -> Self {
        self.0.column.get_or_insert(column);
        self
    }

    pub(super) fn column(&self) -> Option<usize> {
        self.0.column
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// As a fault, still without its place. `text` is that of the field, if it was one.
    pub(super) fn fault(self, text: Option<&[u8]>) -> Fault {
        match &self.0.kind {
            Kind::Field { text, .. } => match text.as_str() {
                "" => Fault::new(self.to_string()).help("make the field an `Option` if it may be empty"),
                "NA" | "N/A" | "NULL" | "null" | "None" | "-" | "?" | "." => {
                    let help = format!("make the field an `Option`, and write `.na(\"{text}\")` behind `csv(..)`");
                    Fault::new(self.to_string()).help(help)
                }
                _ => Fault::new(self.to_string()),
            },
            Kind::Other(message) => match text.map(shown) {
                Some(text) if !message.contains(&text) => Fault::new(format!("`{text}`: {message}")),
                _ => Fault::new(message),
            },
            _ => Fault::new(self.to_string()),
        }
    }
}

/// A field's text as a message can show it: no line ends, and not all of a long one.
fn shown(text: &[u8]) -> String {
    const MOST: usize = 60;
    let text = String::from_utf8_lossy(text.get(..4 * MOST).unwrap_or(text));
    let mut shown = String::new();
    for c in text.chars().take(MOST) {
        match c {
            '"' | '\'' => shown.push(c),
            c => shown.extend(c.escape_debug()),
        }
    }
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            Kind::Field { text, expected } if text.is_empty() => write!(f, "an empty field is no {expected}"),
            Kind::Field { text, expected } => write!(f, "`{text}` is no {expected}"),
            Kind::Variant { text, names } => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "`{text}` is none of {}", names.join(", "))
            }
            Kind::Missing(name) => write!(f, "no column `{name}`"),
            Kind::Twice(name) => write!(f, "two columns for `{name}`"),
            Kind::Other(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Problem {}

impl de::Error for Problem {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Problem::new(Kind::Other(message.to_string()))
    }
    #[cold]
    fn missing_field(field: &'static str) -> Self {
        Problem::new(Kind::Missing(field))
    }
    #[cold]
    fn duplicate_field(field: &'static str) -> Self {
        Problem::new(Kind::Twice(field))
    }
    #[cold]
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Problem::new(Kind::Variant { text: shown(variant.as_bytes()), names: expected })
    }
    #[cold]
    fn invalid_length(len: usize, expected: &dyn de::Expected) -> Self {
        Problem::new(Kind::Other(format!("{len} columns are too few for {expected}")))
    }
}
