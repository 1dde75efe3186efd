//! Pelton: stateful stream and batch processing in Rust.
#![deny(unsafe_code)]

extern crate self as pelton;

#[doc(hidden)]
pub use pelton_macros::__stream;
pub use pelton_macros::{Key, Record};

/// A job, written as a block.
///
/// ```
/// use pelton::prelude::*;
///
/// stream! {
///     /// How often each word occurs.
///     pub job WordCount<Memory> {
///         param text: Vec<String>;
///         source all: String = rows(text);
///         let counts: (String, u64) = all
///             .flat_map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
///             .key_by(|word| word)
///             .aggregate(count(), emit at_end);
///         sink out(counts) = collect();
///     }
/// }
///
/// let text = vec!["to be or not".to_owned(), "to be".to_owned()];
/// let mut counts = WordCount { text }.run(Config::default().workers(2))?.out;
/// counts.sort();
/// assert_eq!(counts[0], ("be".to_owned(), 2));
/// # Ok::<(), pelton::Error>(())
/// ```
#[macro_export]
macro_rules! stream {
    ($($block:tt)*) => { $crate::__stream! { ($crate) $($block)* } };
}

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
