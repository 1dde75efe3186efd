//! A log: topics with partitions in one file, with offsets, transactions and read-committed reading. A stand-in for Kafka
//! on a laptop and in tests.
//!
//! [`Log`] and what belongs to it knows nothing of jobs.

mod error;
mod faults;
mod store;
mod tables;
mod topic;
mod transaction;
mod watch;

pub use error::LogError;
pub use faults::Faults;
pub use store::Log;
pub use tables::TransactionState;
pub use topic::{Batch, Extent, LogRecord, Topic};
pub use transaction::{NewRecord, Producer, Ticket, Transaction};
pub use watch::Watch;
