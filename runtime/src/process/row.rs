//! What the table holds of a key: all its states, its timers and its rows that wait, side by side, as one record. Its fields
//! have the names that they have in the block, so that a snapshot is read by names: a state may come or go.

use super::alarms::{Alarms, NONE};
use super::state::{Slot, States};
use super::waiting::Waits;
use crate::codec::{CodecError, Reader};
use crate::record::Record;
use crate::schema::{Field, Filled, Owner, Past, Schema};

/// The most states and timers of one operator.
pub const MOST: usize = 64;

/// Fields of a row, and what each is where it was not stored: a state or timer that is new is empty.
#[derive(Clone, Copy)]
pub struct Fields {
    all: [Field; MOST],
    filled: [Filled; MOST],
    count: usize,
}

impl Fields {
    /// No fields.
    pub const NONE: Fields = Fields {
        all: [Field { name: "", schema: &Schema::Unit, was: &[] }; MOST],
        filled: [Filled { variant: "", field: "", fill: |_| () }; MOST],
        count: 0,
    };

    /// With one more at the end, which `fill` gives where it was not stored.
    pub const fn with(mut self, field: Field, fill: fn(&mut Vec<u8>)) -> Fields {
        self.all[self.count] = field;
        self.filled[self.count] = Filled { variant: "", field: field.name, fill };
        self.count += 1;
        self
    }

    /// With others at the end.
    pub const fn and(mut self, others: Fields) -> Fields {
        let mut at = 0;
        while at < others.count {
            self = self.with(others.all[at], others.filled[at].fill);
            at += 1;
        }
        self
    }

    const fn as_slice(&'static self) -> &'static [Field] {
        self.all.split_at(self.count).0
    }

    const fn defaults(&'static self) -> &'static [Filled] {
        self.filled.split_at(self.count).0
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
    /// Whether it will be asked for by time: a timer is set, or rows wait.
    pub fn is_due(&self) -> bool {
        self.alarms.at().iter().any(|at| *at != NONE) || self.waiting.any()
    }
    const FIELDS: Fields = D::FIELDS.and(M::FIELDS).and(W::FIELDS);
}

/// What waiting rows are as fields, whatever the rows are.
pub trait Kept {
    /// The fields.
    const FIELDS: Fields;
    /// Whether there are any.
    fn any(&self) -> bool;
}

impl<D: States, M: Alarms, W: Record + Kept> Record for Row<D, M, W> {
    const SCHEMA: &'static Schema = &Schema::Evolved(
        &Schema::Struct { name: "Row", fields: Self::FIELDS.as_slice() },
        &Past { defaults: Self::FIELDS.defaults(), dropped: D::DROPPED, owner: Owner::Process, ..*Past::NONE },
    );
    fn encode(&self, out: &mut Vec<u8>) {
        self.states.encode(out);
        self.alarms.encode(out);
        self.waiting.encode(out);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Row { states: Record::decode(from)?, alarms: M::decode(from)?, waiting: W::decode(from)? })
    }
}
