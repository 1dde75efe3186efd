//! Connectors to systems that keep records of their own. Each is a cargo feature, and each consists of a part that knows
//! the system alone and a part that makes a source and a sink of it.

#[cfg(feature = "log")]
pub mod log;
