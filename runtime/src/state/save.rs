//! [`Saved`]: what a snapshot needs of a table, whatever is in it.
//!
//! A snapshot is taken while the table is used: at the barrier it is only told where its entries go; then the caller asks for
//! a slice of them between two frames, and an entry that changes before its turn is written first, as it was at the barrier.
//! So each entry is written once, with the value it had at the barrier. Nothing here knows of files.

use super::entry::Encoded;
use crate::codec::CodecError;
use crate::key::Key;
use crate::record::{self, Record};
use crate::schema::Schema;
use std::cell::{RefCell, RefMut};
use std::rc::Rc;

/// One state of an operator, as a snapshot names it. Its place in the list of the operator's states is its number.
#[derive(Clone, Copy, Debug)]
pub struct StateMeta {
    /// Its name among the states of its operator.
    pub name: &'static str,
    /// What kind of state it is: [`KEYED`], unless its entries say more.
    pub kind: &'static str,
    /// What keys are made of.
    pub key: &'static Schema,
    /// What values are made of.
    pub value: &'static Schema,
    /// Reads a key in its byte form; gives its hash, and the form in which it is written.
    pub key_of: KeyOf,
    /// Reads a value in its byte form; gives the form in which it is written.
    pub value_of: ValueOf,
}

/// See [`StateMeta::key_of`].
pub type KeyOf = fn(&[u8]) -> Result<(u64, Vec<u8>), CodecError>;
/// See [`StateMeta::value_of`].
pub type ValueOf = fn(&[u8]) -> Result<Vec<u8>, CodecError>;

/// The kind of a state of which nothing more is to be known.
pub const KEYED: &str = "keyed";

impl StateMeta {
    /// A state of these types.
    pub fn of<K: Key, V: Record>(name: &'static str) -> StateMeta {
        let key_of = |bytes: &[u8]| {
            let key: K = record::whole(bytes)?;
            let mut again = Vec::with_capacity(bytes.len());
            key.encode(&mut again);
            Ok((K::hash(key.view()), again))
        };
        let value_of = |bytes: &[u8]| {
            let mut again = Vec::with_capacity(bytes.len());
            record::whole::<V>(bytes)?.encode(&mut again);
            Ok(again)
        };
        StateMeta { name, kind: KEYED, key: K::SCHEMA, value: V::SCHEMA, key_of, value_of }
    }
}

/// Where entries go.
pub trait Entries {
    /// Takes some entries. What goes wrong is told later, by whoever made it.
    fn put(&mut self, some: &Encoded);
    /// Whether much of what was put still waits to be written: who can puts no more just now.
    fn is_behind(&self) -> bool {
        false
    }
    /// There are no more.
    fn end(&mut self) {}
    /// There will be no more, and those that there were are of no use.
    fn give_up(&mut self) {}
}

/// Where one operator's entries go: shared by its tables, which all belong to one worker. An entry that goes there on its own costs no
/// locked instruction, which would wait for all that was written before: a twelfth of a run with a checkpoint of 1 GB every 10 s. Such a wait comes once
/// for some KB.
#[derive(Clone)]
pub struct SaveTo(Rc<RefCell<Target>>);

/// Where entries go, lent for some of them.
pub struct Target {
    to: Box<dyn Entries>,
    /// What it has not been given yet.
    waiting: Encoded,
    written: usize,
}

impl SaveTo {
    /// Entries go to `to`.
    pub fn new(to: impl Entries + 'static) -> Self {
        SaveTo(Rc::new(RefCell::new(Target { to: Box::new(to), waiting: Encoded::default(), written: 0 })))
    }

    /// For a few entries or many.
    pub(super) fn lend(&self) -> RefMut<'_, Target> {
        self.0.borrow_mut()
    }

    /// Whether much waits to be written: what need not be saved just now is saved later.
    pub fn is_behind(&self) -> bool {
        self.lend().to.is_behind()
    }

    /// All tables have written all of their entries.
    pub fn end(&self) {
        let mut target = self.lend();
        target.hand_on();
        target.to.end();
    }

    /// They will not: the snapshot has been given up.
    pub fn give_up(&self) {
        self.lend().to.give_up();
    }

    /// Bytes of entries so far.
    pub fn written(&self) -> usize {
        self.lend().written
    }
}

impl Target {
    /// Takes an entry, as [`Encoded::put`] does.
    #[inline]
    pub(super) fn put(
        &mut self,
        place: (u64, u16, i64),
        key: impl FnOnce(&mut Vec<u8>),
        value: Option<impl FnOnce(&mut Vec<u8>)>,
    ) {
        self.written += self.waiting.put(place, key, value);
        if self.waiting.bytes().len() >= Encoded::TOGETHER {
            self.hand_on();
        }
    }

    /// Nothing waits here any more: a table has put all of its entries.
    pub(super) fn hand_on(&mut self) {
        if self.waiting.entries() > 0 {
            self.to.put(&self.waiting);
            self.waiting.clear();
        }
    }

    pub(super) fn written(&self) -> usize {
        self.written
    }
}

/// A table that can be saved while it is used, and filled from what was saved.
pub trait Saved {
    /// Begins to save what it holds now. Changes from now on belong to the epoch that
    /// [`stamp_with`](super::keyed::KeyedState::stamp_with) named before.
    fn begin_save(&mut self, to: &SaveTo, state: u16, namespace: i64);
    /// Writes entries until the `budget` of bytes is used up; says whether it is done.
    fn save_some(&mut self, budget: &mut usize) -> bool;
    /// Writes all that is left.
    fn save_rest(&mut self) {
        let mut budget = usize::MAX;
        self.save_some(&mut budget);
    }
    /// Forgets that it is saving: the snapshot has been given up.
    fn give_up(&mut self);
    /// What lies below it has been restored.
    fn restored(&mut self) {}
    /// Bytes of memory, without what keys and values own on the heap.
    fn bytes(&self) -> usize;
    /// Whether many of its entries are only there to say that their keys were removed.
    fn is_littered(&self) -> bool;
    /// Gives up some of the memory of removed keys, and if memory is `short` of values, that lie below as they are; `false` when it
    /// has been through all of them. Not while it is saved.
    fn relieve(&mut self, short: bool) -> bool;
    /// Makes room for about so many entries that are loaded next, if there are none yet. Saved entries come in about the order of
    /// their hashes, which a table has to have room for.
    fn expect(&mut self, entries: usize);
    /// Asks for the memory of an entry that is loaded soon. Costs nothing if it is not.
    fn look_ahead(&self, hash: u64);
    /// Puts in an entry that was saved: its key and its value in their byte forms.
    ///
    /// # Errors
    /// If they are not byte forms of this table's keys and values.
    fn load(&mut self, key: &[u8], value: &[u8]) -> Result<(), CodecError>;
}
