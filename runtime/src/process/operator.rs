//! The operator behind `process { .. }`: rows, timers and the end of the input become calls of handlers.
//!
//! One lookup per record brings the key's row with all its states. Event time: a row is handled as it arrives, or with
//! `in_order` once the watermark is behind it; a timer fires once the watermark has reached it, and before any row of its
//! key that is handled under such a watermark. So a row at `t` is due at `t + 1`, a timer at its time, and what is due at
//! one moment goes rows first: exactly the order of time, and a timer has seen all rows before its time and none at it.
//!
//! State is judged by `now`: the greater of the event time at hand and the watermark, or the clock where there is no event time.
//! So a ttl that the watermark has passed is over for everybody, and the sweep, which goes by the watermark, takes nothing
//! away that anybody could still see.

use super::alarms::{Alarms, By, Due, NONE, earliest};
use super::cx::{Cx, Moment};
use super::handlers::{Failed, OnEnd, OnEvent, OnTimer};
use super::outputs::{Buffer, Emitted, Outputs};
use super::row::{self, Row};
use super::state::States;
use super::waiting::Waits;
use crate::clock::Clock;
use crate::codec::CodecError;
use crate::error::Fault;
use crate::frame::Time;
use crate::hash::KeyRange;
use crate::key::{Kept, Key, KeyColumn};
use crate::keyed::{Batch, Follow, Keeps, Operator, Out};
use crate::record::{self, Record};
use crate::state::Backend;
use crate::state::backend::Which;
use crate::state::files::OnDisk;
use crate::state::keyed::{KeyedState, Tour};
use crate::state::save::{Saved, StateMeta};
use crate::state::sweep::{self, Sweep};
use crate::state::table::Walk;
use crate::time::Timestamp;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Calls of handlers between two looks at whether there is room.
const CALLS: u32 = 64;

/// What a process is made of, besides what it holds.
pub struct Parts<D, P, E, H, N> {
    /// Its states, as they are declared.
    pub states: D,
    /// Its outputs.
    pub outputs: P,
    /// Which clock each of its timers goes by.
    pub timers: &'static [By],
    /// `on event`.
    pub on_event: E,
    /// `on timer`, for each.
    pub on_timer: H,
    /// `on end`.
    pub on_end: N,
}

/// The operator.
pub struct Process<K: Key, V, T, O, D: States, P, M: Alarms, W: Record + row::Kept, E, H, N, B: Backend> {
    parts: Parts<D, P, E, H, N>,
    emitted: Buffer<O>,
    table: KeyedState<K, Row<D, M, W>, B>,
    /// When rows are due by event time, and by the clock.
    due: [Due<K>; 2],
    clock: Arc<dyn Clock>,
    watermark: i64,
    /// The greatest event time that was seen.
    latest: i64,
    late: u64,
    failed: Option<Fault>,
    /// The order of what is due has to be made of the table again.
    relist: bool,
    sweep: Sweep,
    /// Where the walk at the end goes on.
    ended: Tour,
    types: PhantomData<(V, T)>,
}

impl<K: Key, V, T: Time, O, D: States, P, M: Alarms, W: Record + row::Kept, E, H, N, B: Backend>
    Process<K, V, T, O, D, P, M, W, E, H, N, B>
{
    /// For the keys of a range.
    pub fn new(parts: Parts<D, P, E, H, N>, range: KeyRange, below: B::Below, clock: Arc<dyn Clock>) -> Self {
        let sweep = Sweep::new(parts.states.shortest());
        Process {
            parts,
            emitted: Buffer::new(),
            table: KeyedState::new(range, below, Which::FIRST).keeping(|row| !row.is_due()),
            due: [Due::new(), Due::new()],
            clock,
            watermark: i64::MIN,
            latest: i64::MIN,
            late: 0,
            failed: None,
            relist: false,
            sweep,
            ended: Tour::once(),
            types: PhantomData,
        }
    }
}

impl<K, V, T, O, D, P, M, W, E, H, N, B> Keeps for Process<K, V, T, O, D, P, M, W, E, H, N, B>
where
    K: Key,
    D: States,
    M: Alarms,
    W: Record + row::Kept,
    B: Backend,
{
    type Key = K;
    type Value = Row<D, M, W>;
}

impl<K: Key, V, T, O, D: States, P: Outputs, M: Alarms, W: Record + row::Kept, E, H, N, B: Backend> Out
    for Process<K, V, T, O, D, P, M, W, E, H, N, B>
{
    type Row<'a> = Emitted<O, P::Row>;
}

impl<K, V, T, O, D, P, M, W, E, H, N, B> Process<K, V, T, O, D, P, M, W, E, H, N, B>
where
    K: Key,
    V: Record,
    T: Time,
    O: 'static,
    D: States,
    P: Outputs,
    M: Alarms,
    W: Waits<V>,
    E: OnEvent<K, V, T, O, D, P>,
    H: OnTimer<K, T, O, D, P>,
    N: OnEnd<K, T, O, D, P>,
    B: Backend,
{
    /// What time it is for something with this event time, which goes by `watermark`.
    #[inline(always)]
    fn moment(time: i64, watermark: i64, clock: i64) -> Moment {
        let now = if T::TIMED { time.max(watermark) } else { clock };
        let floor = if W::IN_ORDER { now } else { watermark };
        Moment { time, now, watermark, clock, floor: [floor, i64::MIN], limit: NONE }
    }

    /// Passes on what a handler has written.
    #[inline(always)]
    fn pass<F: Follow<Self, V>>(emitted: &mut Buffer<O>, outputs: &mut P, next: &mut F) {
        emitted.drain(|row, time| next.main(Emitted::Main(row), time));
        outputs.drain(|row, time| next.main(Emitted::Side(row), time));
    }

    /// Calls `on event`; says whether a timer was set.
    #[inline(always)]
    fn event<'a>(
        parts: &'a mut Parts<D, P, E, H, N>,
        emitted: &'a mut Buffer<O>,
        key: K::Ref<'a>,
        row: &'a mut Row<D, M, W>,
        value: V,
        moment: &'a Moment,
    ) -> Result<bool, Failed> {
        let handles = (parts.states.open(&mut row.states, moment.now), parts.outputs.open(moment.time));
        let mut cx = Cx::new(key, emitted.rows(), row.alarms.at_mut(), moment);
        parts.on_event.run(value, handles, &mut cx)?;
        Ok(cx.set)
    }

    /// Calls `on timer`.
    fn fire<'a>(
        parts: &'a mut Parts<D, P, E, H, N>,
        emitted: &'a mut Buffer<O>,
        (key, row): (K::Ref<'a>, &'a mut Row<D, M, W>),
        (timer, at): (usize, i64),
        moment: &'a Moment,
    ) -> Result<(), Failed> {
        let handles = (parts.states.open(&mut row.states, moment.now), parts.outputs.open(moment.time));
        let timers = row.alarms.at_mut();
        if let Some(kept) = timers.get_mut(timer) {
            *kept = NONE;
        }
        let mut cx = Cx::new(key, emitted.rows(), timers, moment);
        parts.on_timer.run(timer, Timestamp::from_millis(at), handles, &mut cx)
    }

    /// When a row has to be looked at, by one clock.
    #[inline(always)]
    fn due_at(row: &Row<D, M, W>, timers: &[By], by: By) -> i64 {
        let timer = earliest(row.alarms.at(), timers, by).0;
        match row.waiting.first() {
            Some(time) if by == By::Events => timer.min(time.saturating_add(1).min(NONE - 1)),
            _ => timer,
        }
    }

    /// Puts a row into the order of what is due, if it is not there already or is due earlier now.
    #[inline(always)]
    fn list(due: &mut [Due<K>; 2], row: &mut Row<D, M, W>, timers: &[By], hash: u64, key: K::Ref<'_>) {
        for by in [By::Events, By::Clock] {
            let at = Self::due_at(row, timers, by);
            if let Some(listed) = row.alarms.listed()
                && at < listed[by as usize]
            {
                listed[by as usize] = at;
                due[by as usize].push(at, hash, key);
            }
        }
    }

    /// Makes the order of what is due of the table.
    fn relist(&mut self) {
        self.relist = false;
        let Self { table, due, parts, .. } = self;
        due.iter_mut().for_each(Due::clear);
        // Only a row in memory can be found when it is due.
        table.bring_all(Row::is_due);
        let mut walk = Walk::default();
        while table.walk_held(&mut walk, |key, row| {
            if let Some(listed) = row.alarms.listed() {
                *listed = [NONE; 2];
                Self::list(due, row, parts.timers, K::hash(key.view()), key.view());
            }
            // That it is listed is not part of its byte form.
            false
        }) {}
    }

    /// Calls handlers for what is due by a clock. Says whether all of it is done; if not, there was no room. `strict` does
    /// not ask for room.
    fn run_due<F: Follow<Self, V>>(&mut self, by: By, upto: i64, clock: i64, strict: bool, next: &mut F) -> bool {
        if self.relist || self.due[by as usize].is_littered(self.table.held()) {
            self.relist();
        }
        let last = upto == i64::MAX;
        let (mut calls, upto) = (0, upto.min(NONE - 1));
        while self.due[by as usize].next() <= upto && self.failed.is_none() {
            if !strict && calls % CALLS == 0 && !next.room() {
                return false;
            }
            let Self { table, due, .. } = self;
            let Some(entry) = due[by as usize].pop(upto) else { break };
            let Some(place) = table.seek(entry.hash, entry.key.view()) else { continue };
            let row = table.pair(place).1;
            // The row is listed at another time by now.
            let Some(listed) = row.alarms.listed().filter(|listed| listed[by as usize] == entry.at) else { continue };
            listed[by as usize] = NONE;
            loop {
                let Self { table, parts, emitted, due, .. } = self;
                let Some(place) = table.seek(entry.hash, entry.key.view()) else { break };
                let (key, row) = table.pair(place);
                let at = Self::due_at(row, parts.timers, by);
                // Others come before what this key has next, or there may be no room for it.
                if at > upto || at > due[by as usize].next() || calls % CALLS == CALLS - 1 {
                    calls += 1;
                    let empty = row.is_empty::<V>();
                    Self::list(due, row, parts.timers, entry.hash, entry.key.view());
                    if empty {
                        table.remove(place);
                    }
                    break;
                }
                calls += 1;
                let (timer, number) = earliest(row.alarms.at(), parts.timers, by);
                let waits = row.waiting.first().filter(|time| by == By::Events && *time < timer);
                let called = match waits.and_then(|_| row.waiting.take()) {
                    Some((time, value)) => {
                        let moment = Self::moment(time, self.watermark, clock);
                        Self::event(parts, emitted, key.view(), row, value, &moment).map(|_| ()).map_err(|cause| {
                            let at = Timestamp::from_millis(time);
                            Fault::new(format!("`on event` gave an error for the record of {at}")).because(cause)
                        })
                    }
                    None => {
                        let mut moment = match by {
                            By::Events => Self::moment(timer, self.watermark, clock),
                            By::Clock => Self::moment(self.latest.max(self.watermark), self.watermark, clock),
                        };
                        // It must not fire for ever at one time; nor for ever when event time is over.
                        moment.floor[by as usize] = moment.floor[by as usize].max(timer.saturating_add(1));
                        if last {
                            moment.limit = self.watermark;
                        }
                        Self::fire(parts, emitted, (key.view(), row), (number, timer), &moment).map_err(|cause| {
                            let at = Timestamp::from_millis(timer);
                            Fault::new(format!("`on timer` gave an error for the timer of {at}")).because(cause)
                        })
                    }
                };
                Self::pass(&mut self.emitted, &mut self.parts.outputs, next);
                if let Err(fault) = called {
                    self.failed = Some(fault);
                    break;
                }
            }
        }
        true
    }

    /// Fires those timers of one key that the watermark before a row has reached.
    #[cold]
    #[inline(never)]
    fn run_key<F: Follow<Self, V>>(&mut self, hash: u64, key: K::Ref<'_>, watermark: i64, clock: i64, next: &mut F) {
        while self.failed.is_none() {
            let Self { table, parts, emitted, .. } = self;
            let Some(place) = table.seek(hash, key) else { return };
            let (kept, row) = table.pair(place);
            let (at, number) = earliest(row.alarms.at(), parts.timers, By::Events);
            if at > watermark {
                return;
            }
            let mut moment = Self::moment(at, self.watermark, clock);
            moment.floor[0] = moment.floor[0].max(at.saturating_add(1));
            let called = Self::fire(parts, emitted, (kept.view(), row), (number, at), &moment);
            Self::pass(&mut self.emitted, &mut self.parts.outputs, next);
            self.failed = called.err().map(|cause| {
                let at = Timestamp::from_millis(at);
                Fault::new(format!("`on timer` gave an error for the timer of {at}")).because(cause)
            });
        }
    }

    /// Takes out a key of which nothing is left.
    #[cold]
    #[inline(never)]
    fn forget(table: &mut KeyedState<K, Row<D, M, W>, B>, hash: u64, key: K::Ref<'_>) {
        if let Some(place) = table.seek(hash, key) {
            table.remove(place);
        }
    }

    /// Goes on with the sweep, after so many rows.
    fn sweep(&mut self, rows: usize, now: i64) {
        let Self { table, parts, sweep, .. } = self;
        let states = &parts.states;
        let stale = |row: &Row<D, M, W>| states.stale(&row.states, now);
        sweep.go_on(table, rows, now, stale, |row| {
            states.tidy(&mut row.states, now);
            row.is_empty::<V>()
        });
    }

    /// How many keys it holds.
    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.table.held()
    }

    /// How many entries the order of what is due has.
    #[cfg(test)]
    pub(super) fn listed(&self) -> usize {
        self.due.iter().map(Due::len).sum()
    }

    /// The machine's time, in ms since 1970.
    fn wall(&self) -> i64 {
        self.wall_at(self.clock.now())
    }

    fn wall_at(&self, now: Duration) -> i64 {
        self.clock.began().saturating_add(now.as_millis() as i64)
    }
}

impl<K, V, T, O, D, P, M, W, E, H, N, B> Operator<K, V, (), T> for Process<K, V, T, O, D, P, M, W, E, H, N, B>
where
    K: Key,
    V: Record,
    T: Time,
    O: 'static,
    D: States,
    P: Outputs,
    M: Alarms,
    W: Waits<V>,
    E: OnEvent<K, V, T, O, D, P>,
    H: OnTimer<K, T, O, D, P>,
    N: OnEnd<K, T, O, D, P>,
    B: Backend,
{
    fn rows<F: Follow<Self, V>>(&mut self, batch: Batch<'_, K, V, T>, next: &mut F) {
        let Batch { keys, mut values, times, marks, watermark } = batch;
        let clock = self.wall();
        if M::ANY {
            // What the clock has reached comes before the rows, whatever room there is: so it is after a restart, too.
            self.run_due(By::Clock, clock, clock, true, next);
        }
        let mut watermark = watermark.max(self.watermark);
        let mut marks = marks.iter().peekable();
        let rows = keys.len();
        let mut ahead = self.table.ahead(keys);
        for (at, time) in times.iter().enumerate().take(rows) {
            if self.failed.is_some() {
                break;
            }
            let probe = self.table.next_of(&mut ahead, keys, at);
            let (Some(value), time) = (values.next(), time.ms()) else { break };
            if let Some(mark) = marks.next_if(|mark| mark.row as usize <= at) {
                watermark = watermark.max(mark.watermark);
            }
            let hash = keys.hash(at);
            if W::IN_ORDER {
                if time < watermark {
                    self.late += 1;
                    next.late(value, time);
                    continue;
                }
                self.latest = self.latest.max(time);
                let row = self.table.value_from(probe, keys, at, Row::default);
                row.waiting.put(time, value);
                Self::list(&mut self.due, row, self.parts.timers, hash, keys.get(at));
                continue;
            }
            let mut row = self.table.value_from(probe, keys, at, Row::default);
            if M::ANY && row.alarms.listed().is_some_and(|listed| listed[0] <= watermark) {
                self.run_key(hash, keys.get(at), watermark, clock, next);
                row = self.table.value_at(keys, at, Row::default);
            }
            let moment = Self::moment(time, watermark, clock);
            let called = Self::event(&mut self.parts, &mut self.emitted, keys.get(at), row, value, &moment);
            self.latest = self.latest.max(time);
            match called {
                Ok(set) => {
                    if M::ANY && set {
                        Self::list(&mut self.due, row, self.parts.timers, hash, keys.get(at));
                    }
                }
                Err(cause) => self.failed = Some(Fault::new("`on event` gave an error").because(cause)),
            }
            if row.is_empty::<V>() {
                Self::forget(&mut self.table, hash, keys.get(at));
            }
            Self::pass(&mut self.emitted, &mut self.parts.outputs, next);
        }
        let now = if T::TIMED { self.watermark } else { clock };
        self.sweep(rows, now);
    }

    fn advance<F: Follow<Self, V>>(&mut self, watermark: i64, next: &mut F) -> bool {
        if M::ANY {
            let clock = self.wall();
            if !self.run_due(By::Events, watermark, clock, false, next) {
                return false;
            }
        }
        // The end of the input is not a time: states are still there for `on end`.
        if watermark != i64::MAX {
            self.watermark = self.watermark.max(watermark);
            if T::TIMED {
                self.sweep(sweep::IDLE, self.watermark);
            }
        }
        true
    }

    fn next_tick(&self) -> Option<Duration> {
        if self.relist {
            return Some(Duration::ZERO);
        }
        let at = self.due[By::Clock as usize].next();
        let since = || at.saturating_sub(self.clock.began()).max(0);
        (M::ANY && at != NONE).then(|| Duration::from_millis(since() as u64))
    }

    fn tick<F: Follow<Self, V>>(&mut self, now: Duration, next: &mut F) {
        let clock = self.wall_at(now);
        self.run_due(By::Clock, clock, clock, false, next);
    }

    fn end<F: Follow<Self, V>>(&mut self, next: &mut F) -> bool {
        if !N::ANY {
            return true;
        }
        let clock = self.wall();
        // The same on all workers, so that it does not matter which of them has a key.
        let mut moment = Self::moment(self.watermark, self.watermark, clock);
        // No timer fires any more.
        moment.limit = i64::MIN;
        loop {
            if !next.room() {
                return false;
            }
            let Self { parts, emitted, table, ended, failed, .. } = self;
            let more = table.tour(ended, |key, row| {
                parts.states.tidy(&mut row.states, moment.now);
                if failed.is_some() || row.is_empty::<V>() {
                    return true;
                }
                let handles = (parts.states.open(&mut row.states, moment.now), parts.outputs.open(moment.time));
                let mut cx = Cx::new(key.view(), emitted.rows(), row.alarms.at_mut(), &moment);
                let called = parts.on_end.run(handles, &mut cx);
                Self::pass(emitted, &mut parts.outputs, next);
                *failed = called.err().map(|cause| Fault::new("`on end` gave an error").because(cause));
                true
            });
            if !more || self.failed.is_some() {
                return true;
            }
        }
    }

    fn barrier(&mut self, epoch: u64) {
        self.table.stamp_with(epoch + 1);
    }

    fn on_disk(&self) -> Option<Rc<dyn OnDisk>> {
        self.table.on_disk()
    }

    fn states() -> Vec<StateMeta> {
        vec![StateMeta::of::<K, Row<D, M, W>>("row")]
    }

    fn tables(&mut self, each: &mut dyn FnMut(u16, i64, &mut dyn Saved)) {
        each(0, 0, &mut self.table);
    }

    fn table_of(&mut self, state: u16, _: i64) -> Option<&mut dyn Saved> {
        self.relist = M::ANY;
        (state == 0).then_some(&mut self.table as &mut dyn Saved)
    }

    /// The watermark, and the latest event time.
    fn head(&self) -> Vec<u8> {
        let mut head = Vec::new();
        (self.watermark, self.latest).encode(&mut head);
        head
    }

    fn restore_head(&mut self, head: &[u8]) -> Result<(), CodecError> {
        let (watermark, latest): (i64, i64) = record::whole(head)?;
        self.watermark = self.watermark.max(watermark);
        self.latest = self.latest.max(latest);
        self.relist = M::ANY;
        Ok(())
    }

    fn failure(&mut self) -> Option<Fault> {
        self.failed.take().or_else(|| self.table.take_fault())
    }

    fn late_rows(&self) -> u64 {
        self.late
    }
}
