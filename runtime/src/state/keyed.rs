//! [`KeyedState`]: what an operator keeps by key, whatever the backend.
//!
//! ```text
//! value(key) -> the table has it? -> else what lies below has it? decode, put into the table -> else make it
//! ```
//!
//! A key is read from below once and lives in the table until it is dropped there, which may happen when its last change is
//! written below. A key that was removed stays in the table as such until then: what lies below still knows it. A table that has
//! all of its keys (`whole`: nothing was dropped, nothing restored) never looks below.
//!
//! It knows nothing of frames, checkpoints and who calls.

use super::backend::{Backend, Below, Which};
use super::files::OnDisk;
use super::save::{SaveTo, Saved, Target};
use super::table::{self, AHEAD, Absent, Ahead, Drain, Place, Probe, Saving, Table, Walk};
use crate::codec::CodecError;
use crate::error::Fault;
use crate::hash::KeyRange;
use crate::key::{Kept, Key, KeyColumn};
use crate::record::{self, Record};
use std::marker::PhantomData;
use std::rc::Rc;

/// KeyedState by key.
pub struct KeyedState<K: Key, V: Record, B: Backend> {
    table: Table<K, V>,
    below: B::Below,
    which: Which,
    /// All of its keys are in the table.
    whole: bool,
    /// Which values may be dropped from memory when they are below.
    may_go: fn(&V) -> bool,
    /// How far giving up memory has come; `None` if it is not under way.
    relieving: Option<Walk>,
    /// A tour that meets each value once has paused: nothing leaves the table.
    still: bool,
    /// A key's byte form.
    bytes: Vec<u8>,
    /// It stays on its thread, with what its snapshot shares with those of other tables.
    here: PhantomData<Rc<()>>,
}

/// Where a walk over all values goes on: first over the table, then over what lies below and is not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tour {
    table: Walk,
    below: Option<u64>,
    once: bool,
}

impl Tour {
    /// Meets each value once, if nothing is put in while it pauses, and must go on to its end: until then no memory is given up. What leaves the
    /// table between two calls would be met again below, and what moves up in its place be missed.
    pub fn once() -> Tour {
        Tour { once: true, ..Tour::default() }
    }
}

impl<K: Key, V: Record, B: Backend> KeyedState<K, V, B> {
    /// The values of one table for the keys of a range. Nothing of it lies below yet: where something does, because it
    /// was restored, [`restored`](Saved::restored) says so.
    pub fn new(range: KeyRange, below: B::Below, which: Which) -> Self {
        Self::over(Table::new(range), below, which)
    }

    /// With room for so many entries.
    pub fn with_room(range: KeyRange, entries: usize, below: B::Below, which: Which) -> Self {
        Self::over(Table::with_room(range, entries), below, which)
    }

    /// Of values that are in a table already and that nobody else knows: they all count as changed in this epoch.
    pub fn adopt(mut table: Table<K, V>, below: B::Below, which: Which, epoch: u64) -> Self {
        table.stamp_with(epoch);
        if B::Below::THERE {
            table.stamp_all();
        }
        let mut state = Self::over(table, below, which);
        state.stamp_with(epoch);
        state
    }

    fn over(mut table: Table<K, V>, below: B::Below, which: Which) -> Self {
        table.stamp_with(u64::from(below.written().wrapping_add(1)));
        KeyedState {
            table,
            below,
            which,
            whole: true,
            may_go: |_| true,
            relieving: None,
            still: false,
            bytes: Vec::new(),
            here: PhantomData,
        }
    }

    /// Keeps those values in memory that may not go.
    pub fn keeping(mut self, may_go: fn(&V) -> bool) -> Self {
        self.may_go = may_go;
        self
    }

    /// How many entries are in memory.
    pub fn held(&self) -> usize {
        self.table.len()
    }

    /// What lies below, if that is files.
    pub fn on_disk(&self) -> Option<Rc<dyn OnDisk>> {
        self.below.on_disk()
    }

    /// What went wrong below, if anything did since it was last asked.
    pub fn take_fault(&self) -> Option<Fault> {
        self.below.take_fault()
    }

    /// Entries changed from now on belong to this epoch.
    pub fn stamp_with(&mut self, epoch: u64) {
        self.table.stamp_with(epoch);
    }

    /// Asks for the memory of a key ahead of its use.
    #[inline(always)]
    pub fn prefetch(&self, hash: u64) {
        self.table.prefetch(hash);
        if B::Below::THERE && !self.whole {
            self.below.prefetch(self.which, hash);
        }
    }

    /// Begins to look up the keys of a frame.
    #[inline(always)]
    pub fn ahead(&self, keys: &K::Column) -> Ahead<K, V> {
        if B::Below::THERE && !self.whole {
            (0..keys.len().min(AHEAD)).for_each(|at| self.below.prefetch(self.which, keys.hash(at)));
        }
        Ahead::of(&self.table, keys)
    }

    /// Where the search for the key of a row begins. Rows are asked for one after the other.
    #[inline(always)]
    pub fn next_of(&self, ahead: &mut Ahead<K, V>, keys: &K::Column, at: usize) -> Probe<K, V> {
        if B::Below::THERE && !self.whole && at + AHEAD < keys.len() {
            self.below.prefetch(self.which, keys.hash(at + AHEAD));
        }
        ahead.next(&self.table, keys, at)
    }

    /// The value of a key; `make` gives that of a new one. It counts as changed.
    #[inline(always)]
    pub fn value(&mut self, hash: u64, key: K::Ref<'_>, make: impl FnOnce() -> V) -> &mut V {
        let (table, under) = self.split();
        table.value(hash, key, |absent| under.value::<K, V>(absent, hash, key, make))
    }

    /// The value of a frame's key.
    #[inline(always)]
    pub fn value_at(&mut self, keys: &K::Column, at: usize, make: impl FnOnce() -> V) -> &mut V {
        let (table, under) = self.split();
        table.value_at(keys, at, |absent| under.value::<K, V>(absent, keys.hash(at), keys.get(at), make))
    }

    /// The value of a frame's key that was looked up ahead.
    #[inline(always)]
    pub fn value_from(&mut self, probe: Probe<K, V>, keys: &K::Column, at: usize, make: impl FnOnce() -> V) -> &mut V {
        let (table, under) = self.split();
        table.value_from(probe, keys, at, |absent| under.value::<K, V>(absent, keys.hash(at), keys.get(at), make))
    }

    /// Key and value, made if it is a new one. It counts as changed.
    #[inline(always)]
    pub fn entry(&mut self, hash: u64, key: K::Ref<'_>, make: impl FnOnce() -> V) -> (&K::Kept, &mut V) {
        let (table, under) = self.split();
        let place = table.entry(hash, key, |absent| under.value::<K, V>(absent, hash, key, make));
        let (key, value) = table.pair(place);
        (key, value)
    }

    #[inline(always)]
    fn split(&mut self) -> (&mut Table<K, V>, Under<'_, B>) {
        let Self { table, below, which, whole, bytes, .. } = self;
        (table, Under { below, which: *which, whole: *whole, bytes })
    }

    /// The place of a key's entry, if it has a value. The entry is taken to change.
    #[inline(always)]
    pub fn seek(&mut self, hash: u64, key: K::Ref<'_>) -> Option<Place> {
        match self.table.seek(hash, key) {
            Ok(place) => Some(place),
            Err(Absent::Unknown) if B::Below::THERE && !self.whole => self.bring(hash, key),
            Err(_) => None,
        }
    }

    /// Brings a key that is not in the table, if it is below.
    #[cold]
    #[inline(never)]
    fn bring(&mut self, hash: u64, key: K::Ref<'_>) -> Option<Place> {
        let (table, under) = self.split();
        let value = under.read::<K, V>(hash, key)?;
        Some(table.insert(hash, (K::Kept::keep(key), value)))
    }

    /// Key and value at a place that [`seek`](KeyedState::seek) gave just before.
    #[inline(always)]
    pub fn pair(&mut self, place: Place) -> (&K::Kept, &mut V) {
        let (key, value) = self.table.pair(place);
        (key, value)
    }

    /// Takes out the entry at a place that [`seek`](KeyedState::seek) gave just before.
    pub fn remove(&mut self, place: Place) {
        if B::Below::THERE {
            // What lies below, or will once a snapshot under way is written, must not be taken for the value again.
            self.table.mark_removed(place);
        } else {
            self.table.remove(place);
        }
    }

    /// Looks at the next few values; `false` once there are no more. Between two calls the tour may pause. An entry that moves
    /// meanwhile, because others are put in or memory is given up, may be missed or met again: see [`Tour::once`].
    /// `each` says whether it may have changed the value. One that lies below comes into memory only if it has.
    pub fn tour(&mut self, at: &mut Tour, each: impl FnMut(&K::Kept, &mut V) -> bool) -> bool {
        let more = self.tour_some(at, each);
        self.still = at.once && more;
        more
    }

    fn tour_some(&mut self, at: &mut Tour, mut each: impl FnMut(&K::Kept, &mut V) -> bool) -> bool {
        if at.below.is_none() {
            if self.table.walk(&mut at.table, &mut each) {
                return true;
            }
            if self.whole {
                return false;
            }
            at.below = Some(0);
        }
        let Some(from) = at.below else { return false };
        let (mut changed, mut after) = (Vec::new(), Vec::new());
        let Self { table, below, which, .. } = self;
        at.below = below.some_of(*which, from, |hash, key, before| {
            let key: K = record::whole(key)?;
            if table.place_of(hash, key.view()).is_none() {
                let (kept, mut value): (_, V) = (K::Kept::keep(key.view()), record::whole(before)?);
                if each(&kept, &mut value) {
                    after.clear();
                    value.encode(&mut after);
                    if after != before {
                        changed.push((hash, (kept, value)));
                    }
                }
            }
            Ok(())
        });
        for (hash, entry) in changed {
            self.table.insert(hash, entry);
        }
        at.below.is_some()
    }

    /// Brings all values into memory that `wanted` says. Reads everything that lies below.
    pub fn bring_all(&mut self, wanted: impl Fn(&V) -> bool) {
        let mut from = if self.whole { None } else { Some(0) };
        while let Some(at) = from {
            let mut found = Vec::new();
            let Self { table, below, which, .. } = self;
            from = below.some_of(*which, at, |hash, key, value| {
                let key: K = record::whole(key)?;
                if table.place_of(hash, key.view()).is_none() {
                    let value: V = record::whole(value)?;
                    if wanted(&value) {
                        found.push((hash, K::Kept::keep(key.view()), value));
                    }
                }
                Ok(())
            });
            for (hash, key, value) in found {
                self.table.insert_as_of(hash, self.below.written(), (key, value));
            }
        }
    }

    /// Looks at the next few values that are in memory; see [`tour`](KeyedState::tour).
    pub fn walk_held(&mut self, at: &mut Walk, each: impl FnMut(&K::Kept, &mut V) -> bool) -> bool {
        self.table.walk(at, each)
    }

    /// Looks at the next few values, and tidies the `stale` ones: one for which `tidy` then says that nothing is left of it is
    /// taken out. `false` once there are no more.
    pub fn sweep(&mut self, at: &mut Tour, stale: impl Fn(&V) -> bool, mut tidy: impl FnMut(&mut V) -> bool) -> bool {
        if at.below.is_none() {
            if self.table.sweep(&mut at.table, B::Below::THERE, &stale, &mut tidy) {
                return true;
            }
            if self.whole {
                return false;
            }
            at.below = Some(0);
        }
        let Some(from) = at.below else { return false };
        let mut found = Vec::new();
        let Self { table, below, which, .. } = self;
        at.below = below.some_of(*which, from, |hash, key, value| {
            let key: K = record::whole(key)?;
            if table.place_of(hash, key.view()).is_none() {
                let mut value: V = record::whole(value)?;
                if stale(&value) {
                    let gone = tidy(&mut value);
                    found.push((gone, hash, (K::Kept::keep(key.view()), value)));
                }
            }
            Ok(())
        });
        for (gone, hash, entry) in found {
            if gone {
                self.table.insert_removed(hash, entry);
            } else {
                self.table.insert(hash, entry);
            }
        }
        at.below.is_some()
    }

    /// Gives everything away, part by part.
    pub fn into_parts(self) -> Parts<K, V, B> {
        let Self { table, below, which, whole, .. } = self;
        // Keys that go out with the table must not come once more from below.
        let mut seen = Table::new(table.range());
        if !whole {
            table.for_each(|key, _| {
                seen.insert(K::hash(key.view()), (key.clone(), ()));
            });
        }
        Parts { drain: Some(table.into_pieces()), at: 0, seen, below, which, from: if whole { None } else { Some(0) } }
    }
}

/// What lies under a table, while the table is in use.
struct Under<'x, B: Backend> {
    below: &'x B::Below,
    which: Which,
    whole: bool,
    bytes: &'x mut Vec<u8>,
}

impl<B: Backend> Under<'_, B> {
    /// What the table holds from now on of a key without a value.
    #[inline(always)]
    fn value<K: Key, V: Record>(self, absent: Absent, hash: u64, key: K::Ref<'_>, make: impl FnOnce() -> V) -> V {
        if B::Below::THERE && !self.whole && absent == Absent::Unknown {
            return self.read::<K, V>(hash, key).unwrap_or_else(make);
        }
        make()
    }

    #[cold]
    #[inline(never)]
    fn read<K: Key, V: Record>(self, hash: u64, key: K::Ref<'_>) -> Option<V> {
        let Under { below, which, bytes, .. } = self;
        bytes.clear();
        K::Kept::keep(key).write(bytes);
        below.read(which, hash, bytes, record::whole::<V>)
    }
}

impl<K: Key, V: Record, B: Backend> Saved for KeyedState<K, V, B> {
    fn restored(&mut self) {
        self.whole = !B::Below::THERE || self.below.is_empty();
    }

    fn bytes(&self) -> usize {
        self.table.bytes()
    }

    fn is_littered(&self) -> bool {
        self.table.gone() > 1024 && self.table.gone() > self.table.len() / 4
    }

    fn relieve(&mut self, short: bool) -> bool {
        if !B::Below::THERE || self.still {
            return false;
        }
        let (at, may_go) = (self.relieving.get_or_insert_default(), self.may_go);
        // Without what was removed it still has all of its keys.
        self.whole &= !short;
        let more = self.table.drop_clean(at, self.below.written(), |value| short && may_go(value));
        if !more {
            self.relieving = None;
        }
        more
    }

    fn begin_save(&mut self, to: &SaveTo, state: u16, namespace: i64) {
        let which = if B::Below::THERE { table::Which::Since(self.below.written()) } else { table::Which::All };
        let put = |saving: &Saving<K, V>, to: &mut Target, key: &K::Kept, value: Option<&V>| {
            let (hash, &Saving { state, namespace, .. }) = (K::hash(key.view()), saving);
            let value = value.map(|value| |out: &mut Vec<u8>| value.encode(out));
            to.put((hash, state, namespace), |out| key.write(out), value);
        };
        self.table.begin_save(to, (state, namespace), which, put);
    }

    fn save_some(&mut self, budget: &mut usize) -> bool {
        self.table.save_some(budget)
    }

    fn give_up(&mut self) {
        self.table.give_up();
    }

    fn expect(&mut self, entries: usize) {
        self.table.make_room(entries);
    }

    fn look_ahead(&self, hash: u64) {
        self.table.prefetch(hash);
    }

    fn load(&mut self, key: &[u8], value: &[u8]) -> Result<(), CodecError> {
        let (key, value): (K, V) = (record::whole(key)?, record::whole(value)?);
        let hash = K::hash(key.view());
        match self.table.seek(hash, key.view()) {
            Ok(place) => *self.table.at(place) = value,
            Err(_) => {
                self.table.insert(hash, (K::Kept::keep(key.view()), value));
            }
        }
        Ok(())
    }
}

/// All values of a table on their way out.
pub struct Parts<K: Key, V: Record, B: Backend> {
    drain: Option<Drain<K, V>>,
    at: usize,
    seen: Table<K, ()>,
    below: B::Below,
    which: Which,
    from: Option<u64>,
}

impl<K: Key, V: Record, B: Backend> Parts<K, V, B> {
    /// Gives out the next few values; `false` if there was none.
    pub fn next_part(&mut self, mut each: impl FnMut(K, V)) -> bool {
        if let Some(drain) = &mut self.drain {
            if drain.next_part(&mut self.at, &mut each) {
                return true;
            }
            self.drain = None;
        }
        let Some(from) = self.from else { return false };
        let Self { seen, below, which, .. } = self;
        self.from = below.some_of(*which, from, |hash, key, value| {
            let key: K = record::whole(key)?;
            if seen.place_of(hash, key.view()).is_none() {
                each(key, record::whole(value)?);
            }
            Ok(())
        });
        self.from.is_some()
    }
}

#[cfg(test)]
mod tests;
