//! Derives under another name of the crate, without the prelude.

use river::{Key, Record};
use std::borrow::Cow;

/// A record with all there is.
#[derive(Record, Clone, Debug, PartialEq)]
#[record(crate = river)]
pub struct Reading<T> {
    /// A generic value.
    pub value: T,
    /// A list.
    pub parts: Vec<Option<f64>>,
}

/// A key.
#[derive(Record, Key, Clone, Copy, Debug, PartialEq, Eq)]
#[record(crate = river)]
pub struct Place {
    /// North or south.
    pub row: u32,
    /// East or west.
    pub column: u32,
}

/// An enum.
#[derive(Record, Key, Clone, Copy, Debug, PartialEq, Eq)]
#[record(crate = river)]
pub enum Side {
    /// One.
    Buy,
    /// The other.
    Sell,
}

/// A row that borrows.
#[derive(Record, Clone, Debug, PartialEq)]
#[record(crate = river)]
pub struct Line<'a> {
    /// What is on it.
    pub text: Cow<'a, str>,
}
