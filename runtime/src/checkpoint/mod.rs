//! Durable checkpoints: what they are made of and where they are kept.
pub mod damage;
pub mod digest;
pub mod entry;
pub mod faulty;
pub mod log;
pub mod manifest;
pub mod object;
pub mod store;
