//! What a program that writes a `stream!` block imports: `use pelton::prelude::*;`.

pub use crate::aggregate::Aggregator;
pub use crate::channel::channel;
pub use crate::config::Config;
#[cfg(feature = "log")]
pub use crate::connect::log::log;
pub use crate::report::Summary;
pub use crate::secret::Secret;
pub use crate::sink::{for_each, null, stdout};
pub use crate::source::{BadRecord, csv, generate, iter, json, lines, rows, stdin, tcp};
pub use crate::state::{FileSystem, Memory, RocksDb};
pub use crate::stream;
pub use crate::text::words;
pub use crate::time::{TimeSpan, Timestamp};
pub use crate::window::Windowed;
pub use crate::{Key, Record, Row};
pub use serde::{Deserialize, Serialize};
pub use std::path::PathBuf;
pub use std::process::ExitCode;
