//! Durable checkpoints: what they are made of and where they are kept.
pub mod digest;
pub mod store;
