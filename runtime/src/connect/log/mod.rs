//! A log: topics with partitions in one file, with offsets, transactions and read-committed reading. A stand-in for Kafka
//! on a laptop and in tests.
//!
//! [`log`] makes a source and a sink of a topic. [`Log`] and what belongs to it knows nothing of jobs: with it one
//! creates topics, feeds a job, looks at what it wrote, and lets things go wrong ([`Faults`]).
//!
//! ```
//! use pelton::connect::log::{Batch, Log, NewRecord, log};
//! use pelton::prelude::*;
//!
//! #[derive(Record, Clone, Serialize, Deserialize)]
//! struct Payment {
//!     card: String,
//!     cents: i64,
//! }
//!
//! stream! {
//!     /// Passes on what is large.
//!     pub job Large<Memory> {
//!         param path: PathBuf;
//!         source payments: Payment = log(path).topic("payments").json().bounded();
//!         let large = payments.filter(|p| p.cents >= 100_00);
//!         sink out(large) = log(path).topic("large").json().key(|p: &Payment| p.card.clone());
//!     }
//! }
//!
//! # let folder = std::env::temp_dir().join(format!("pelton-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let path = folder.join("shop.log");
//! let log = Log::open(&path)?;
//! let payments = log.create_topic("payments", 2)?;
//! payments.append([
//!     NewRecord::new(r#"{"card": "a", "cents": 500}"#),
//!     NewRecord::new(r#"{"card": "b", "cents": 123456}"#),
//! ])?;
//!
//! Large { path }.run(Config::default().workers(2))?;
//!
//! let mut batch = Batch::new();
//! log.topic("large")?.read(0, 0, 10, &mut batch)?;
//! let values: Vec<&[u8]> = batch.records().map(|record| record.value).collect();
//! assert_eq!(values, [br#"{"card":"b","cents":123456}"#]);
//! # std::fs::remove_dir_all(folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod connector;
mod error;
mod faults;
mod form;
mod sink;
mod source;
mod store;
mod tables;
mod topic;
mod transaction;
mod watch;

pub use connector::{LogFile, LogTopic, log};
pub use error::LogError;
pub use faults::Faults;
pub use form::{Bytes, Json, KeyBy, Keys, NoKey, Reads, Text, Writes};
pub use sink::LogWriter;
pub use source::LogReader;
pub use store::Log;
pub use tables::TransactionState;
pub use topic::{Batch, Extent, LogRecord, Topic};
pub use transaction::{NewRecord, Producer, Ticket, Transaction};
pub use watch::Watch;
