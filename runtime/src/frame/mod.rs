//! Frames: what crosses an edge. A frame is many rows of one sender for one target, how far the sender's event time
//! is, and a mark for each row that lies behind it.
//!
//! Rows are native inside a process and bytes between processes ([`wire`]). Keys, values and times lie in columns of
//! their own: a keyed operator reads the keys ahead to prefetch its table, and an edge without event time has no times
//! at all. Who owns a frame when: the sender fills it, the channel moves it, the receiver applies it and sends
//! the emptied columns back ([`writer`] keeps them for the next one). Nothing here knows of timely.

mod rows;
mod spread;
pub mod wire;
pub mod writer;

pub use rows::{Mark, Rows, Time, Timed, Untimed};

use crate::key::Key;
use crate::state::table::Table;

/// What a frame holds.
pub enum Payload<K: Key, V, T, A> {
    /// Nothing: a frame that only carries a watermark.
    Empty,
    /// Rows as they were sent.
    Rows(Rows<K, V, T>),
    /// Partial results, combined by the sender; the time is the start of their window, if they have one.
    Partials(Rows<K, A, T>),
    /// Partial results as the table in which they were combined, from the only worker to itself; with the start of their
    /// window.
    Table(i64, Box<Table<K, A>>),
    /// Rows or partial results as bytes.
    Wire(wire::Bytes),
    /// Bytes that are no frame: an error where it is applied.
    Broken(crate::codec::CodecError),
}

/// Rows of one sender for one target.
pub struct Frame<K: Key, V, T, A> {
    /// The worker that filled it.
    pub sender: u32,
    /// The worker it is for.
    pub target: u32,
    /// The sender's watermark behind the last row, in ms.
    pub watermark: i64,
    /// Whether the sender had nothing more just then: what follows from these rows should not wait either.
    pub urgent: bool,
    /// What it counts for in flow control.
    pub bytes: u32,
    /// Its rows.
    pub payload: Payload<K, V, T, A>,
}

impl<K: Key, V, T, A> Default for Frame<K, V, T, A> {
    fn default() -> Self {
        Frame { sender: 0, target: 0, watermark: i64::MIN, urgent: false, bytes: 0, payload: Payload::Empty }
    }
}

impl<K: Key, V, T: Time, A> Frame<K, V, T, A> {
    /// Rows or partial results in it.
    pub fn rows(&self) -> usize {
        match &self.payload {
            Payload::Empty | Payload::Broken(_) => 0,
            Payload::Rows(rows) => rows.len(),
            Payload::Partials(rows) => rows.len(),
            Payload::Table(_, table) => table.len(),
            Payload::Wire(bytes) => bytes.rows(),
        }
    }
}
