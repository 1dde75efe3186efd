//! What is told of a run: what happens while it goes on, how far it is, and the numbers at its end.

pub(crate) mod event;
pub(crate) mod log;
pub(crate) mod progress;
mod summary;

pub(crate) use event::{Event, Level};
pub(crate) use log::EventLog;
pub use summary::{OperatorSummary, Summary};
