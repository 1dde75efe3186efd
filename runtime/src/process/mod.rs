//! `process`: handlers of the user's over declared state and timers, per key.
//!
//! `operator.rs` is the operator; what a handler sees is [`Cx`], the states [`Value`], [`List`], [`Map`], [`Reducing`],
//! [`Aggregating`], and the outputs, [`Output`]. Their methods are what `stream!` documents; the types are here so that
//! functions of one's own can take them.

pub(crate) mod alarms;
pub(crate) mod cx;
pub(crate) mod handlers;
mod list;
mod map;
mod missing;
pub(crate) mod operator;
pub(crate) mod outputs;
mod reducing;
pub(crate) mod row;
pub(crate) mod state;
mod value;
pub(crate) mod waiting;

pub use crate::state::ttl::{Age, Forever, Since};
pub use cx::{Cx, EventTime, ProcessingTime, Timer};
pub use handlers::Failed;
pub use list::List;
pub(crate) use list::ListState;
pub use map::Map;
pub(crate) use map::MapState;
pub use outputs::Output;
pub use reducing::{Aggregating, Reducing};
pub(crate) use reducing::{AggregatingState, ReducingState};
pub use value::Value;
pub(crate) use value::ValueState;

#[cfg(test)]
mod tests;
