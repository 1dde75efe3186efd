//! The columns of a frame.

use crate::codec::{CodecError, Reader};
use crate::key::{Key, KeyColumn};
use crate::record::Record;

/// Whether rows carry their event time: [`Timed`] or [`Untimed`].
pub trait Time: Copy + Send + 'static {
    /// Whether they do.
    const TIMED: bool;
    /// From milliseconds.
    fn of(ms: i64) -> Self;
    /// To milliseconds.
    fn ms(self) -> i64;
}

/// Rows that carry their event time, in ms.
#[derive(Clone, Copy)]
pub struct Timed(i64);
impl Time for Timed {
    const TIMED: bool = true;
    #[inline(always)]
    fn of(ms: i64) -> Self {
        Timed(ms)
    }
    #[inline(always)]
    fn ms(self) -> i64 {
        self.0
    }
}

/// Rows without event time.
#[derive(Clone, Copy)]
pub struct Untimed;
impl Time for Untimed {
    const TIMED: bool = false;
    #[inline(always)]
    fn of(_: i64) -> Self {
        Untimed
    }
    #[inline(always)]
    fn ms(self) -> i64 {
        i64::MIN
    }
}

/// A row that lies behind its sender's watermark, and that watermark: the receiver advances to it before the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The row's place in the frame.
    pub row: u32,
    /// The watermark of the rows before it in its split, in ms.
    pub watermark: i64,
}

/// Rows in columns.
pub struct Rows<K: Key, V, T> {
    /// Their keys.
    pub keys: K::Column,
    /// Their values.
    pub values: Vec<V>,
    /// Their event times, or so many times nothing.
    pub times: Vec<T>,
    /// The rows behind their sender's watermark, in order.
    pub marks: Vec<Mark>,
}

impl<K: Key, V, T> Default for Rows<K, V, T> {
    fn default() -> Self {
        Rows { keys: K::Column::default(), values: Vec::new(), times: Vec::new(), marks: Vec::new() }
    }
}

impl<K: Key, V, T: Time> Rows<K, V, T> {
    /// Bytes of a row, without what it owns on the heap.
    pub const ROW_BYTES: usize = <K::Column as KeyColumn<K>>::ROW_BYTES + size_of::<V>() + size_of::<T>();

    /// Columns with room for so many rows.
    pub fn with_room(rows: usize) -> Self {
        let mut made = Self::default();
        made.keys.reserve(rows);
        made.values.reserve_exact(rows);
        if T::TIMED {
            made.times.reserve_exact(rows);
        }
        made
    }

    /// How many rows.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Finds the hashes of keys that were appended without, and counts times that take no place.
    pub fn settle(&mut self) {
        self.keys.settle();
        if !T::TIMED {
            self.times.resize(self.keys.len(), T::of(0));
        }
    }

    /// Bytes they take in memory, as far as the columns know.
    pub fn bytes(&self) -> usize {
        self.len() * Self::ROW_BYTES + self.keys.heap_bytes()
    }

    /// Moves `rows` rows to `to`, which held nothing of use. They are those behind the first `gone`, which have been moved
    /// away before; keys, times and marks stay where they are and are copied. Values lie backwards meanwhile, so that those
    /// that are left need not move up each time.
    pub fn move_to(&mut self, to: &mut Self, gone: usize, rows: usize) {
        to.clear();
        for at in gone..gone + rows {
            to.keys.push(self.keys.get(at), self.keys.hash(at));
        }
        if gone == 0 {
            self.values.reverse();
        }
        let left = self.values.len().saturating_sub(rows);
        to.values.extend(self.values.drain(left..).rev());
        to.times.extend_from_slice(&self.times[gone..gone + rows]);
        let [from, behind] = [gone, gone + rows].map(|at| self.marks.partition_point(|mark| (mark.row as usize) < at));
        to.marks.extend(self.marks[from..behind].iter().map(|mark| Mark { row: mark.row - gone as u32, ..*mark }));
    }

    /// Moves all rows to columns that have just the room for them.
    pub fn take_all(&mut self) -> Self {
        let mut taken = Self::default();
        taken.keys.reserve(self.len());
        for at in 0..self.len() {
            taken.keys.push(self.keys.get(at), self.keys.hash(at));
        }
        taken.values.reserve_exact(self.len());
        taken.values.append(&mut self.values);
        taken.times.extend_from_slice(&self.times);
        taken.marks.extend_from_slice(&self.marks);
        self.clear();
        taken
    }

    /// Forgets them and keeps the memory.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.values.clear();
        self.times.clear();
        self.marks.clear();
    }
}

impl<K: Key, V: Record, T: Time> Rows<K, V, T> {
    /// Appends the byte form: count, keys, values, times, marks.
    pub fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u32).encode(out);
        self.keys.encode(out);
        self.values.iter().for_each(|value| value.encode(out));
        if T::TIMED {
            self.times.iter().for_each(|time| time.ms().encode(out));
        }
        (self.marks.len() as u32).encode(out);
        for mark in &self.marks {
            mark.row.encode(out);
            mark.watermark.encode(out);
        }
    }

    /// Reads what [`encode`](Rows::encode) wrote.
    ///
    /// # Errors
    /// If the bytes are something else.
    pub fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        let rows = u32::decode(from)? as usize;
        let keys = K::Column::decode(rows, from)?;
        let mut made = Rows { keys, values: Vec::new(), times: Vec::new(), marks: Vec::new() };
        for _ in 0..rows {
            made.values.push(V::decode(from)?);
        }
        for _ in 0..rows {
            made.times.push(if T::TIMED { T::of(i64::decode(from)?) } else { T::of(0) });
        }
        for _ in 0..u32::decode(from)? {
            made.marks.push(Mark { row: u32::decode(from)?, watermark: i64::decode(from)? });
        }
        Ok(made)
    }
}
