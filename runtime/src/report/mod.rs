//! What a person is told of a run: the line while it goes on, and the table at its end.

pub(crate) mod progress;
mod summary;

pub use summary::{OperatorSummary, Summary};
