//! Pelton: stateful stream and batch processing in Rust.
//!
//! A program is a [`stream!`] block: a pipeline that the compiler checks as a whole and turns into plain loops, one per
//! chain of operators. They run on worker threads and exchange rows by key; time is that of the events. A job is a
//! binary of its own with [`main`](stream!#what-comes-out), and a value that any program can run:
//!
//! ```
//! use pelton::prelude::*;
//!
//! /// What comes in: with serde it could be read from csv.
//! #[derive(Record, Clone)]
//! struct Reading {
//!     at: Timestamp,
//!     sensor: String,
//!     celsius: f64,
//! }
//!
//! /// What goes out.
//! #[derive(Record, Debug, PartialEq)]
//! struct Line {
//!     sensor: String,
//!     from: Timestamp,
//!     readings: u64,
//!     warmest: f64,
//! }
//!
//! stream! {
//!     /// The warmest reading of each sensor in each ten minutes.
//!     pub job Warmest<Memory> {
//!         param readings: Vec<Reading>;
//!
//!         source all: Reading = rows(readings), event_time |r| r.at, late_by 1min, ordered_splits;
//!
//!         let warmest = all
//!             .key_by(|r| r.sensor)
//!             .window(tumbling 10min)
//!             .aggregate((count(), max(|r| r.celsius)));
//!         let lines: Line = warmest
//!             .map(|w| Line { sensor: w.key, from: w.start, readings: w.value.0, warmest: w.value.1 });
//!
//!         sink table(lines) = collect();
//!         drop warmest.late;
//!     }
//! }
//!
//! let at = |text: &str| text.parse::<Timestamp>().unwrap();
//! let reading = |time, celsius| Reading { at: at(time), sensor: "roof".to_owned(), celsius };
//! let readings = vec![
//!     reading("2024-05-01T08:00:30Z", 17.0),
//!     reading("2024-05-01T08:12:00Z", 19.0),
//!     reading("2024-05-01T08:11:30Z", 18.5),
//! ];
//! let results = Warmest { readings }.run(Config::default().workers(2))?;
//! assert_eq!(results.table.len(), 2);
//! assert_eq!(results.table[1].from, at("2024-05-01T08:10:00Z"));
//! assert_eq!((results.table[1].readings, results.table[1].warmest), (2, 19.0));
//! # Ok::<(), pelton::Error>(())
//! ```
//!
//! Where to go on: [`stream!`] is the reference of the language. [`Record`] and [`Key`] say what can be a row and a key,
//! [`Aggregator`] how to write an aggregate of one's own; [`source`] and [`sink`] hold the connectors, and the traits for
//! others. [`Config`] is how a job is run, [`Error`] what can go wrong. A program begins with `use pelton::prelude::*;`.
#![deny(unsafe_code)]

extern crate self as pelton;

#[doc(hidden)]
pub use pelton_macros::__stream;
pub use pelton_macros::{Key, Record};

#[doc = include_str!("stream.md")]
#[macro_export]
macro_rules! stream {
    ($($block:tt)*) => { $crate::__stream! { ($crate) $($block)* } };
}

#[doc(hidden)]
pub mod __private;
pub mod aggregate;
mod background;
pub mod channel;
#[doc(hidden)]
pub mod checkpoint;
mod clock;
pub mod codec;
mod config;
#[cfg(feature = "log")]
pub mod connect;
mod engine;
pub mod error;
mod frame;
mod guarantee;
pub mod hash;
pub mod job;
mod json;
pub mod key;
mod keyed;
mod lock;
mod mapped;
mod metrics;
mod names;
mod pages;
pub mod plan;
pub mod prelude;
pub mod process;
pub mod record;
mod report;
pub mod schema;
mod secret;
pub mod sink;
mod socket;
pub mod source;
mod staged;
mod state;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
pub mod time;
mod window;

pub use aggregate::Aggregator;
pub use config::{Config, LogForm, Restart};
pub use error::Error;
pub use key::Key;
pub use plan::Plan;
pub use record::{Record, Row};
pub use report::{OperatorSummary, Summary};
pub use secret::Secret;
pub use state::{Backend, FileSystem, Memory, RocksDb};
pub use time::{TimeSpan, Timestamp};
pub use window::Windowed;

/// The examples of the page on connectors are tests.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../../docs/connectors.md")]
struct ConnectorsPage;

/// The examples of the book are tests.
#[cfg(doctest)]
mod book {
    #[doc = include_str!("../../docs/book/src/concepts.md")]
    struct Concepts;
    #[doc = include_str!("../../docs/book/src/language.md")]
    struct Language;
    #[doc = include_str!("../../docs/book/src/time.md")]
    struct Time;
    #[doc = include_str!("../../docs/book/src/state.md")]
    struct State;
    #[doc = include_str!("../../docs/book/src/connectors.md")]
    struct Connectors;
    #[doc = include_str!("../../docs/book/src/embedding.md")]
    struct Embedding;
    #[doc = include_str!("../../docs/book/src/errors.md")]
    struct Errors;
    #[doc = include_str!("../../docs/book/src/testing.md")]
    struct Testing;
    #[doc = include_str!("../../docs/book/src/performance.md")]
    struct Performance;
    #[doc = include_str!("../../docs/book/src/operating.md")]
    struct Operating;
    #[doc = include_str!("../../docs/book/src/flink.md")]
    struct Flink;
}
