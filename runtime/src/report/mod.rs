//! What a person is told of a run: the line while it goes on, and the table at its end.

pub(crate) mod progress;
mod summary;

pub use summary::{OperatorSummary, Summary};

/// Tells a person what goes on, on standard error.
pub(crate) fn say(what: &str) {
    // Whoever has closed standard error does not want to hear it.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("pelton: {what}\n").as_bytes());
}
