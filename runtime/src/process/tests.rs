//! The operator alone, with a clock and watermarks of the test's: rows as they arrive, timers of the clock, room that ends,
//! snapshots, and how much it keeps.

use super::alarms::{Alarms, By, Timers};
use super::handlers::{OnEnd, OnEvent, OnTimer, Pattern};
use super::operator::{Parts, Process};
use super::outputs::Emitted;
use super::row::Row;
use super::state::{Declared, Named, Proof, Slot, State, States};
use super::waiting::{Waiting, Waits};
use super::{EventTime, MapState, ProcessingTime, Timer, ValueState};
use crate::__private::{Done, on_end, on_event, on_timer};
use crate::clock::Clock;
use crate::codec::Reader;
use crate::frame::{Mark, Rows, Time, Timed, Untimed};
use crate::hash::KeyRange;
use crate::key::Key;
use crate::keyed::{Batch, Follow, Operator, Out};
use crate::record::{Migration, Record};
use crate::state::Memory;
use crate::state::entry::{Encoded, Entry};
use crate::state::save::{Entries, SaveTo, StateMeta};
use crate::state::ttl::{Forever, Since};
use crate::time::{TimeSpan, Timestamp};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A clock that the test moves, in ms; it began at `BEGAN`.
struct Hand(AtomicI64);
const BEGAN: i64 = 1_000_000;
impl Clock for Hand {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed) as u64)
    }
    fn began(&self) -> i64 {
        BEGAN
    }
}

struct Name;
impl Named for Name {
    const NAME: &'static str = "name";
    const WAS: &'static [&'static str] = &[];
}

/// Keeps what comes out; has room so many times.
struct Sink<O> {
    rows: Vec<(O, i64)>,
    late: Vec<i64>,
    room: usize,
}
impl<O> Sink<O> {
    fn new() -> Self {
        Sink { rows: Vec::new(), late: Vec::new(), room: usize::MAX }
    }
}
impl<O, S, P: for<'a> Out<Row<'a> = Emitted<O, S>>, V> Follow<P, V> for Sink<O> {
    fn main(&mut self, row: Emitted<O, S>, time: i64) {
        if let Emitted::Main(row) = row {
            self.rows.push((row, time));
        }
    }
    fn late(&mut self, _: V, time: i64) {
        self.late.push(time);
    }
    fn room(&mut self) -> bool {
        self.room = self.room.saturating_sub(1);
        self.room > 0
    }
}

/// Hands rows to an operator: key, time, value; and marks.
fn rows<P, O, S, T>(op: &mut P, rows: &[(u64, i64, i64)], marks: &[(u32, i64)], watermark: i64, to: &mut Sink<O>) -> u64
where
    T: Time,
    P: Operator<u64, i64, (), T> + for<'a> Out<Row<'a> = Emitted<O, S>>,
{
    let mut frame = Rows::<u64, i64, T>::default();
    for (key, time, value) in rows {
        frame.keys.push(*key);
        frame.values.push(*value);
        frame.times.push(T::of(*time));
    }
    frame.marks = marks.iter().map(|(row, watermark)| Mark { row: *row, watermark: *watermark }).collect();
    let left = Cell::new(0);
    op.rows(Batch::of(&mut frame, watermark, &left), to);
    left.get() as u64
}

type Seen = (u64, &'static str, i64, Option<i64>);

/// Keeps the sum of the values of each key, with a ttl; sets a timer for as far ahead as the value says.
fn sums<T: Time, W: Waits<i64> + 'static>(
    ttl: i64,
    by: By,
    clock: Arc<dyn Clock>,
    range: KeyRange,
) -> impl for<'a> Operator<u64, i64, (), T, Row<'a> = Emitted<Seen, super::outputs::Never>> {
    let states = (Declared::new(Name, ValueState::<i64, Proof, Since>::new(ttl)), ());
    let pattern = Pattern::<u64, i64, T, Seen, _, ()>::new(&states, &());
    let on_event = on_event(&pattern, move |value, ((mut sum, ()), ()), cx| {
        let before = sum.get().copied();
        sum.update(|sum| sum + value);
        cx.emit((cx.key(), "row", value, before));
        match by {
            By::Events => cx.set(Timer::<EventTime>::number(0), Timestamp::from_millis(cx.moment_time() + value)),
            By::Clock => cx.set(Timer::<ProcessingTime>::number(0), cx.now() + TimeSpan::from_millis(value)),
        }
    });
    let on_timer = on_timer(&pattern, |at: Timestamp, ((sum, ()), ()), cx| {
        cx.emit((cx.key(), "timer", at.millis(), sum.get().copied()));
    });
    let on_end = on_end(&pattern, |((sum, ()), ()), cx| cx.emit((cx.key(), "end", 0, sum.get().copied())));
    let timers = if by == By::Events { &[By::Events] } else { &[By::Clock] };
    let parts = Parts { states, outputs: (), timers, on_event, on_timer: (on_timer, ()), on_end };
    made::<T, _, W, _, _, _>(parts, range, clock)
}

fn made<T, D, W, E, H, N>(
    parts: Parts<D, (), E, H, N>,
    range: KeyRange,
    clock: Arc<dyn Clock>,
) -> Process<u64, i64, T, Seen, D, (), Timers<(Name, ()), 1>, W, E, H, N, Memory>
where
    T: Time,
    D: States,
    W: Waits<i64>,
    E: OnEvent<u64, i64, T, Seen, D, ()>,
    H: OnTimer<u64, T, Seen, D, ()>,
    N: OnEnd<u64, T, Seen, D, ()>,
{
    Process::new(parts, range, (), clock)
}

fn clock() -> Arc<Hand> {
    Arc::new(Hand(AtomicI64::new(0)))
}

#[test]
fn a_timer_fires_when_the_watermark_has_reached_it_and_moves_when_it_is_set_again() {
    let mut op = sums::<Timed, ()>(1_000_000, By::Events, clock(), KeyRange::ALL);
    let mut to = Sink::new();
    rows(&mut op, &[(1, 100, 50), (2, 100, 30), (1, 110, 50)], &[], i64::MIN, &mut to);
    to.rows.clear();
    assert!(op.advance(129, &mut to));
    assert_eq!(to.rows, []);
    assert!(op.advance(150, &mut to));
    assert_eq!(to.rows, [((2, "timer", 130, Some(30)), 130)], "that of key 1 has moved to 160");
    rows(&mut op, &[(1, 155, -45)], &[], 150, &mut to);
    to.rows.clear();
    assert!(op.advance(159, &mut to));
    assert_eq!(to.rows, [((1, "timer", 150, Some(55)), 150)], "it was set for 110, which the watermark has passed");
    to.rows.clear();
    assert!(op.advance(i64::MAX, &mut to) && op.end(&mut to));
    to.rows.sort();
    assert_eq!(to.rows, [((1, "end", 0, Some(55)), 159), ((2, "end", 0, Some(30)), 159)]);
}

#[test]
fn a_timer_fires_before_a_row_that_comes_under_a_watermark_behind_it() {
    let mut op = sums::<Timed, ()>(1_000_000, By::Events, clock(), KeyRange::ALL);
    let mut to = Sink::new();
    // The third row is behind its sender's watermark of 200, which has reached the timer of the first at 150.
    rows(&mut op, &[(1, 100, 50), (2, 400, 1), (1, 120, 1000)], &[(2, 200)], i64::MIN, &mut to);
    let seen: Vec<(u64, &str, i64)> = to.rows.iter().map(|(row, _)| (row.0, row.1, row.2)).collect();
    assert_eq!(seen, [(1, "row", 50), (2, "row", 1), (1, "timer", 150), (1, "row", 1000)]);
}

#[test]
fn a_ttl_is_over_at_its_moment_for_rows_and_by_the_watermark() {
    let mut op = sums::<Timed, ()>(100, By::Events, clock(), KeyRange::ALL);
    let mut to = Sink::new();
    let before = |to: &mut Sink<Seen>| std::mem::take(&mut to.rows).last().map(|(row, _)| row.3);
    rows(&mut op, &[(1, 1000, 10_000)], &[], i64::MIN, &mut to);
    rows(&mut op, &[(1, 1099, 10_000)], &[], i64::MIN, &mut to);
    assert_eq!(before(&mut to), Some(Some(10_000)), "one ms before its moment it is there, and it is written again");
    rows(&mut op, &[(1, 1199, 10_000)], &[], i64::MIN, &mut to);
    assert_eq!(before(&mut to), Some(None), "at its moment it is not");
    rows(&mut op, &[(1, 1150, 10_000)], &[], i64::MIN, &mut to);
    assert_eq!(before(&mut to), Some(Some(10_000)), "a row behind sees what was written after it");
    rows(&mut op, &[(1, 1298, 10_000)], &[], i64::MIN, &mut to);
    assert_eq!(before(&mut to), Some(Some(20_000)), "and does not make it die earlier");
    assert!(op.advance(1500, &mut to));
    rows(&mut op, &[(1, 1300, 10_000)], &[], 1500, &mut to);
    assert_eq!(before(&mut to), Some(None), "what the watermark has passed is over for whoever comes");
}

#[test]
fn without_event_time_a_ttl_and_timers_go_by_the_clock() {
    let hand = clock();
    let mut op = sums::<Untimed, ()>(100, By::Clock, hand.clone(), KeyRange::ALL);
    let mut to = Sink::new();
    rows(&mut op, &[(1, 0, 30), (2, 0, 500)], &[], i64::MIN, &mut to);
    to.rows.clear();
    assert_eq!(op.next_tick(), Some(Duration::from_millis(30)));
    hand.0.store(29, Ordering::Relaxed);
    op.tick(hand.now(), &mut to);
    assert_eq!(to.rows, []);
    hand.0.store(30, Ordering::Relaxed);
    op.tick(hand.now(), &mut to);
    assert_eq!(to.rows, [((1, "timer", BEGAN + 30, Some(30)), i64::MIN)]);
    assert_eq!(op.next_tick(), Some(Duration::from_millis(500)));
    hand.0.store(100, Ordering::Relaxed);
    to.rows.clear();
    // What is overdue comes before the rows.
    rows(&mut op, &[(1, 0, 5)], &[], i64::MIN, &mut to);
    assert_eq!(to.rows, [((1, "row", 5, None), i64::MIN)], "the ttl is over at its moment");
    hand.0.store(1000, Ordering::Relaxed);
    to.rows.clear();
    rows(&mut op, &[(1, 0, 5)], &[], i64::MIN, &mut to);
    let seen: Vec<(u64, &str)> = to.rows.iter().map(|(row, _)| (row.0, row.1)).collect();
    assert_eq!(seen, [(1, "timer"), (2, "timer"), (1, "row")]);
}

#[test]
fn it_pauses_where_there_is_no_room_and_goes_on() {
    let keys = 5000;
    let all: Vec<(u64, i64, i64)> = (0..keys).map(|key| (key, 100, 50 + key as i64 % 7)).collect();
    for in_order in [false, true] {
        let (mut to, mut pauses) = (Sink::new(), 0);
        let mut ran = |op: &mut dyn FnMut(&mut Sink<Seen>) -> bool, to: &mut Sink<Seen>| {
            loop {
                to.room = 3;
                if op(to) {
                    return;
                }
                pauses += 1;
            }
        };
        if in_order {
            let mut op = sums::<Timed, Waiting<i64>>(1_000_000, By::Events, clock(), KeyRange::ALL);
            rows(&mut op, &all, &[], i64::MIN, &mut to);
            assert_eq!(to.rows.len(), 0, "they wait");
            ran(&mut |to| op.advance(i64::MAX, to), &mut to);
            ran(&mut |to| op.end(to), &mut to);
        } else {
            let mut op = sums::<Timed, ()>(1_000_000, By::Events, clock(), KeyRange::ALL);
            rows(&mut op, &all, &[], i64::MIN, &mut to);
            ran(&mut |to| op.advance(i64::MAX, to), &mut to);
            ran(&mut |to| op.end(to), &mut to);
        }
        assert!(pauses > 20, "{pauses}");
        for what in ["row", "timer", "end"] {
            let mut of: Vec<u64> = to.rows.iter().filter(|(row, _)| row.1 == what).map(|(row, _)| row.0).collect();
            of.sort();
            assert_eq!(of, (0..keys).collect::<Vec<_>>(), "{what}, in order: {in_order}");
        }
    }
}

/// What was saved, to be loaded again.
#[derive(Clone, Default)]
struct Put(Arc<Mutex<Vec<(u64, u16, i64, Vec<u8>, Vec<u8>)>>>);
impl Entries for Put {
    fn put(&mut self, some: &Encoded) {
        some.each(|Entry { hash, state, namespace, key, value }| {
            self.0.lock().unwrap().push((hash, state, namespace, key.to_vec(), value.unwrap().to_vec()));
        })
        .unwrap();
    }
}

/// A run that is cut in two by a snapshot, taken while it goes on, and gone on with by other numbers of workers: what comes
/// out of both halves is what comes out of one.
#[test]
fn what_is_restored_goes_on_as_if_nothing_had_happened() {
    let row = |i: i64| ((i * 7919 % 97) as u64, i * 10 - i % 5 * 7, (i * 31) % 400);
    let all: Vec<(u64, i64, i64)> = (0..3000).map(row).collect();
    let (first, second) = all.split_at(1500);
    let make = |range| sums::<Timed, Waiting<i64>>(300, By::Events, clock(), range);
    let end = |op: &mut dyn FnMut(i64, &mut Sink<Seen>) -> bool, to: &mut Sink<Seen>| assert!(op(i64::MAX, to));
    let (mut whole, mut cut) = (Sink::new(), Sink::new());
    {
        let mut op = make(KeyRange::ALL);
        for part in [first, second] {
            for (n, rows_of) in part.chunks(100).enumerate() {
                let watermark = rows_of[0].1 - 100;
                rows(&mut op, rows_of, &[], watermark, &mut whole);
                assert!(op.advance(watermark, &mut whole), "{n}");
            }
        }
        end(&mut |watermark, to| op.advance(watermark, to), &mut whole);
    }
    let mut op = make(KeyRange::ALL);
    for rows_of in first.chunks(100) {
        let watermark = rows_of[0].1 - 100;
        rows(&mut op, rows_of, &[], watermark, &mut cut);
        assert!(op.advance(watermark, &mut cut));
    }
    let (put, head) = (Put::default(), op.head());
    op.barrier(1);
    let to = SaveTo::new(put.clone());
    op.tables(&mut |state, namespace, table| table.begin_save(&to, state, namespace));
    // It goes on while the snapshot is written; none of that may be in it.
    let mut lost = Sink::new();
    for rows_of in second.chunks(300) {
        rows(&mut op, rows_of, &[], rows_of[0].1 - 100, &mut lost);
        assert!(op.advance(rows_of[0].1 - 100, &mut lost));
        op.tables(&mut |_, _, table| {
            table.save_some(&mut 64);
        });
    }
    op.tables(&mut |_, _, table| while !table.save_some(&mut (1 << 20)) {});
    let saved = put.0.lock().unwrap().clone();
    assert!(saved.len() > 50);
    for workers in [1, 3] {
        let mut cut = Sink { rows: cut.rows.clone(), ..Sink::new() };
        for worker in 0..workers {
            let mut op = make(KeyRange::of(worker, workers));
            let mine = |hash| crate::hash::owner(hash, workers as u64) == worker;
            for (hash, state, namespace, key, value) in &saved {
                if mine(*hash) {
                    op.table_of(*state, *namespace).unwrap().load(key, value).unwrap();
                }
            }
            op.restore_head(&head).unwrap();
            for rows_of in second.chunks(100) {
                let watermark = rows_of[0].1 - 100;
                let mine: Vec<_> = rows_of.iter().copied().filter(|row| mine(<u64 as Key>::hash(row.0))).collect();
                rows(&mut op, &mine, &[], watermark, &mut cut);
                assert!(op.advance(watermark, &mut cut));
            }
            end(&mut |watermark, to| op.advance(watermark, to), &mut cut);
        }
        let mut whole = whole.rows.clone();
        whole.sort();
        cut.rows.sort();
        let other = cut.rows.iter().zip(&whole).find(|(a, b)| a != b);
        assert_eq!((other, cut.rows.len()), (None, whole.len()), "{workers} workers");
        assert!(whole.iter().any(|(row, _)| row.1 == "timer"));
    }
    let mut op = make(KeyRange::ALL);
    let table = op.table_of(0, 0).unwrap();
    assert!(table.load(&saved[0].3, &[1, 2, 3]).is_err() && table.load(&[9], &saved[0].4).is_err());
}

/// The fields of what is kept have the names of the block: a snapshot is read by them.
#[test]
fn a_row_is_kept_by_the_names_of_its_states_and_timers() {
    fn states<K: Key, V, A, T: Time, O: Operator<K, V, A, T>>(_: &O) -> Vec<StateMeta> {
        O::states()
    }
    let states = states(&sums::<Timed, Waiting<i64>>(300, By::Events, clock(), KeyRange::ALL));
    let text = format!("{:?}", states[0].value);
    for name in ["\"Row\"", "\"name\"", "\"value\"", "\"since\"", "\"in_order\""] {
        assert!(text.contains(name), "{name} is not in {text}");
    }
    assert_eq!(states.len(), 1);
}

/// What was kept by a build with fewer states and timers: those that are new are empty.
#[test]
fn a_state_that_is_new_is_empty_in_what_was_kept_before() {
    struct Second;
    impl Named for Second {
        const NAME: &'static str = "second";
        const WAS: &'static [&'static str] = &[];
    }
    struct Third;
    impl Named for Third {
        const NAME: &'static str = "third";
        const WAS: &'static [&'static str] = &[];
    }
    type Value = Declared<Name, ValueState<i64, Proof, Since>>;
    type Map = Declared<Second, MapState<u64, i64, (Proof, Proof), Since>>;
    type Before = Row<(Value, ()), (), ()>;
    type Now = Row<(Map, (Value, ())), Timers<(Third, ()), 1>, Waiting<i64>>;
    let mut bytes = Vec::new();
    let mut row = Before::default();
    let mut value = ValueState::<i64, Proof, Since>::new(100);
    value.open(&mut row.states.0, 7).set(42);
    row.encode(&mut bytes);
    let migration = Migration::between(&Before::SCHEMA.into(), Now::SCHEMA).unwrap();
    let mut now = Vec::new();
    migration.convert(&mut Reader::new(&bytes), &mut now).unwrap();
    let mut now = crate::record::whole::<Now>(&now).unwrap();
    assert_eq!(value.open(&mut now.states.1.0, 106).get(), Some(&42));
    assert_eq!(value.open(&mut now.states.1.0, 107).get(), None);
    assert!(now.states.0.is_empty() && now.alarms.at() == [i64::MAX] && Waits::first(&now.waiting).is_none());
}

/// Keys that come once: those whose time is over must not pile up, nor entries of timers that moved.
#[test]
fn what_is_over_goes_and_so_do_keys_of_which_nothing_is_left() {
    let mut op = {
        let states = (
            Declared::new(Name, ValueState::<i64, Proof, Since>::new(1000)),
            (Declared::new(Name, MapState::<u64, i64, (Proof, Proof), Since>::new(1000)), ()),
        );
        let pattern = Pattern::<u64, i64, Timed, Seen, _, ()>::new(&states, &());
        let on_event = on_event(&pattern, |value, ((mut sum, (mut map, ())), ()), cx| match value % 3 {
            0 => sum.set(value),
            1 => drop(map.insert(value as u64, value)),
            // Nothing is kept of these.
            _ => cx.cancel(Timer::<EventTime>::number(0)),
        });
        let parts = Parts { states, outputs: (), timers: &[By::Events], on_event, on_timer: (), on_end: () };
        made::<Timed, _, (), _, _, _>(parts, KeyRange::ALL, clock())
    };
    let mut to = Sink::new();
    let mut most = 0;
    for frame in 0..400i64 {
        // 100 new keys each 10 ms: 10,000 live at a time; and one key whose map gets a new entry each time.
        let at = frame * 10;
        let mut all: Vec<(u64, i64, i64)> = (0..100).map(|i| (1 + (frame * 100 + i) as u64, at, i)).collect();
        all.push((0, at, frame * 3 + 1));
        rows(&mut op, &all, &[], at, &mut to);
        assert!(op.advance(at, &mut to));
        most = most.max(op.keys());
    }
    // A third leaves nothing; of the rest, what is over may be as much as what lives.
    assert!((6_000..15_000).contains(&most), "{most} keys");
}

#[test]
fn timers_that_move_to_earlier_times_leave_little_behind() {
    let states = (Declared::new(Name, ValueState::<i64, Proof, Forever>::new(0)), ());
    let pattern = Pattern::<u64, i64, Timed, Seen, _, ()>::new(&states, &());
    let on_event = on_event(&pattern, |value, ((mut sum, ()), ()), cx| {
        sum.set(value);
        cx.set(Timer::<EventTime>::number(0), Timestamp::from_millis(value));
    });
    let on_timer = on_timer(&pattern, |at: Timestamp, ((sum, ()), ()), cx| {
        cx.emit((cx.key(), "timer", at.millis(), sum.get().copied()));
    });
    let parts = Parts { states, outputs: (), timers: &[By::Events], on_event, on_timer: (on_timer, ()), on_end: () };
    let mut op = made::<Timed, _, (), _, _, _>(parts, KeyRange::ALL, clock());
    let mut to = Sink::new();
    for frame in 0..100i64 {
        let all: Vec<(u64, i64, i64)> = (0..1000).map(|i| (i % 10, 0, 1_000_000 - frame * 1000 - i as i64)).collect();
        rows(&mut op, &all, &[], i64::MIN, &mut to);
        assert!(op.advance(frame, &mut to));
        assert!(op.listed() < 2500, "{} entries for 10 keys", op.listed());
    }
    assert!(op.advance(i64::MAX, &mut to));
    assert_eq!(to.rows.len(), 10, "each fires once");
}

#[test]
fn an_error_ends_the_call_at_its_row() {
    let states = (Declared::new(Name, ValueState::<i64, Proof, Forever>::new(0)), ());
    let pattern = Pattern::<u64, i64, Timed, Seen, _, ()>::new(&states, &());
    let on_event = on_event(&pattern, |value: i64, ((mut sum, ()), ()), _| -> Done {
        sum.set(value);
        u8::try_from(value)?;
        Ok(())
    });
    let parts = Parts { states, outputs: (), timers: &[By::Events], on_event, on_timer: (), on_end: () };
    let mut op = made::<Timed, _, (), _, _, _>(parts, KeyRange::ALL, clock());
    let mut to = Sink::new();
    let left = rows(&mut op, &[(1, 0, 1), (1, 0, 2), (1, 0, 300), (1, 0, 4)], &[], 0, &mut to);
    assert_eq!(left, 1, "the row in fault was the third of four");
    let fault = Operator::<u64, i64, (), Timed>::failure(&mut op).unwrap().to_string();
    assert!(fault.contains("`on event` gave an error: out of range"), "{fault}");
}
