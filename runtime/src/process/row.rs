//! What the table holds of a key: all its states, its timers and its rows that wait, side by side, as one record. Its fields
//! have the names that they have in the block, so that a snapshot is read by names: a state may come or go.

use super::alarms::{Alarms, NONE};
use super::state::{Slot, States};
use super::waiting::Waits;
use crate::codec::{CodecError, Reader};
use crate::record::Record;
use crate::schema::{Field, Schema};

/// The most states and timers of one operator.
pub const MOST: usize = 64;

/// Fields of a row.
#[derive(Clone, Copy)]
pub struct Fields {
    all: [Field; MOST],
    count: usize,
}

impl Fields {
    /// No fields.
    pub const NONE: Fields = Fields { all: [Field { name: "", schema: &Schema::Unit, was: &[] }; MOST], count: 0 };

    /// With one more at the end.
    pub const fn with(mut self, field: Field) -> Fields {
        self.all[self.count] = field;
        self.count += 1;
        self
    }

    /// With others at the end.
    pub const fn and(mut self, others: Fields) -> Fields {
        let mut at = 0;
        while at < others.count {
            self = self.with(others.all[at]);
            at += 1;
        }
        self
    }

    const fn as_slice(&'static self) -> &'static [Field] {
        self.all.split_at(self.count).0
    }
}

/// A key's row.
pub struct Row<D: States, M, W> {
    /// Its states.
    pub states: D::Slots,
    /// Its timers.
    pub alarms: M,
    /// Its rows that wait for the watermark.
    pub waiting: W,
}

impl<D: States, M: Default, W: Default> Default for Row<D, M, W> {
    #[inline(always)]
    fn default() -> Self {
        Row { states: D::Slots::default(), alarms: M::default(), waiting: W::default() }
    }
}

impl<D: States, M: Alarms, W> Row<D, M, W> {
    /// Whether there is nothing in it.
    #[inline(always)]
    pub fn is_empty<V>(&self) -> bool
    where
        W: Waits<V>,
    {
        let timers = || self.alarms.at().iter().all(|at| *at == NONE);
        self.states.is_empty() && timers() && self.waiting.first().is_none()
    }
}

impl<D: States, M: Alarms, W: Record + Kept> Row<D, M, W> {
    const FIELDS: Fields = D::FIELDS.and(M::FIELDS).and(W::FIELDS);
}

/// What waiting rows are as fields, whatever the rows are.
pub trait Kept {
    /// The fields.
    const FIELDS: Fields;
}

impl<D: States, M: Alarms, W: Record + Kept> Record for Row<D, M, W> {
    const SCHEMA: &'static Schema = &Schema::Struct { name: "Row", fields: Self::FIELDS.as_slice() };
    fn encode(&self, out: &mut Vec<u8>) {
        self.states.encode(out);
        self.alarms.encode(out);
        self.waiting.encode(out);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Row { states: Record::decode(from)?, alarms: M::decode(from)?, waiting: W::decode(from)? })
    }
}
