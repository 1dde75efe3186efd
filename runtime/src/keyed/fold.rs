//! `reduce` and `fold` without a window. Both depend on the order in which the rows of a key arrive.

use super::life::Lifetime;
use super::{AHEAD, Batch, Follow, Keeps, Operator, Out, Speak};
use crate::codec::CodecError;
use crate::error::Fault;
use crate::frame::Time;
use crate::hash::KeyRange;
use crate::key::{Kept, Key, KeyColumn};
use crate::record::{self, Record};
use crate::state::Backend;
use crate::state::backend::Which;
use crate::state::files::OnDisk;
use crate::state::keyed::{KeyedState, Tour};
use crate::state::save::{Saved, StateMeta};
use crate::state::ttl::{Age, Aged};
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

/// How rows are folded into a value.
pub trait Folding<V>: 'static {
    /// The value.
    type Acc: Record + Clone;
    /// The value after a row; `acc` is `None` for a key's first.
    fn step(&mut self, acc: &mut Option<Self::Acc>, row: V);
}

/// `reduce(|a, b| ..)`.
pub struct Reducing<F>(pub F);
impl<V: Record + Clone, F: FnMut(V, V) -> V + 'static> Folding<V> for Reducing<F> {
    type Acc = V;
    #[inline(always)]
    fn step(&mut self, acc: &mut Option<V>, row: V) {
        *acc = Some(match acc.take() {
            Some(before) => (self.0)(before, row),
            None => row,
        });
    }
}

/// `fold(init, |acc, row| ..)`.
pub struct FoldingWith<I, F>(pub I, pub F);
impl<V, A: Record + Clone, I: FnMut() -> A + 'static, F: FnMut(&mut A, V) + 'static> Folding<V> for FoldingWith<I, F> {
    type Acc = A;
    #[inline(always)]
    fn step(&mut self, acc: &mut Option<A>, row: V) {
        (self.1)(acc.get_or_insert_with(&mut self.0), row)
    }
}

/// A folded value per key.
pub struct Fold<K: Key, V, F: Folding<V>, G: Age, B: Backend> {
    how: F,
    values: KeyedState<K, Aged<(Option<F::Acc>, bool), G>, B>,
    life: Lifetime<G>,
    speak: Speak,
    next: Option<Duration>,
    latest: i64,
    walked: Tour,
    ending: bool,
    rows: PhantomData<V>,
}

impl<K: Key, V: 'static, F: Folding<V>, G: Age, B: Backend> Fold<K, V, F, G, B> {
    /// For the keys of a range; `now` is the clock's time.
    pub fn new(how: F, life: Lifetime<G>, range: KeyRange, below: B::Below, speak: Speak, now: Duration) -> Self {
        let next = if let Speak::Every(every) = speak { Some(now + every) } else { None };
        Fold {
            how,
            values: KeyedState::new(range, below, Which::FIRST),
            life,
            speak,
            next,
            latest: i64::MIN,
            walked: Tour::default(),
            ending: false,
            rows: PhantomData,
        }
    }

    fn speak<T: Time, N: Follow<Self, V>>(&mut self, next: &mut N) -> bool {
        let (latest, at_end) = (self.latest, self.speak == Speak::AtEnd);
        let (ttl, now) = (self.life.ttl(), self.life.now::<T>());
        loop {
            if !next.room() {
                return false;
            }
            let more = self.values.tour(&mut self.walked, |key, aged| {
                let (acc, changed) = &mut aged.value;
                // At the end each key is told, so that nobody need remember which were: there may be more of them than memory.
                let told = !at_end && std::mem::take(changed);
                if (told || at_end)
                    && !aged.since.over(ttl, now)
                    && let Some(acc) = acc
                {
                    next.main((key.view(), acc.clone()), latest);
                }
                told
            });
            if !more {
                self.walked = Tour::default();
                return true;
            }
        }
    }
}

impl<K: Key, V, F: Folding<V>, G: Age, B: Backend> Keeps for Fold<K, V, F, G, B> {
    type Key = K;
    type Value = F::Acc;
}

impl<K: Key, V, F: Folding<V>, G: Age, B: Backend> Out for Fold<K, V, F, G, B> {
    type Row<'a> = (K::Ref<'a>, F::Acc);
}

impl<K: Key, V: 'static, F: Folding<V>, G: Age, B: Backend, T: Time> Operator<K, V, (), T> for Fold<K, V, F, G, B> {
    fn rows<N: Follow<Self, V>>(&mut self, batch: Batch<'_, K, V, T>, next: &mut N) {
        let each = self.speak == Speak::Each;
        let rows = batch.keys.len();
        let mut nows = self.life.nows(batch.times, batch.marks, batch.watermark);
        for (at, value) in batch.values.enumerate() {
            if at + AHEAD < rows {
                self.values.prefetch(batch.keys.hash(at + AHEAD));
            }
            let key = batch.keys.get(at);
            let aged = self.values.value_at(batch.keys, at, Aged::default);
            let (acc, changed) = aged.write(self.life.ttl(), nows.at(at));
            self.how.step(acc, value);
            let time = batch.times[at].ms();
            if each {
                if let Some(acc) = acc {
                    next.main((key, acc.clone()), time);
                }
            } else {
                *changed = true;
                self.latest = self.latest.max(time);
            }
        }
        self.life.sweep_after::<_, _, _, T>(&mut self.values, rows);
    }
    fn advance<N: Follow<Self, V>>(&mut self, watermark: i64, _: &mut N) -> bool {
        self.life.advance::<_, _, _, T>(&mut self.values, watermark);
        true
    }
    fn next_tick(&self) -> Option<Duration> {
        self.next
    }
    fn tick<N: Follow<Self, V>>(&mut self, now: Duration, next: &mut N) {
        if let Speak::Every(every) = self.speak
            && self.next.is_some_and(|at| now >= at)
            && self.speak::<T, N>(next)
        {
            self.next = Some(now + every);
        }
    }
    fn barrier(&mut self, epoch: u64) {
        self.values.stamp_with(epoch + 1);
    }
    fn on_disk(&self) -> Option<Rc<dyn OnDisk>> {
        self.values.on_disk()
    }
    fn failure(&mut self) -> Option<Fault> {
        self.values.take_fault()
    }
    fn states() -> Vec<StateMeta> {
        vec![StateMeta::of::<K, Aged<(Option<F::Acc>, bool), G>>("value")]
    }
    fn tables(&mut self, each: &mut dyn FnMut(u16, i64, &mut dyn Saved)) {
        each(0, 0, &mut self.values);
    }
    fn table_of(&mut self, state: u16, _: i64) -> Option<&mut dyn Saved> {
        (state == 0).then_some(&mut self.values as &mut dyn Saved)
    }
    fn head(&self) -> Vec<u8> {
        self.latest.to_le_bytes().to_vec()
    }
    fn restore_head(&mut self, head: &[u8]) -> Result<(), CodecError> {
        self.latest = self.latest.max(record::whole(head)?);
        Ok(())
    }
    fn end<N: Follow<Self, V>>(&mut self, next: &mut N) -> bool {
        // A walk that paused is behind what has changed since.
        if !std::mem::replace(&mut self.ending, true) {
            self.walked = Tour::once();
        }
        self.speak == Speak::Each || self.speak::<T, N>(next)
    }
}
