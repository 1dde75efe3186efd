//! Pelton: stateful stream and batch processing in Rust.
#![deny(unsafe_code)]

extern crate self as pelton;

pub mod time;
pub mod error;
pub mod codec;
pub mod schema;
pub mod record;
pub mod hash;
pub mod key;
pub mod text;
mod clock;
mod config;
mod metrics;
mod state;
mod frame;
pub mod source;
pub mod sink;
pub mod aggregate;
mod keyed;
mod window;
pub mod plan;
mod report;
mod engine;
pub mod job;
#[doc(hidden)]
pub mod __private;
pub mod prelude;

pub use aggregate::Aggregator;
pub use config::Config;
pub use error::Error;
pub use report::{OperatorSummary, Summary};
pub use key::Key;
pub use plan::Plan;
pub use record::{Record, Row};
pub use state::Memory;
pub use time::{TimeSpan, Timestamp};
pub use window::Windowed;
