//! Windows in event time: which window a row falls into, when it closes, and what becomes of rows that come later.
//!
//! A window is closed when the watermark reaches its end; its result has the event time `end - 1 ms`. A row whose window
//! (and its allowed lateness) has closed under the watermark before it is late. There is a table per open window, so a
//! closed one goes out as a whole, piece by piece, and pauses when there is no room behind it.

pub mod combine;
mod tumbling;
mod waiting;

pub use tumbling::Tumbling;

use crate::aggregate::Aggregator;
use crate::codec::{CodecError, CodecErrorKind, Reader};
use crate::error::Fault;
use crate::frame::Time;
use crate::hash::KeyRange;
use crate::key::{Kept, Key, KeyColumn};
use crate::keyed::{AHEAD, Batch, Follow, Keeps, Operator, Out};
use crate::record::{Record, Row};
use crate::schema::{Field, Schema};
use crate::state::Backend;
use crate::state::backend::{Below, Which};
use crate::state::files::OnDisk;
use crate::state::keyed::{KeyedState, Parts, Tour};
use crate::state::save::{Saved, StateMeta};
use crate::state::table::Table;
use crate::time::{TimeSpan, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::marker::PhantomData;
use std::rc::Rc;

/// A window's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windowed<K, V> {
    /// The key.
    pub key: K,
    /// Where the window begins.
    pub start: Timestamp,
    /// Where it ends; this point is not in it any more.
    pub end: Timestamp,
    /// The aggregate of its rows.
    pub value: V,
    /// 0 for the key's result when the window closes, then one more for each refired result of this key.
    pub firing: u32,
}

impl<K: Record, V: Record> Record for Windowed<K, V> {
    const SCHEMA: &'static Schema = &Schema::Struct {
        name: "Windowed",
        fields: &[
            Field { name: "key", schema: K::SCHEMA, was: &[] },
            Field { name: "start", schema: Timestamp::SCHEMA, was: &[] },
            Field { name: "end", schema: Timestamp::SCHEMA, was: &[] },
            Field { name: "value", schema: V::SCHEMA, was: &[] },
            Field { name: "firing", schema: u32::SCHEMA, was: &[] },
        ],
    };
    fn encode(&self, out: &mut Vec<u8>) {
        self.key.encode(out);
        self.start.encode(out);
        self.end.encode(out);
        self.value.encode(out);
        self.firing.encode(out);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Windowed {
            key: K::decode(from)?,
            start: Timestamp::decode(from)?,
            end: Timestamp::decode(from)?,
            value: V::decode(from)?,
            firing: u32::decode(from)?,
        })
    }
}
impl<K: Row, V: Row> Row for Windowed<K, V> {
    type Stored = Windowed<K::Stored, V::Stored>;
    fn store(self) -> Self::Stored {
        let Windowed { key, start, end, value, firing } = self;
        Windowed { key: key.store(), start, end, value: value.store(), firing }
    }
}

/// An open window: partial results by key, each with whether it changed since it last spoke.
struct Pane<K: Key, A: Record, B: Backend> {
    start: i64,
    /// 1 once it has spoken.
    firings: u32,
    table: KeyedState<K, A, B>,
}

/// A window on its way out.
enum Firing<K: Key, A: Record, B: Backend> {
    /// Closed for good: its table is given away.
    Last(i64, Parts<K, A, B>),
    /// Closed, and kept for rows within the allowed lateness; and where the walk over it goes on.
    Kept(i64, Tour),
}

/// Aggregates of tumbling windows.
pub struct Window<K: Key, V, A: Aggregator<V>, B: Backend> {
    window: Tumbling,
    how: A,
    range: KeyRange,
    below: B::Below,
    open: VecDeque<Pane<K, A::Acc, B>>,
    /// The pane of the row before, and where it begins.
    current: usize,
    start: i64,
    firing: Option<Firing<K, A::Acc, B>>,
    /// Refired results so far, by the start of the window and by key: each key counts its own, so that a result does not
    /// depend on which other keys a worker has.
    again: BTreeMap<i64, KeyedState<K, u32, B>>,
    watermark: i64,
    late: u64,
    /// Entries of the window that went last: room for the next one.
    last: usize,
    epoch: u64,
    rows: PhantomData<V>,
}

impl<K: Key, V: 'static, A: Aggregator<V>, B: Backend> Window<K, V, A, B> {
    /// For the keys of a range.
    pub fn new(window: Tumbling, how: A, range: KeyRange, below: B::Below) -> Self {
        let epoch = u64::from(below.written().wrapping_add(1));
        Window {
            window,
            how,
            range,
            below,
            open: VecDeque::new(),
            current: usize::MAX,
            start: 0,
            firing: None,
            again: BTreeMap::new(),
            watermark: i64::MIN,
            late: 0,
            last: 0,
            epoch,
            rows: PhantomData,
        }
    }

    /// The pane that begins at `start`.
    fn pane(&mut self, start: i64) -> usize {
        let at = self.open.partition_point(|pane| pane.start < start);
        if self.open.get(at).is_none_or(|pane| pane.start != start) {
            let which = Which { state: VALUES, namespace: start };
            let mut table = KeyedState::with_room(self.range, self.last, self.below.clone(), which);
            table.stamp_with(self.epoch);
            self.open.insert(at, Pane { start, firings: 0, table });
        }
        (self.current, self.start) = (at, start);
        at
    }

    /// The start of the earliest window that may be asked for.
    fn horizon(&self) -> i64 {
        let open = self.open.front().map_or(i64::MAX, |pane| pane.start);
        let again = self.again.first_key_value().map_or(i64::MAX, |(start, _)| *start);
        // A window that is not open may still be opened while rows may come for it.
        let to_come = if self.watermark == i64::MIN {
            i64::MIN
        } else {
            self.window
                .start_of(self.watermark.saturating_sub(self.window.size_ms()).saturating_sub(self.window.lateness()))
        };
        open.min(again).min(to_come)
    }

    /// Whether a row of this time is late under this watermark.
    fn is_late(&self, time: i64, watermark: i64) -> bool {
        time < watermark && self.window.gone(self.window.start_of(time)) <= watermark
    }

    #[inline(always)]
    fn hold(&self, time: i64) -> bool {
        self.current != usize::MAX && (time.wrapping_sub(self.start) as u64) < self.window.size_ms() as u64
    }

    /// Speaks for a whole pane that is kept, at once.
    fn speak_kept<F: Follow<Self, V>>(&mut self, start: i64, next: &mut F) {
        let at = self.open.partition_point(|pane| pane.start < start);
        let (how, window) = (&self.how, self.window);
        let Some(pane) = self.open.get_mut(at).filter(|pane| pane.start == start) else { return };
        pane.firings = 1;
        let mut tour = Tour::default();
        while pane.table.tour(&mut tour, |key, acc| {
            next.main(result(how, window, key.clone().owned(), start, acc, 0), window.time_of(start));
            false
        }) {}
    }
}

/// The numbers of the states.
const VALUES: u16 = 0;
const FIRINGS: u16 = 1;

/// The kind of a state whose namespaces are windows, by their starts.
pub const WINDOW: &str = "window";

/// Whether a snapshot keeps this namespace of a state, by the heads that were stored with it. What lies below the tables may still have
/// entries of windows that have closed.
///
/// # Errors
/// If they are no heads of windows.
pub fn keeps(heads: &[Vec<u8>]) -> Result<impl Fn(u16, i64) -> bool + use<>, CodecError> {
    let mut kept = None;
    for head in heads {
        if let Some((open, again)) = Head::read(head)?.kept {
            let all: &mut [BTreeSet<i64>; 2] = kept.get_or_insert_default();
            all[0].extend(open);
            all[1].extend(again);
        }
    }
    Ok(move |state: u16, start: i64| match &kept {
        Some(kept) => kept.get(usize::from(state)).is_some_and(|starts| starts.contains(&start)),
        None => true,
    })
}

/// What is stored of a worker's windows besides the entries.
struct Head {
    /// How long they are, and by how much they are shifted, in ms: where others begin and end, what is kept of these is of no use.
    size: i64,
    offset: i64,
    watermark: i64,
    /// Which of the open windows have spoken, by their starts.
    spoken: Vec<i64>,
    /// The starts of those that are open, and of those with refired results, where what lies below does not say so by itself.
    kept: Option<(Vec<i64>, Vec<i64>)>,
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Head, CodecError> {
        let mut from = Reader::new(bytes);
        let (size, offset, watermark, spoken) = <(i64, i64, i64, Vec<i64>)>::decode(&mut from)?;
        let kept = if from.end().is_ok() { None } else { Some(<(Vec<i64>, Vec<i64>)>::decode(&mut from)?) };
        from.end()?;
        Ok(Head { size, offset, watermark, spoken, kept })
    }

    fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        [self.size, self.offset, self.watermark].iter().for_each(|ms| ms.encode(&mut bytes));
        Record::encode(&self.spoken, &mut bytes);
        if let Some((open, again)) = &self.kept {
            Record::encode(open, &mut bytes);
            Record::encode(again, &mut bytes);
        }
        bytes
    }
}

/// Refired results of the window that begins at `start`.
fn refirings<'a, K: Key, B: Backend>(
    again: &'a mut BTreeMap<i64, KeyedState<K, u32, B>>,
    (range, below, epoch): (KeyRange, &B::Below, u64),
    start: i64,
) -> &'a mut KeyedState<K, u32, B> {
    again.entry(start).or_insert_with(|| {
        let mut table = KeyedState::new(range, below.clone(), Which { state: FIRINGS, namespace: start });
        table.stamp_with(epoch);
        table
    })
}

fn result<K, V, A: Aggregator<V>>(
    how: &A,
    window: Tumbling,
    key: K,
    start: i64,
    acc: &A::Acc,
    firing: u32,
) -> Windowed<K, A::Out> {
    let end = Timestamp::from_millis(window.end_of(start));
    Windowed { key, start: Timestamp::from_millis(start), end, value: how.finish(acc), firing }
}

impl<K: Key, V, A: Aggregator<V>, B: Backend> Keeps for Window<K, V, A, B> {
    type Key = K;
    type Value = A::Acc;
}

impl<K: Key, V, A: Aggregator<V>, B: Backend> Out for Window<K, V, A, B> {
    type Row<'a> = Windowed<K, A::Out>;
}

impl<K: Key, V: 'static, A: Aggregator<V>, B: Backend, T: Time> Operator<K, V, A::Acc, T> for Window<K, V, A, B> {
    fn rows<F: Follow<Self, V>>(&mut self, batch: Batch<'_, K, V, T>, next: &mut F) {
        let Batch { keys, values, times, marks, watermark } = batch;
        let mut watermark = watermark.max(self.watermark);
        let mut marks = marks.iter().peekable();
        let rows = keys.len();
        for (at, value) in values.enumerate() {
            let time = times[at].ms();
            if let Some(mark) = marks.next_if(|mark| mark.row as usize <= at) {
                watermark = watermark.max(mark.watermark);
            }
            if time < watermark && self.is_late(time, watermark) {
                self.late += 1;
                next.late(value, time);
                continue;
            }
            let pane = if self.hold(time) { self.current } else { self.pane(self.window.start_of(time)) };
            let start = self.start;
            let again = time < watermark && self.window.speaks_again(start, watermark);
            if again && self.open[pane].firings == 0 {
                // The window has closed but not spoken yet: it speaks first, without this row.
                self.speak_kept(start, next);
            }
            let pane = &mut self.open[pane];
            if at + AHEAD < rows {
                pane.table.prefetch(keys.hash(at + AHEAD));
            }
            let (key, acc) = pane.table.entry(keys.hash(at), keys.get(at), A::Acc::default);
            self.how.add_at(acc, &value, time);
            if again {
                let refired = refirings(&mut self.again, (self.range, &self.below, self.epoch), start);
                let firing = refired.value(keys.hash(at), keys.get(at), || 0);
                *firing += 1;
                next.main(
                    result(&self.how, self.window, key.clone().owned(), start, acc, *firing),
                    self.window.time_of(start),
                );
            }
        }
    }

    fn partials<F: Follow<Self, V>>(&mut self, batch: Batch<'_, K, A::Acc, T>, _: &mut F) {
        let rows = batch.keys.len();
        for (at, partial) in batch.values.enumerate() {
            let start = batch.times[at].ms();
            let pane = if self.hold(start) { self.current } else { self.pane(start) };
            let table = &mut self.open[pane].table;
            if at + AHEAD < rows {
                table.prefetch(batch.keys.hash(at + AHEAD));
            }
            self.how.merge(table.value_at(batch.keys, at, A::Acc::default), partial);
        }
    }

    fn table<F: Follow<Self, V>>(&mut self, start: i64, mut table: Table<K, A::Acc>, _: &mut F) {
        let at = self.open.partition_point(|pane| pane.start < start);
        let known = self.open.get(at).is_some_and(|pane| pane.start == start);
        if !known && table.range() == self.range {
            // Nothing of this window is here yet, so the table itself becomes its state.
            let which = Which { state: VALUES, namespace: start };
            let table = KeyedState::adopt(table, self.below.clone(), which, self.epoch);
            self.open.insert(at, Pane { start, firings: 0, table });
            self.current = usize::MAX;
            return;
        }
        let pane = self.pane(start);
        let (how, into) = (&self.how, &mut self.open[pane].table);
        table.drain(|key, hash, partial| how.merge(into.value(hash, key, A::Acc::default), partial));
    }

    fn advance<F: Follow<Self, V>>(&mut self, watermark: i64, next: &mut F) -> bool {
        self.watermark = self.watermark.max(watermark);
        loop {
            match self.firing.take() {
                Some(Firing::Last(start, mut parts)) => loop {
                    if !next.room() {
                        self.firing = Some(Firing::Last(start, parts));
                        return false;
                    }
                    let (how, window) = (&self.how, self.window);
                    let more = parts.next_part(|key, acc| {
                        next.main(result(how, window, key, start, &acc, 0), window.time_of(start));
                    });
                    if !more {
                        break;
                    }
                },
                Some(Firing::Kept(start, mut tour)) => {
                    let at = self.open.partition_point(|pane| pane.start < start);
                    let (how, window) = (&self.how, self.window);
                    if let Some(pane) = self.open.get_mut(at).filter(|pane| pane.start == start) {
                        loop {
                            if !next.room() {
                                self.firing = Some(Firing::Kept(start, tour));
                                return false;
                            }
                            let more = pane.table.tour(&mut tour, |key, acc| {
                                next.main(
                                    result(how, window, key.clone().owned(), start, acc, 0),
                                    window.time_of(start),
                                );
                                false
                            });
                            if !more {
                                break;
                            }
                        }
                        pane.firings = 1;
                    }
                }
                None => {}
            }
            // A window that no row may reach any more goes; if it has not spoken, it speaks now.
            if let Some(pane) = self.open.pop_front_if(|pane| self.window.gone(pane.start) <= self.watermark) {
                self.current = usize::MAX;
                self.last = pane.table.held();
                let mut table = pane.table;
                if pane.firings == 0 {
                    self.firing = Some(Firing::Last(pane.start, table.into_parts()));
                } else {
                    // A snapshot under way still holds it.
                    table.save_rest();
                }
                if let Some(mut again) = self.again.remove(&pane.start) {
                    // A snapshot under way still holds it.
                    again.save_rest();
                }
                continue;
            }
            // A window that has closed and is kept speaks once.
            let (window, watermark) = (self.window, self.watermark);
            let closed = self.open.iter().take_while(|pane| window.speaks_again(pane.start, watermark));
            match closed.filter(|pane| pane.firings == 0).map(|pane| pane.start).next() {
                Some(start) => self.firing = Some(Firing::Kept(start, Tour::once())),
                None => return true,
            }
        }
    }

    fn lag(&self) -> i64 {
        self.window.lag()
    }

    fn barrier(&mut self, epoch: u64) {
        self.epoch = epoch + 1;
        self.open.iter_mut().for_each(|pane| pane.table.stamp_with(self.epoch));
        self.again.values_mut().for_each(|table| table.stamp_with(self.epoch));
        // What has closed is not asked for again, once nothing of it is on its way out.
        if self.firing.is_none() {
            self.below.forget_below(self.horizon());
        }
    }

    fn on_disk(&self) -> Option<Rc<dyn OnDisk>> {
        self.below.on_disk()
    }

    fn failure(&mut self) -> Option<Fault> {
        self.below.take_fault()
    }

    fn late_rows(&self) -> u64 {
        self.late
    }

    fn states() -> Vec<StateMeta> {
        let of_window = |state| StateMeta { kind: WINDOW, ..state };
        vec![of_window(StateMeta::of::<K, A::Acc>("value")), of_window(StateMeta::of::<K, u32>("firings"))]
    }

    fn tables(&mut self, each: &mut dyn FnMut(u16, i64, &mut dyn Saved)) {
        self.open.iter_mut().for_each(|pane| each(VALUES, pane.start, &mut pane.table));
        self.again.iter_mut().for_each(|(start, table)| each(FIRINGS, *start, table));
    }

    fn table_of(&mut self, state: u16, start: i64) -> Option<&mut dyn Saved> {
        match state {
            VALUES => {
                let pane = self.pane(start);
                self.current = usize::MAX;
                self.open.get_mut(pane).map(|pane| &mut pane.table as &mut dyn Saved)
            }
            FIRINGS => Some(refirings(&mut self.again, (self.range, &self.below, self.epoch), start)),
            _ => None,
        }
    }

    fn keeps(&self, state: u16, start: i64) -> bool {
        match state {
            VALUES => self.open.iter().any(|pane| pane.start == start),
            _ => self.again.contains_key(&start),
        }
    }

    /// The watermark, and which of the open windows have spoken.
    fn head(&self) -> Vec<u8> {
        let spoken = self.open.iter().filter(|pane| pane.firings > 0).map(|pane| pane.start).collect();
        let kept = || (self.open.iter().map(|pane| pane.start).collect(), self.again.keys().copied().collect());
        let (size, offset, watermark) = (self.window.size_ms(), self.window.offset_ms(), self.watermark);
        Head { size, offset, watermark, spoken, kept: B::Below::THERE.then(kept) }.write()
    }

    fn lists(&self, head: &[u8]) -> bool {
        Head::read(head).is_ok_and(|head| head.kept.is_some())
    }

    fn restore_head(&mut self, head: &[u8]) -> Result<(), CodecError> {
        let Head { size, offset, watermark, spoken, kept } = Head::read(head)?;
        if (size, offset) != (self.window.size_ms(), self.window.offset_ms()) {
            let shown = |size, offset| match offset {
                0 => format!("`tumbling {}`", TimeSpan::from_millis(size)),
                _ => format!("`tumbling {} offset {}`", TimeSpan::from_millis(size), TimeSpan::from_millis(offset)),
            };
            let (then, now) = (shown(size, offset), shown(self.window.size_ms(), self.window.offset_ms()));
            let what = format!(
                "its windows were {then} and are {now}; change it back, or give the operator another name and write \
                 `#[dropped(old_name)]` in front of the job"
            );
            return Err(CodecError::new(CodecErrorKind::OtherSchema, 0, what));
        }
        if let Some((open, again)) = kept {
            for start in open {
                self.pane(start);
            }
            for start in again {
                refirings(&mut self.again, (self.range, &self.below, self.epoch), start);
            }
            self.current = usize::MAX;
        }
        self.watermark = self.watermark.max(watermark);
        self.open.iter_mut().filter(|pane| spoken.contains(&pane.start)).for_each(|pane| pane.firings = 1);
        Ok(())
    }
}
