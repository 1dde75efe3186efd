//! Durable checkpoints: what they are made of and where they are kept.
pub mod damage;
pub mod digest;
pub mod faulty;
pub mod manifest;
pub mod object;
pub mod store;
