//! `aggregate` without a window: a value per key, spoken of after each row, every so often, or at the end.

use super::life::Lifetime;
use super::{AHEAD, Batch, Follow, Keeps, Operator, Out, Speak};
use crate::aggregate::Aggregator;
use crate::codec::CodecError;
use crate::error::Fault;
use crate::frame::Time;
use crate::hash::KeyRange;
use crate::key::{Kept, Key, KeyColumn};
use crate::record;
use crate::state::Backend;
use crate::state::backend::Which;
use crate::state::files::OnDisk;
use crate::state::keyed::{KeyedState, Tour};
use crate::state::save::{Saved, StateMeta};
use crate::state::ttl::{Age, Aged};
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

/// A result per row.
pub struct AggregateEach<K: Key, V, A: Aggregator<V>, G: Age, B: Backend> {
    how: A,
    values: KeyedState<K, Aged<A::Acc, G>, B>,
    life: Lifetime<G>,
}

impl<K: Key, V: 'static, A: Aggregator<V>, G: Age, B: Backend> AggregateEach<K, V, A, G, B> {
    /// For the keys of a range.
    pub fn new(how: A, life: Lifetime<G>, range: KeyRange, below: B::Below) -> Self {
        AggregateEach { how, values: KeyedState::new(range, below, Which::FIRST), life }
    }
}

impl<K: Key, V, A: Aggregator<V>, G: Age, B: Backend> Keeps for AggregateEach<K, V, A, G, B> {
    type Key = K;
    type Value = A::Acc;
}

impl<K: Key, V, A: Aggregator<V>, G: Age, B: Backend> Out for AggregateEach<K, V, A, G, B> {
    type Row<'a> = (K::Ref<'a>, A::Out);
}

impl<K: Key, V: 'static, A: Aggregator<V>, G: Age, B: Backend, T: Time> Operator<K, V, (), T>
    for AggregateEach<K, V, A, G, B>
{
    fn rows<F: Follow<Self, V>>(&mut self, batch: Batch<'_, K, V, T>, next: &mut F) {
        let Self { how, values: state, life } = self;
        let rows = batch.keys.len();
        let mut nows = life.nows(batch.times, batch.marks, batch.watermark);
        let mut ahead = state.ahead(batch.keys);
        for ((at, time), value) in batch.times.iter().enumerate().zip(batch.values) {
            let probe = state.next_of(&mut ahead, batch.keys, at);
            let key = batch.keys.get(at);
            let acc = state.value_from(probe, batch.keys, at, Aged::default).write(life.ttl(), nows.at(at));
            how.add(acc, &value);
            next.main((key, how.finish(acc)), time.ms());
        }
        life.sweep_after::<_, _, _, T>(state, rows);
    }
    fn advance<F: Follow<Self, V>>(&mut self, watermark: i64, _: &mut F) -> bool {
        self.life.advance::<_, _, _, T>(&mut self.values, watermark);
        true
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
        vec![StateMeta::of::<K, Aged<A::Acc, G>>("value")]
    }
    fn tables(&mut self, each: &mut dyn FnMut(u16, i64, &mut dyn Saved)) {
        each(0, 0, &mut self.values);
    }
    fn table_of(&mut self, state: u16, _: i64) -> Option<&mut dyn Saved> {
        (state == 0).then_some(&mut self.values as &mut dyn Saved)
    }
}

/// A result per key, every so often or at the end.
pub struct AggregateTotal<K: Key, V, A: Aggregator<V>, G: Age, B: Backend> {
    how: A,
    values: KeyedState<K, Aged<(A::Acc, bool), G>, B>,
    life: Lifetime<G>,
    every: Option<Duration>,
    next: Option<Duration>,
    /// The greatest event time seen: what results carry.
    latest: i64,
    /// Where the walk goes on.
    walked: Tour,
    /// The walk is the one at the end.
    ending: bool,
    rows: PhantomData<V>,
}

impl<K: Key, V: 'static, A: Aggregator<V>, G: Age, B: Backend> AggregateTotal<K, V, A, G, B> {
    /// For the keys of a range; `now` is the clock's time.
    pub fn new(how: A, life: Lifetime<G>, range: KeyRange, below: B::Below, speak: Speak, now: Duration) -> Self {
        let every = if let Speak::Every(every) = speak { Some(every) } else { None };
        let next = every.map(|every| now + every);
        AggregateTotal {
            how,
            values: KeyedState::new(range, below, Which::FIRST),
            life,
            every,
            next,
            latest: i64::MIN,
            walked: Tour::default(),
            ending: false,
            rows: PhantomData,
        }
    }

    fn speak<T: Time, F: Follow<Self, V>>(&mut self, next: &mut F) -> bool {
        let Self { how, values, life, every, latest, walked, .. } = self;
        let at_end = every.is_none();
        let (ttl, now) = (life.ttl(), life.now::<T>());
        loop {
            if !next.room() {
                return false;
            }
            let more = values.tour(walked, |key, aged| {
                let (acc, changed) = &mut aged.value;
                // At the end each key is told, so that nobody need remember which were: there may be more of them than memory.
                let told = !at_end && std::mem::take(changed);
                if (told || at_end) && !aged.since.over(ttl, now) {
                    next.main((key.view(), how.finish(acc)), *latest);
                }
                told
            });
            if !more {
                *walked = Tour::default();
                return true;
            }
        }
    }
}

impl<K: Key, V, A: Aggregator<V>, G: Age, B: Backend> Keeps for AggregateTotal<K, V, A, G, B> {
    type Key = K;
    type Value = A::Acc;
}

impl<K: Key, V, A: Aggregator<V>, G: Age, B: Backend> Out for AggregateTotal<K, V, A, G, B> {
    type Row<'a> = (K::Ref<'a>, A::Out);
}

impl<K: Key, V: 'static, A: Aggregator<V>, G: Age, B: Backend, T: Time> Operator<K, V, A::Acc, T>
    for AggregateTotal<K, V, A, G, B>
{
    fn rows<F: Follow<Self, V>>(&mut self, batch: Batch<'_, K, V, T>, _: &mut F) {
        let rows = batch.keys.len();
        let mut nows = self.life.nows(batch.times, batch.marks, batch.watermark);
        for (at, value) in batch.values.enumerate() {
            if at + AHEAD < batch.keys.len() {
                self.values.prefetch(batch.keys.hash(at + AHEAD));
            }
            let aged = self.values.value_at(batch.keys, at, Aged::default);
            let (acc, changed) = aged.write(self.life.ttl(), nows.at(at));
            self.how.add(acc, &value);
            *changed = true;
            self.latest = self.latest.max(batch.times[at].ms());
        }
        self.life.sweep_after::<_, _, _, T>(&mut self.values, rows);
    }
    fn advance<F: Follow<Self, V>>(&mut self, watermark: i64, _: &mut F) -> bool {
        self.life.advance::<_, _, _, T>(&mut self.values, watermark);
        true
    }
    fn partials<F: Follow<Self, V>>(&mut self, batch: Batch<'_, K, A::Acc, T>, _: &mut F) {
        for (at, partial) in batch.values.enumerate() {
            if at + AHEAD < batch.keys.len() {
                self.values.prefetch(batch.keys.hash(at + AHEAD));
            }
            // Nothing is combined that has a ttl.
            let (acc, changed) = &mut self.values.value_at(batch.keys, at, Aged::default).value;
            self.how.merge(acc, partial);
            *changed = true;
            self.latest = self.latest.max(batch.times[at].ms());
        }
    }
    fn next_tick(&self) -> Option<Duration> {
        self.next
    }
    fn tick<F: Follow<Self, V>>(&mut self, now: Duration, next: &mut F) {
        if let Some(every) = self.every
            && self.next.is_some_and(|at| now >= at)
            && self.speak::<T, F>(next)
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
        vec![StateMeta::of::<K, Aged<(A::Acc, bool), G>>("value")]
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
    fn end<F: Follow<Self, V>>(&mut self, next: &mut F) -> bool {
        // A walk that paused is behind what has changed since.
        if !std::mem::replace(&mut self.ending, true) {
            self.walked = Tour::once();
        }
        self.speak::<T, F>(next)
    }
}
