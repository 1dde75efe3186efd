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

use super::backend::{Backend, Below, Held, Which};
use super::filesystem::Segments;
use super::save::{SaveTo, Saved};
use super::table::{self, Drain, Place, Probe, Saving, Table, Walk};
use crate::codec::CodecError;
use crate::error::Fault;
use crate::hash::KeyRange;
use crate::key::{Kept, Key, KeyColumn};
use crate::record::{self, Record};

/// KeyedState by key.
pub struct KeyedState<K: Key, V: Record, B: Backend> {
    table: Table<K, B::Held<V>>,
    below: B::Below,
    which: Which,
    /// All of its keys are in the table.
    whole: bool,
    /// Which values may be dropped from memory when they are below.
    may_go: fn(&V) -> bool,
    /// How far giving up memory has come; `None` if it is not under way.
    relieving: Option<Walk>,
    /// A key's byte form.
    bytes: Vec<u8>,
}

/// Where a search begins; see [`Table::look_ahead`].
pub type Ahead<K, V, B> = Option<Probe<K, <B as Backend>::Held<V>>>;

/// Where a walk over all values goes on: first over the table, then over what lies below and is not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tour {
    table: Walk,
    below: Option<u64>,
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

    /// Of values that are in a table already and that nobody else knows; gives the table back if it cannot become this
    /// backend's.
    #[allow(clippy::result_large_err, reason = "it is the same table, and moves once per window")]
    pub fn adopt(table: Table<K, V>, below: B::Below, which: Which) -> Result<Self, Table<K, V>> {
        Ok(Self::over(B::adopt(table)?, below, which))
    }

    fn over(mut table: Table<K, B::Held<V>>, below: B::Below, which: Which) -> Self {
        table.stamp_with(u64::from(below.written().wrapping_add(1)));
        KeyedState { table, below, which, whole: true, may_go: |_| true, relieving: None, bytes: Vec::new() }
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

    /// What lies below, if that is segments.
    pub fn segments(&self) -> Option<Segments> {
        self.below.segments().cloned()
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

    /// Where the search for a hash begins, with the memory on its way.
    #[inline(always)]
    pub fn look_ahead(&self, hash: u64) -> Ahead<K, V, B> {
        if B::Below::THERE && !self.whole {
            self.below.prefetch(self.which, hash);
        }
        self.table.look_ahead(hash)
    }

    /// The value of a key; `make` gives that of a new one. It counts as changed.
    #[inline(always)]
    pub fn value(&mut self, hash: u64, key: K::Ref<'_>, make: impl Fn() -> V) -> &mut V {
        let Self { table, below, which, whole, bytes, .. } = self;
        let held = table.value(hash, key, || make_held::<K, V, B>((below, *which, *whole, bytes), hash, key, &make));
        held.or_make(make)
    }

    /// The value of a frame's key.
    #[inline(always)]
    pub fn value_at(&mut self, keys: &K::Column, at: usize, make: impl Fn() -> V) -> &mut V {
        let Self { table, below, which, whole, bytes, .. } = self;
        let held = table.value_at(keys, at, || {
            make_held::<K, V, B>((below, *which, *whole, bytes), keys.hash(at), keys.get(at), &make)
        });
        held.or_make(make)
    }

    /// The value of a frame's key that was looked up ahead.
    #[inline(always)]
    pub fn value_from(&mut self, probe: Ahead<K, V, B>, keys: &K::Column, at: usize, make: impl Fn() -> V) -> &mut V {
        let Self { table, below, which, whole, bytes, .. } = self;
        let held = table.value_from(probe, keys, at, || {
            make_held::<K, V, B>((below, *which, *whole, bytes), keys.hash(at), keys.get(at), &make)
        });
        held.or_make(make)
    }

    /// Key and value, made if it is a new one. It counts as changed.
    #[inline(always)]
    pub fn entry(&mut self, hash: u64, key: K::Ref<'_>, make: impl Fn() -> V) -> (&K::Kept, &mut V) {
        let Self { table, below, which, whole, bytes, .. } = self;
        let place = table.entry(hash, key, || make_held::<K, V, B>((below, *which, *whole, bytes), hash, key, &make));
        let (key, held) = table.pair(place);
        (key, held.or_make(make))
    }

    /// The place of a key's entry, if it has one. The entry is taken to change.
    #[inline(always)]
    pub fn seek(&mut self, hash: u64, key: K::Ref<'_>) -> Option<Place> {
        if !B::Below::THERE {
            return self.table.seek(hash, key);
        }
        let place = match self.table.seek(hash, key) {
            Some(place) => place,
            None => self.bring(hash, key)?,
        };
        let held: &B::Held<V> = self.table.at(place);
        held.peek().is_some().then_some(place)
    }

    /// Brings a key that is not in the table, if it is below.
    #[cold]
    #[inline(never)]
    fn bring(&mut self, hash: u64, key: K::Ref<'_>) -> Option<Place> {
        if self.whole {
            return None;
        }
        let value = read::<K, V, B>(&self.below, self.which, &mut self.bytes, hash, key)?;
        Some(self.table.insert(hash, (K::Kept::keep(key), B::Held::of(value))))
    }

    /// Key and value at a place that [`seek`](KeyedState::seek) gave just before.
    #[inline(always)]
    pub fn pair(&mut self, place: Place) -> Option<(&K::Kept, &mut V)> {
        let (key, held): &mut (K::Kept, B::Held<V>) = self.table.pair(place);
        held.peek_mut().map(|value| (&*key, value))
    }

    /// Takes out the entry at a place that [`seek`](KeyedState::seek) gave just before.
    pub fn remove(&mut self, place: Place) {
        match B::Held::<V>::nothing() {
            None => drop(self.table.remove(place)),
            // What lies below, or will once a snapshot under way is written, must not be taken for the value again.
            Some(nothing) => *self.table.at(place) = nothing,
        }
    }

    /// Looks at the next few values; `false` once there are no more. Between two calls the tour may pause. An entry that moves
    /// meanwhile, because others are put in, may be missed or met again.
    pub fn tour(&mut self, at: &mut Tour, mut each: impl FnMut(&K::Kept, &mut V)) -> bool {
        if at.below.is_none() {
            if self
                .table
                .walk(&mut at.table, |key, held| held.peek_mut().into_iter().for_each(|value| each(key, value)))
            {
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
        let next = below.some_of(*which, from, |hash, key_bytes, value_bytes| {
            let key: K = record::whole(key_bytes)?;
            if table.place_of(hash, key.view()).is_none() {
                let mut value: V = record::whole(value_bytes)?;
                let kept = K::Kept::keep(key.view());
                each(&kept, &mut value);
                after.clear();
                value.encode(&mut after);
                if after != value_bytes {
                    changed.push((hash, kept, value));
                }
            }
            Ok(())
        });
        for (hash, key, value) in changed {
            self.table.insert(hash, (key, B::Held::of(value)));
        }
        at.below = next;
        next.is_some()
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
                self.table.insert_as_of(hash, self.below.written(), (key, B::Held::of(value)));
            }
        }
    }

    /// Looks at the next few values that are in memory; see [`tour`](KeyedState::tour).
    pub fn walk_held(&mut self, at: &mut Walk, mut each: impl FnMut(&K::Kept, &mut V)) -> bool {
        self.table.walk(at, |key, held| held.peek_mut().into_iter().for_each(|value| each(key, value)))
    }

    /// Looks at the next few values, and tidies the `stale` ones: one for which `tidy` then says that nothing is left of it is
    /// taken out. `false` once there are no more.
    pub fn sweep(&mut self, at: &mut Tour, stale: impl Fn(&V) -> bool, mut tidy: impl FnMut(&mut V) -> bool) -> bool {
        if at.below.is_none() {
            let more = match B::Held::<V>::nothing() {
                None => self.table.sweep(
                    &mut at.table,
                    |held| held.peek().is_some_and(&stale),
                    |held| held.peek_mut().is_some_and(&mut tidy),
                ),
                Some(_) => self.table.sweep(
                    &mut at.table,
                    |held| held.peek().is_some_and(&stale),
                    |held| {
                        if held.peek_mut().is_some_and(&mut tidy)
                            && let Some(nothing) = B::Held::nothing()
                        {
                            *held = nothing;
                        }
                        false
                    },
                ),
            };
            if more {
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
                    let held = if tidy(&mut value) { B::Held::nothing() } else { Some(B::Held::of(value)) };
                    found.extend(held.map(|held| (hash, K::Kept::keep(key.view()), held)));
                }
            }
            Ok(())
        });
        for (hash, key, held) in found {
            self.table.insert(hash, (key, held));
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

type Under<'x, B> = (&'x <B as Backend>::Below, Which, bool, &'x mut Vec<u8>);

/// What the table holds from now on of a key that it does not have.
#[inline(always)]
fn make_held<K: Key, V: Record, B: Backend>(
    (below, which, whole, bytes): Under<'_, B>,
    hash: u64,
    key: K::Ref<'_>,
    make: impl Fn() -> V,
) -> B::Held<V> {
    if B::Below::THERE
        && !whole
        && let Some(value) = read::<K, V, B>(below, which, bytes, hash, key)
    {
        return B::Held::of(value);
    }
    B::Held::of(make())
}

#[cold]
#[inline(never)]
fn read<K: Key, V: Record, B: Backend>(
    below: &B::Below,
    which: Which,
    bytes: &mut Vec<u8>,
    hash: u64,
    key: K::Ref<'_>,
) -> Option<V> {
    bytes.clear();
    K::Kept::keep(key).write(bytes);
    below.read(which, hash, bytes, record::whole::<V>)
}

impl<K: Key, V: Record, B: Backend> Saved for KeyedState<K, V, B> {
    fn restored(&mut self) {
        self.whole = !B::Below::THERE || self.below.is_empty();
    }

    fn bytes(&self) -> usize {
        self.table.bytes()
    }

    fn relieve(&mut self) -> bool {
        if !B::Below::THERE {
            return false;
        }
        let (at, may_go) = (self.relieving.get_or_insert_default(), self.may_go);
        self.whole = false;
        let more = self.table.drop_clean(at, self.below.written(), |held| held.peek().is_none_or(may_go));
        if !more {
            self.relieving = None;
        }
        more
    }

    fn begin_save(&mut self, to: &SaveTo, state: u16, namespace: i64) {
        let which = if B::Below::THERE { table::Which::Since(self.below.written()) } else { table::Which::All };
        let put = |saving: &Saving<K, B::Held<V>>, to: &mut super::save::Scratch, key: &K::Kept, held: &B::Held<V>| {
            let hash = K::hash(key.view());
            to.put(
                (hash, saving.state, saving.namespace),
                |out| key.write(out),
                |out| match held.peek() {
                    Some(value) => {
                        value.encode(out);
                        true
                    }
                    None => false,
                },
            );
        };
        self.table.begin_save(to, (state, namespace), which, put);
    }

    fn save_some(&mut self, budget: usize) -> bool {
        self.table.save_some(budget)
    }

    fn give_up(&mut self) {
        self.table.give_up();
    }

    fn load(&mut self, key: &[u8], value: &[u8]) -> Result<(), CodecError> {
        let (key, value): (K, V) = (record::whole(key)?, record::whole(value)?);
        let hash = K::hash(key.view());
        match self.table.seek(hash, key.view()) {
            Some(place) => *self.table.at(place) = B::Held::of(value),
            None => {
                self.table.insert(hash, (K::Kept::keep(key.view()), B::Held::of(value)));
            }
        }
        Ok(())
    }
}

/// All values of a table on their way out.
pub struct Parts<K: Key, V: Record, B: Backend> {
    drain: Option<Drain<K, B::Held<V>>>,
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
            let more = drain.next_part(&mut self.at, |key, held| {
                held.into_value().into_iter().for_each(|value| each(key.clone(), value));
            });
            if more {
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
