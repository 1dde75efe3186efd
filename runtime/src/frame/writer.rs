//! The sending end of an edge: an open frame per target that the chain's body writes into, frames that are ready to
//! go, and the flow control that says when to stop.
//!
//! A body writes a row in two steps, since the key may borrow from the row that becomes the value:
//! [`key`](Writer::key) finds the target and [`value`](Writer::value) fills the same place. Whether a frame is full is looked at
//! once per chunk, not once per row.

use super::{Frame, Mark, Payload, Rows, Time};
use crate::hash;
use crate::key::{Key, KeyColumn};
use crate::state::table::Table;
use std::collections::VecDeque;

/// What a chain's body knows about the row it works on.
#[derive(Clone, Copy, Debug)]
pub struct Cx {
    /// The operator that runs, by its place in the chain.
    pub operator: u32,
    /// The first operator of the part of the chain that runs: a flow's part is written elsewhere, and counts from 0.
    pub base: u32,
    /// Rows begun in the open split or frame.
    pub row: u64,
    /// Rows that have been taken from the reader since this one.
    pub ahead: u32,
    /// The watermark of the rows before this one: what lateness is judged by.
    pub before: i64,
    /// The watermark after this row.
    pub watermark: i64,
    /// How far event times may lie behind the latest one, in ms.
    pub late_by: i64,
    /// The most that `before` may be: lower while splits are not opened yet.
    pub hold: i64,
}

impl Cx {
    /// Before any row.
    pub fn new(late_by: i64) -> Self {
        Cx { operator: 0, base: 0, row: 0, ahead: 0, before: i64::MIN, watermark: i64::MIN, late_by, hold: i64::MAX }
    }

    /// Notes which operator's closure runs next, for the message if it panics.
    #[inline(always)]
    pub fn at(&mut self, operator: u32) {
        self.operator = self.base + operator;
    }

    /// Notes the event time of a source's row, in ms, and gives it back. The row itself is judged by the rows before.
    #[inline(always)]
    pub fn time(&mut self, at: crate::time::Timestamp) -> i64 {
        let ms = at.millis();
        self.before = self.watermark.min(self.hold);
        self.watermark = self.watermark.max(ms.saturating_sub(self.late_by));
        ms
    }
}

/// Combines rows in front of an edge, or does not ([`NoCombine`]).
pub trait Combine<K: Key, V>: 'static {
    /// Partial results held.
    fn held(&self) -> usize {
        0
    }
    /// A partial result.
    type Acc: crate::record::Record;
    /// Whether it does.
    const ACTIVE: bool;
    /// Whether the next row is combined, which is handed over then; otherwise it is sent as it is.
    fn takes(&mut self, time: i64, cx: &mut Cx) -> bool;
    /// Takes it. `cx` says who is to blame if it cannot be added.
    fn row(&mut self, key: K::Ref<'_>, value: V, cx: &Cx);
    /// Takes its key; its value is what [`value`](Combine::value) gets next.
    fn key(&mut self, key: K::Ref<'_>, cx: &Cx);
    /// The value of the key that was taken just before. `cx` says who is to blame if it cannot be added.
    fn value(&mut self, value: V, cx: &Cx);
    /// Adds what waits to be added. It runs code of users: at a panic `cx` says of which operator, and at which record.
    fn settle(&mut self, _: &mut Cx) {}
    /// Gives out the results that must go: everything, or what `watermark` closes, or everything if the table is full.
    /// Nothing waits to be added.
    fn drain(&mut self, all: bool, watermark: i64, each: impl FnMut(K::Ref<'_>, u64, Self::Acc, i64));
    /// Called once before the first row: whether there is one target only, which may be given whole tables.
    fn begin(&mut self, _alone: bool) {}
    /// With one target: the next table that must go, with the start of its window. Nothing waits to be added.
    fn take_table(&mut self, _all: bool, _watermark: i64) -> Option<(i64, Table<K, Self::Acc>)> {
        None
    }
    /// Bytes that it may hold at most.
    fn bound_bytes(&self) -> usize;
}

/// Every row travels. `A` is what the operator behind the edge would merge.
pub struct NoCombine<A = ()>(std::marker::PhantomData<A>);
impl<A> Default for NoCombine<A> {
    fn default() -> Self {
        NoCombine(std::marker::PhantomData)
    }
}
impl<K: Key, V, A: crate::record::Record> Combine<K, V> for NoCombine<A> {
    type Acc = A;
    const ACTIVE: bool = false;
    #[inline(always)]
    fn takes(&mut self, _: i64, _: &mut Cx) -> bool {
        false
    }
    #[inline(always)]
    fn row(&mut self, _: K::Ref<'_>, _: V, _: &Cx) {}
    #[inline(always)]
    fn key(&mut self, _: K::Ref<'_>, _: &Cx) {}
    #[inline(always)]
    fn value(&mut self, _: V, _: &Cx) {}
    fn drain(&mut self, _: bool, _: i64, _: impl FnMut(K::Ref<'_>, u64, A, i64)) {}
    fn bound_bytes(&self) -> usize {
        0
    }
}

/// Bytes of a full frame, about.
const FRAME_BYTES: usize = 128 << 10;
/// Rows of a full frame at most: measured in whole workloads; more does not help.
const FRAME_ROWS: usize = 8192;
/// Rows between two looks at the frames.
pub const CHUNK_ROWS: usize = 1024;
/// Rows that a chunk may write, for each row of a full one: a chain in which one row becomes many takes smaller chunks.
pub const CHUNK_WRITES: usize = 16;
/// What a frame takes besides its rows: itself, and what the allocator keeps for its columns.
const FRAME_ALONE: usize = 256;
/// Full frames that each target may always have under way.
const OWN_FRAMES: u64 = 4;
/// Full frames that a sender may have under way beyond that, over all its targets.
const SHARED_FRAMES: u64 = 32;

/// Bytes under way on one edge of one sender.
#[derive(Default)]
pub struct Gate {
    in_flight: Vec<u64>,
    own: u64,
    shared: u64,
    borrowed: u64,
}

impl Gate {
    fn new(targets: usize, frame_bytes: u64) -> Self {
        Gate {
            in_flight: vec![0; targets],
            own: OWN_FRAMES * frame_bytes,
            shared: SHARED_FRAMES * frame_bytes,
            borrowed: 0,
        }
    }
    fn send(&mut self, target: usize, bytes: u64) {
        let before = self.in_flight[target].saturating_sub(self.own);
        self.in_flight[target] += bytes;
        self.borrowed += self.in_flight[target].saturating_sub(self.own) - before;
    }
    fn credit(&mut self, target: usize, bytes: u64) {
        let before = self.in_flight[target].saturating_sub(self.own);
        self.in_flight[target] = self.in_flight[target].saturating_sub(bytes);
        self.borrowed -= before - self.in_flight[target].saturating_sub(self.own);
    }
    fn open(&self) -> bool {
        self.borrowed < self.shared
    }
}

/// A key as it travels, which says whose it is.
pub struct KeyView<'a, K: Key>(pub K::Ref<'a>);
impl<K: Key> Clone for KeyView<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K: Key> Copy for KeyView<'_, K> {}

/// Where a row goes: a target, or a partial result.
#[derive(Clone, Copy)]
pub struct Slot(usize);
const COMBINED: usize = usize::MAX;

/// The sending end of an edge on one worker.
pub struct Writer<K: Key, V, T, C: Combine<K, V>> {
    me: u32,
    targets: u64,
    /// A local edge sends everything to its own worker.
    local: bool,
    frame_rows: usize,
    pub(super) open: Vec<Rows<K, V, T>>,
    /// Where the next row goes that has no key, if the block does not say.
    pub(super) turn: u64,
    partials: Vec<Rows<K, C::Acc, T>>,
    combine: C,
    /// What is combined leaves within the latency bound.
    soon: bool,
    ready: VecDeque<Frame<K, V, T, C::Acc>>,
    free: Vec<Rows<K, V, T>>,
    free_partials: Vec<Rows<K, C::Acc, T>>,
    gate: Gate,
    /// The last watermark each target was told.
    told: Vec<i64>,
    sent: u64,
}

/// What to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ship {
    /// Full frames, and partial results that the watermark closes.
    Full,
    /// Everything that waits in frames, because the input has nothing more just now.
    Urgent,
    /// Everything that waits in frames, because it has waited long enough.
    Aged,
    /// Everything, partial results too: a barrier, or the end.
    All,
}

impl<K: Key, V, T: Time, C: Combine<K, V>> Writer<K, V, T, C> {
    /// A writer of worker `me` for an edge with so many targets.
    pub fn new(me: usize, targets: usize, local: bool, frame_rows: Option<usize>, combine: C) -> Self {
        let row_bytes = Rows::<K, V, T>::ROW_BYTES.max(1);
        let frame_rows = frame_rows.unwrap_or_else(|| Self::full_frame(row_bytes)).max(1);
        let frames = if local { 1 } else { targets };
        let room = frame_rows + CHUNK_ROWS.min(frame_rows);
        let mut combine = combine;
        combine.begin(frames == 1);
        Writer {
            me: me as u32,
            targets: targets as u64,
            local,
            frame_rows,
            turn: me as u64,
            open: (0..frames).map(|_| Rows::with_room(if C::ACTIVE { 0 } else { room })).collect(),
            partials: (0..if C::ACTIVE { frames } else { 0 }).map(|_| Rows::default()).collect(),
            combine,
            soon: false,
            ready: VecDeque::new(),
            free: Vec::new(),
            free_partials: Vec::new(),
            gate: Gate::new(targets, (frame_rows * row_bytes + FRAME_ALONE) as u64),
            told: vec![i64::MIN; frames],
            sent: 0,
        }
    }

    fn full_frame(row_bytes: usize) -> usize {
        (FRAME_BYTES / row_bytes).clamp(16, FRAME_ROWS)
    }

    /// The most bytes that may be under way on such an edge from one sender: what each target may always have, the
    /// shared pool, the open frames, what a chunk writes that was begun when the gate was still open, and partial results.
    /// Not in it is what rows own on the heap, nor what a single row becomes in a `flat_map` beyond that.
    pub fn bound_bytes(&self) -> u64 {
        let row = Rows::<K, V, T>::ROW_BYTES.max(1) as u64;
        let frame = self.frame_rows as u64 * row + FRAME_ALONE as u64;
        let targets = if self.local { 1 } else { self.targets };
        targets * (OWN_FRAMES + 2) * frame
            + SHARED_FRAMES * frame
            + (CHUNK_WRITES * CHUNK_ROWS.min(self.frame_rows)) as u64 * row
            + self.combine.bound_bytes() as u64
    }

    /// Writes a row whose value is apart from its key.
    #[inline(always)]
    pub fn row(&mut self, key: K::Ref<'_>, value: V, time: i64, cx: &mut Cx) {
        if C::ACTIVE && self.combine.takes(time, cx) {
            return self.combine.row(key, value, cx);
        }
        // With one target only, the hash is found when the frame leaves, for all of its keys at once.
        let open = match &mut self.open[..] {
            [open] => {
                open.keys.push_later(key);
                open
            }
            many => {
                let hash = K::hash(key);
                let open = &mut many[hash::owner(hash, self.targets)];
                open.keys.push(key, hash);
                open
            }
        };
        if T::TIMED && time < cx.before {
            open.marks.push(Mark { row: open.keys.len() as u32 - 1, watermark: cx.before });
        }
        if T::TIMED {
            open.times.push(T::of(time));
        }
        open.values.push(value);
    }

    /// First step of writing a row: its key and time.
    #[inline(always)]
    pub fn key(&mut self, key: K::Ref<'_>, time: i64, cx: &mut Cx) -> Slot {
        if C::ACTIVE && self.combine.takes(time, cx) {
            self.combine.key(key, cx);
            return Slot(COMBINED);
        }
        let hash = K::hash(key);
        let target = if self.local { 0 } else { hash::owner(hash, self.targets) };
        let open = &mut self.open[target];
        if T::TIMED && time < cx.before {
            open.marks.push(Mark { row: open.keys.len() as u32, watermark: cx.before });
        }
        open.keys.push(key, hash);
        if T::TIMED {
            open.times.push(T::of(time));
        }
        Slot(target)
    }

    /// Second step: its value.
    #[inline(always)]
    pub fn value(&mut self, at: Slot, value: V, cx: &Cx) {
        if C::ACTIVE && at.0 == COMBINED {
            self.combine.value(value, cx);
        } else {
            self.open[at.0].values.push(value);
        }
    }

    /// Adds rows that wait to be combined. Called before [`ship`](Writer::ship) wherever rows may have been written.
    #[inline(always)]
    pub fn settle(&mut self, cx: &mut Cx) {
        if C::ACTIVE {
            self.combine.settle(cx);
        }
    }

    /// Whether there is room for more.
    pub fn open(&self) -> bool {
        self.gate.open()
    }

    /// Whether what is combined leaves with the rows that wait, or waits for a barrier, a watermark or a full table.
    pub fn set_soon(&mut self, soon: bool) {
        self.soon = soon;
    }

    /// Rows that wait in frames.
    pub fn waiting(&self) -> usize {
        if self.soon { self.in_frames() + self.combine.held() } else { self.in_frames() }
    }

    fn in_frames(&self) -> usize {
        self.open.iter().map(Rows::len).sum::<usize>() + self.partials.iter().map(Rows::len).sum::<usize>()
    }

    /// Rows and partial results written so far: sent, waiting, or held by the combiner.
    pub fn written(&self) -> u64 {
        self.sent + (self.in_frames() + self.combine.held()) as u64
    }

    /// Rows and partial results sent so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// An emptied frame came back, or what it counted for.
    pub fn credit(&mut self, target: usize, bytes: u64, emptied: Payload<K, V, T, C::Acc>) {
        self.gate.credit(target, bytes);
        match emptied {
            Payload::Rows(rows) => self.keep(rows),
            Payload::Partials(rows) if self.free_partials.len() < self.open.len() + 4 => self.free_partials.push(rows),
            _ => {}
        }
    }

    /// Moves what must go to [`take_ready`](Writer::take_ready). `watermark` is what the sender has reached.
    pub fn ship(&mut self, what: Ship, watermark: i64) {
        if C::ACTIVE {
            self.combine_out(what == Ship::All || (self.soon && what != Ship::Full), watermark);
        }
        for target in 0..self.open.len() {
            let waiting = self.open[target].len();
            let partial = C::ACTIVE && !self.partials[target].is_empty();
            if partial {
                let empty = self.free_partials.pop().unwrap_or_default();
                let rows = std::mem::replace(&mut self.partials[target], empty);
                let bytes = rows.bytes() as u32;
                // The rows that wait are behind these partial results, so this frame must not promise the watermark yet.
                let promised = if waiting > 0 { self.told[target] } else { watermark };
                self.send(target, promised, what == Ship::Urgent, bytes, rows.len(), Payload::Partials(rows));
            }
            let full = waiting >= self.frame_rows || self.open[target].keys.heap_bytes() > FRAME_BYTES;
            let news = watermark > self.told[target] && (T::TIMED || watermark == i64::MAX);
            // Rows that wait hold the watermark back with them: it travels in their frame.
            if full || (what != Ship::Full && (waiting > 0 || news)) || (partial && news) {
                let room = self.frame_rows + CHUNK_ROWS.min(self.frame_rows);
                let (payload, bytes) = if waiting > 0 {
                    let empty = self.free.pop().unwrap_or_else(|| Rows::with_room(if C::ACTIVE { 0 } else { room }));
                    let mut rows = std::mem::replace(&mut self.open[target], empty);
                    rows.settle();
                    let bytes = rows.bytes() as u32;
                    (Payload::Rows(rows), bytes)
                } else {
                    (Payload::Empty, 0)
                };
                self.send(target, watermark, what == Ship::Urgent, bytes, waiting, payload);
            }
        }
    }

    fn send(
        &mut self,
        target: usize,
        watermark: i64,
        urgent: bool,
        bytes: u32,
        rows: usize,
        payload: Payload<K, V, T, C::Acc>,
    ) {
        self.told[target] = self.told[target].max(watermark);
        self.sent += rows as u64;
        let worker = if self.local { self.me } else { target as u32 };
        let (payload, bytes) = self.fit(payload, bytes);
        self.gate.send(worker as usize, u64::from(bytes));
        self.ready.push_back(Frame {
            sender: self.me,
            target: worker,
            watermark: self.told[target],
            urgent,
            bytes,
            payload,
        });
    }

    /// Makes a frame take what it counts for. A frame that leaves with few rows would keep the room of a full one while it
    /// waits, and there may be as many of them as there are rows; so its rows move to columns of their own size. Any other
    /// counts as a full one, or for its room where it grew beyond that.
    fn fit(&mut self, payload: Payload<K, V, T, C::Acc>, bytes: u32) -> (Payload<K, V, T, C::Acc>, u32) {
        let counted = |bytes: usize| u32::try_from(bytes + FRAME_ALONE).unwrap_or(u32::MAX);
        match payload {
            Payload::Rows(mut rows) => {
                if rows.len() < self.frame_rows / 4 {
                    let few = rows.take_all();
                    self.keep(rows);
                    let bytes = counted(few.bytes());
                    return (Payload::Rows(few), bytes);
                }
                let grown = rows.len() > 2 * self.frame_rows && size_of::<V>() > 0;
                let room = if grown { rows.values.capacity() } else { self.frame_rows };
                let bytes = counted(rows.bytes().max(room * Rows::<K, V, T>::ROW_BYTES));
                (Payload::Rows(rows), bytes)
            }
            Payload::Partials(rows) => {
                let bytes = counted(rows.bytes());
                (Payload::Partials(rows), bytes)
            }
            Payload::Empty => (Payload::Empty, counted(0)),
            other => (other, bytes),
        }
    }

    /// Keeps emptied columns for the next frame, unless there are enough or they have an odd size.
    fn keep(&mut self, rows: Rows<K, V, T>) {
        let room = rows.values.capacity();
        let usual = C::ACTIVE || room >= self.frame_rows;
        let right = size_of::<V>() == 0 || (usual && room <= 4 * self.frame_rows.max(CHUNK_ROWS));
        if right && self.free.len() < OWN_FRAMES as usize * self.open.len() + 8 {
            self.free.push(rows);
        }
    }

    fn combine_out(&mut self, all: bool, watermark: i64) {
        while let Some((start, table)) = self.combine.take_table(all, watermark) {
            let rows = table.len();
            let bytes = rows * (size_of::<K>() + size_of::<C::Acc>() + 8);
            let promised = self.told[0];
            self.send(0, promised, false, bytes as u32, rows, Payload::Table(start, Box::new(table)));
        }
        let Writer { combine, partials, local, targets, .. } = self;
        combine.drain(all, watermark, |key, hash, acc, start| {
            let target = if *local { 0 } else { hash::owner(hash, *targets) };
            let rows = &mut partials[target];
            rows.keys.push(key, hash);
            rows.values.push(acc);
            rows.times.push(T::of(start));
        });
    }

    /// The next frame to send.
    pub fn take_ready(&mut self) -> Option<Frame<K, V, T, C::Acc>> {
        self.ready.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_closes_when_the_pool_is_used_up_and_opens_again() {
        let mut gate = Gate::new(2, 10);
        for _ in 0..OWN_FRAMES {
            gate.send(0, 10);
        }
        assert_eq!(gate.borrowed, 0);
        for _ in 0..SHARED_FRAMES {
            assert!(gate.open());
            gate.send(0, 10);
        }
        assert!(!gate.open());
        gate.credit(0, 10);
        assert!(gate.open());
        for _ in 0..SHARED_FRAMES + OWN_FRAMES - 1 {
            gate.credit(0, 10);
        }
        assert_eq!((gate.borrowed, gate.in_flight[0]), (0, 0));
    }

    /// The macro draws a job for its documentation, and cannot ask the runtime.
    #[test]
    fn the_picture_in_the_documentation_of_a_job_has_these_numbers() {
        let macros = concat!(env!("CARGO_MANIFEST_DIR"), "/../macros/src/emit/picture.rs");
        let macros = std::fs::read_to_string(macros).unwrap();
        let (frames, each) = (format!("frames of about {} KiB by default", FRAME_BYTES >> 10), OWN_FRAMES + 2);
        let under_way = format!("at most {SHARED_FRAMES} of them under way, and {each} for each receiver");
        assert!(macros.contains(&frames) && macros.contains(&under_way), "{frames}; {under_way}");
    }
}
