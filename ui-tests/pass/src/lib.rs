//! Blocks that must pass: in a library, so that `missing_docs` counts, which knows Pelton under another name, and under
//! the strictest lints. `cargo clippy` asks for the pedantic ones.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, missing_debug_implementations, missing_copy_implementations, unreachable_pub)]
#![deny(unused_qualifications, unused_lifetimes, single_use_lifetimes, elided_lifetimes_in_paths, unused_results)]
#![deny(trivial_casts, trivial_numeric_casts, let_underscore_drop, variant_size_differences, unused_import_braces)]
#![deny(
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::shadow_unrelated
)]

pub mod flows;
mod inside;
pub mod lock;
pub mod records;
pub mod shadowed;
pub mod whole;

pub use inside::count;
