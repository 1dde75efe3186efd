//! The timely operator of a chain that begins behind an edge: it lines frames up by epoch, applies them, moves the
//! watermark, and passes barriers on.
//!
//! Alignment: a frame of a later epoch than the one being worked on waits, and so does what it counts for; frames of the
//! current epoch can always be applied, so nothing waits for ever. The operator learns of a barrier from here alone.

use super::graph::{EdgeIn, Graph, Noted, StoredOperator};
use super::guard::guarded;
use super::local::Local;
use super::meta::ChainMeta;
use super::pace::{Alarm, Pace, TURN};
use super::pact::{Return, Returns, Routed};
use super::port::{ASK_SINKS, Live, Outs, publish};
use super::resume::saved_operator;
use super::source::Counters;
use super::time::{epoch, of_epoch};
use super::underneath::Underneath;
use crate::error::{Error, Fault, Place};
use crate::frame::writer::{Cx, Ship};
use crate::frame::{Frame, Mark, Payload, Rows, Time, wire};
use crate::key::Key;
use crate::keyed::{Batch, Follow, Operator, Out};
use crate::metrics::{Cell, ChainCells};
use crate::names;
use crate::plan::Operator as Listed;
use crate::record::Record;
use crate::state::save::{SaveTo, StateMeta};
use std::cell::Cell as Plain;
use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::scheduling::Activator;

/// Late rows are dropped; they are counted all the same.
pub fn no_late<V, N, L>() -> impl FnMut(V, i64, &mut Cx, &mut N, &mut L) {
    |_, _, _, _, _| ()
}

/// Builds a chain that begins behind an edge, when all that it writes to is known.
#[expect(clippy::too_many_arguments, reason = "emitted code names each part of the chain once")]
pub fn stage<'g, K, V, T, A, Op, N, O, F, D>(
    g: &mut Graph<'g>,
    meta: &'static ChainMeta,
    input: EdgeIn<'g, K, V, T, A>,
    op: impl FnOnce(&Local) -> Result<Op, Fault> + 'g,
    counters: N,
    outs: O,
    main: F,
    late: D,
) where
    K: Key,
    V: Record,
    T: Time,
    A: Record,
    Op: Operator<K, V, A, T>,
    N: Counters,
    O: Outs<'g>,
    F: for<'a> FnMut(<Op as Out>::Row<'a>, i64, &mut Cx, &mut N, &mut O::Live) + 'static,
    D: FnMut(V, i64, &mut Cx, &mut N, &mut O::Live) + 'static,
{
    let place = g.here();
    g.later(move |g| open(g, &place, meta, input, op, counters, outs, main, late));
}

/// Opens it.
#[expect(clippy::too_many_arguments, reason = "each part of the chain, and where it stands")]
fn open<'g, K, V, T, A, Op, N, O, F, D>(
    g: &mut Graph<'g>,
    place: &str,
    meta: &'static ChainMeta,
    input: EdgeIn<'g, K, V, T, A>,
    op: impl FnOnce(&Local) -> Result<Op, Fault>,
    counters: N,
    outs: O,
    main: F,
    late: D,
) where
    K: Key,
    V: Record,
    T: Time,
    A: Record,
    Op: Operator<K, V, A, T>,
    N: Counters,
    O: Outs<'g>,
    F: for<'a> FnMut(<Op as Out>::Row<'a>, i64, &mut Cx, &mut N, &mut O::Live) + 'static,
    D: FnMut(V, i64, &mut Cx, &mut N, &mut O::Live) + 'static,
{
    let own = meta.operators;
    let name = own.iter().find(|o| !o.name.is_empty()).or(own.first()).map_or("stage", |o| o.name);
    let name = names::within(place, name);
    let Noted { number: chain, operators, counters: counted } = g.note_chain(place, own, &counters, None, &outs);
    g.note_consumer(input.edge, chain);
    g.describe(input.edge, input.describe);
    let states = Op::states();
    let Some(scope) = g.scope else {
        if !states.is_empty() {
            g.notes.stored.push(StoredOperator { name, states });
        }
        return;
    };
    let local = g.local.clone();
    let mut builder = OperatorBuilder::new(name.to_owned(), scope);
    let (mut handles, mut returns, mut soon) = (Vec::new(), Vec::<Returns<K, V, T, A>>::new(), Vec::new());
    let feeds = std::mem::take(&mut *input.feeds.borrow_mut());
    for feed in feeds {
        let back = Returns::default();
        let pact = Routed { upstream: feed.upstream, slot: feed.slot, returns: back.clone() };
        handles.push(builder.new_input(feed.stream, pact));
        returns.push(back);
        soon.push(feed.soon);
    }
    let live = match outs.open(chain, &mut builder, &local) {
        Ok(live) => live,
        Err(error) => return g.abandon(builder, error),
    };
    let cells = local.metrics.add(ChainCells {
        chain,
        counted: std::iter::repeat_with(Cell::default).take(counted).collect(),
        ..ChainCells::default()
    });
    let activator = scope.activator_for(builder.operator_info().address);
    let mut op = match op(&local) {
        Ok(op) => op,
        Err(fault) => return g.abandon(builder, Error::State { operator: name.to_owned(), fault }),
    };
    if !states.is_empty() {
        local.add_part();
        if let Err(error) = local.resume.operator(name, &local, &mut op) {
            return g.abandon(builder, error);
        }
    }
    let below = op.on_disk().map(|files| Underneath::new(files, &local));
    soon.iter().for_each(|soon| soon.set(op.next_tick().is_some()));
    let mut running = Running {
        pace: Pace::new(SLICE_ROWS, &operators),
        operators,
        name,
        activator,
        cells,
        senders: Senders { watermarks: returns.iter().map(|_| vec![None; local.workers]).collect() },
        local_edge: input.local,
        chain,
        states,
        returns,
        now: VecDeque::new(),
        later: BTreeMap::new(),
        epoch: local.resume.epoch(),
        saving: None,
        below,
        watermark: i64::MIN,
        told: i64::MIN,
        reached: i64::MIN,
        target: i64::MIN,
        latest: i64::MIN,
        part: None,
        slice: Rows::default(),
        turn_ends: Duration::MAX,
        alarm: Alarm::default(),
        urgent: false,
        rows: 0,
        emitted: 0,
        shipped_at: Duration::ZERO,
        ended: false,
        cx: Cx::new(0),
        local,
        op,
        counters,
        live,
        main,
        late,
        types: PhantomData,
    };
    builder.build_reschedule(move |caps| {
        let mut caps = Some(caps);
        move |frontiers| {
            for (feed, handle) in handles.iter_mut().enumerate() {
                handle.for_each(|cap, frame| {
                    let time = cap.stamp().expect_singleton();
                    running.receive(feed, epoch(*time), std::mem::take(frame));
                });
            }
            // The least epoch that may still come; `None` when all inputs have ended.
            let front = frontiers.iter().filter_map(|f| f.frontier().first().copied()).min().map(epoch);
            running.activate(front, &mut caps)
        }
    });
}

/// The watermark of each sender of each feed; `None` until it has said something.
struct Senders {
    watermarks: Vec<Vec<Option<i64>>>,
}

struct Running<K: Key, V, T, A, Op, N, L, F, D> {
    operators: Rc<[Listed]>,
    name: &'static str,
    activator: Activator,
    cells: Arc<ChainCells>,
    senders: Senders,
    local_edge: bool,
    local: Rc<Local>,
    returns: Vec<Returns<K, V, T, A>>,
    /// Frames of this epoch, each with the feed it came from.
    now: VecDeque<(usize, Frame<K, V, T, A>)>,
    /// Frames of later epochs.
    later: BTreeMap<u64, Vec<(usize, Frame<K, V, T, A>)>>,
    epoch: u64,
    chain: usize,
    /// The operator's states.
    states: Vec<StateMeta>,
    /// The snapshot under way: of which epoch, and where it goes.
    saving: Option<(u64, SaveTo)>,
    /// What lies below the operator's tables, if that is files.
    below: Option<Underneath>,
    /// What has been promised to those behind: what the operator has reached, less its lag.
    watermark: i64,
    /// The promise when all of them were last told of it.
    told: i64,
    /// What the operator has been advanced to.
    reached: i64,
    /// What the operator is to be advanced to.
    target: i64,
    /// The greatest watermark of a sender that has not ended.
    latest: i64,
    /// A frame of which some rows have been applied, and how many.
    part: Option<(usize, Frame<K, V, T, A>, usize)>,
    /// Rows of such a frame, on their way through the operator.
    slice: Rows<K, V, T>,
    pace: Pace,
    /// When others of this worker have their turn.
    turn_ends: Duration,
    alarm: Alarm,
    /// Somebody in front had nothing more just then.
    urgent: bool,
    rows: u64,
    emitted: u64,
    shipped_at: Duration,
    ended: bool,
    cx: Cx,
    op: Op,
    counters: N,
    live: L,
    main: F,
    late: D,
    types: PhantomData<(K, V, T, A)>,
}

/// Frames in one activation; then the worker looks at its other operators.
const FRAMES: usize = 16;
/// Bytes of a snapshot that are written between two frames.
const SAVE_BYTES: usize = 512 << 10;
/// When a snapshot goes on for which much waits to be written.
const SAVE_LATER: Duration = Duration::from_millis(1);
/// Rows that are applied before the gates and the clock are looked at: a full frame, if that is not too much.
const SLICE_ROWS: usize = 8192;

impl<K, V, T, A, Op, N, L, F, D> Running<K, V, T, A, Op, N, L, F, D>
where
    K: Key,
    V: Record,
    T: Time,
    A: Record,
    Op: Operator<K, V, A, T>,
    N: Counters,
    L: Live,
    F: for<'a> FnMut(<Op as Out>::Row<'a>, i64, &mut Cx, &mut N, &mut L) + 'static,
    D: FnMut(V, i64, &mut Cx, &mut N, &mut L) + 'static,
{
    fn receive(&mut self, feed: usize, epoch: u64, frame: Frame<K, V, T, A>) {
        if epoch > self.epoch {
            self.later.entry(epoch).or_default().push((feed, frame));
        } else {
            self.now.push_back((feed, frame));
        }
    }

    fn activate(&mut self, front: Option<u64>, caps: &mut Option<Vec<Capability<u64>>>) -> bool {
        if self.ended || self.local.failed() {
            return !self.ended;
        }
        if let Err(error) = self.work(front, caps) {
            self.local.fail(error);
        }
        self.publish();
        if self.ended {
            *caps = None;
            self.local.ended();
        }
        !self.ended
    }

    fn work(&mut self, front: Option<u64>, caps: &mut Option<Vec<Capability<u64>>>) -> Result<(), Error> {
        let mut none = Vec::new();
        let caps = caps.as_mut().unwrap_or(&mut none);
        let begun = self.local.now();
        self.turn_ends = begun + TURN;
        // What the clock has reached comes before rows that arrive later.
        self.tick(caps)?;
        let mut frames = 0;
        loop {
            if !self.live.open() {
                break;
            }
            if self.target > self.reached && !self.advance(caps)? {
                break;
            }
            if let Some((feed, frame, applied)) = self.next_frame() {
                self.apply(feed, frame, applied, caps)?;
                self.save_some();
                self.settle_below()?;
                frames += 1;
                if frames == FRAMES || self.local.now() >= self.turn_ends {
                    self.activator.activate();
                    break;
                }
            } else if front.is_none_or(|front| front > self.epoch) {
                if front.is_none() && self.later.is_empty() {
                    self.target = i64::MAX;
                    if !self.advance(caps)? || !self.end(caps)? {
                        break;
                    }
                    self.barrier(caps)?;
                    self.ended = true;
                    return Ok(());
                }
                self.begin_save();
                self.barrier(caps)?;
            } else {
                break;
            }
        }
        if self.saving.is_some() {
            // Whether or not there are frames.
            match self.save_some() {
                true => self.activator.activate(),
                false => self.alarm.set(self.local.now() + SAVE_LATER, self.local.now(), &self.activator),
            }
        }
        if self.settle_below()? {
            self.activator.activate();
        }
        self.tick(caps)?;
        let nothing_more = self.now.is_empty() && self.part.is_none() && self.target <= self.reached;
        if nothing_more && self.urgent {
            self.urgent = false;
            self.tell(Ship::Urgent, caps);
        } else if self.live.waiting() > 0 || self.watermark > self.told {
            let (now, due) = (self.local.now(), self.shipped_at + self.local.config.latency);
            if now >= due {
                self.tell(Ship::Aged, caps);
            } else {
                self.alarm.set(due, now, &self.activator);
            }
        }
        if self.live.must_be_asked() {
            self.activator.activate_after(ASK_SINKS);
        }
        self.live.check()
    }

    /// Sends whatever waits, and tells all that are behind how far this is.
    fn tell(&mut self, what: Ship, caps: &[Capability<u64>]) {
        self.live.ship(what, self.watermark, caps);
        self.told = self.watermark;
        self.shipped_at = self.local.now();
    }

    /// The rest of a frame, or the next one.
    fn next_frame(&mut self) -> Option<(usize, Frame<K, V, T, A>, usize)> {
        self.part.take().or_else(|| self.now.pop_front().map(|(feed, frame)| (feed, frame, 0)))
    }

    /// The operator's own watermark: the least over all senders, once all have spoken.
    fn least(&self) -> i64 {
        let me = self.local.worker;
        let mut least = i64::MAX;
        for feed in &self.senders.watermarks {
            for (sender, watermark) in feed.iter().enumerate() {
                if !self.local_edge || sender == me {
                    least = least.min(watermark.unwrap_or(i64::MIN));
                }
            }
        }
        least
    }

    /// Applies a frame, or as much of it as the pace allows; `applied` rows of it are done already.
    fn apply(
        &mut self,
        feed: usize,
        mut frame: Frame<K, V, T, A>,
        applied: usize,
        caps: &[Capability<u64>],
    ) -> Result<(), Error> {
        if let Payload::Wire(bytes) = &frame.payload {
            frame.payload = wire::unpack(bytes).map_err(|fault| self.broken(fault))?;
        }
        let sender = frame.sender as usize;
        let left = Plain::new(0);
        match &mut frame.payload {
            Payload::Rows(rows) => {
                if applied == 0 {
                    self.settle_marks(feed, sender, rows);
                }
                let now = self.pace.of_frame(rows.len() - applied);
                let written = self.live.written();
                let from = if now == rows.len() {
                    let from = self.local.now();
                    self.run_rows(rows, caps)?;
                    from
                } else {
                    let mut slice = std::mem::take(&mut self.slice);
                    rows.move_to(&mut slice, applied, now);
                    let from = self.local.now();
                    self.run_rows(&mut slice, caps)?;
                    self.slice = slice;
                    from
                };
                self.rows += now as u64;
                self.pace.done(self.live.written().saturating_sub(written), self.local.now() - from);
                if applied + now < rows.len() {
                    self.part = Some((feed, frame, applied + now));
                    self.live.ship(Ship::Full, self.watermark, caps);
                    return self.live.check();
                }
                rows.clear();
            }
            Payload::Partials(rows) => {
                let (all, begun) = (rows.len(), self.rows);
                left.set(all);
                let place = || record(begun + (all - left.get()) as u64);
                self.run(caps, place, |op, watermark, next| op.partials(Batch::of(rows, watermark, &left), next))?;
                rows.clear();
                self.rows += all as u64;
            }
            Payload::Table(..) => {
                if let Payload::Table(start, table) = std::mem::replace(&mut frame.payload, Payload::Empty) {
                    self.rows += table.len() as u64;
                    let begun = self.rows;
                    self.run(caps, || record(begun), |op, _, next| op.table(start, *table, next))?;
                }
            }
            Payload::Empty => {}
            Payload::Broken(fault) => {
                let fault = fault.clone();
                return Err(self.broken(fault));
            }
            Payload::Wire(_) => {}
        }
        self.urgent |= frame.urgent;
        if let Some(known) = self.senders.watermarks[feed].get_mut(sender) {
            *known = Some(known.unwrap_or(i64::MIN).max(frame.watermark));
        }
        if frame.watermark != i64::MAX {
            self.latest = self.latest.max(frame.watermark);
        }
        self.target = self.target.max(self.least());
        if let Some(back) = self.returns[feed].borrow_mut().get_mut(sender) {
            let target = self.local.worker as u32;
            back.push(&mut Some(Return { target, bytes: frame.bytes, emptied: frame.payload }));
            back.push(&mut None);
        }
        self.live.ship(Ship::Full, self.watermark, caps);
        self.live.check()
    }

    fn run_rows(&mut self, rows: &mut Rows<K, V, T>, caps: &[Capability<u64>]) -> Result<(), Error> {
        let (all, begun, left) = (rows.len(), self.rows, Plain::new(rows.len()));
        let place = || record(begun + (all - left.get()) as u64);
        self.run(caps, place, |op, watermark, next| op.rows(Batch::of(rows, watermark, &left), next))
    }

    /// Turns the sender's watermarks in the marks into this operator's: the least over all senders at that row.
    fn settle_marks(&self, feed: usize, sender: usize, rows: &mut Rows<K, V, T>) {
        if rows.marks.is_empty() {
            return;
        }
        let me = self.local.worker;
        let mut others = i64::MAX;
        for (f, watermarks) in self.senders.watermarks.iter().enumerate() {
            for (s, watermark) in watermarks.iter().enumerate() {
                if (f, s) != (feed, sender) && (!self.local_edge || s == me) {
                    others = others.min(watermark.unwrap_or(i64::MIN));
                }
            }
        }
        for Mark { watermark, .. } in &mut rows.marks {
            *watermark = (*watermark).min(others);
        }
    }

    fn broken(&self, fault: crate::codec::CodecError) -> Error {
        let fault = Fault::new("bytes from another worker are no frame").because(fault);
        Error::Wire { edge: self.name.to_owned(), fault }
    }

    /// Runs a step of the operator with what follows it. `place` tells the record if it panics.
    fn run<X>(
        &mut self,
        caps: &[Capability<u64>],
        place: impl FnOnce() -> Place,
        step: impl FnOnce(&mut Op, i64, &mut Next<'_, N, L, F, D>) -> X,
    ) -> Result<X, Error> {
        let Running { op, cx, counters, live, main, late, watermark, emitted, operators, local, activator, .. } = self;
        let (watermark, turn_ends) = (*watermark, self.turn_ends);
        cx.before = watermark;
        cx.watermark = watermark;
        cx.operator = 0;
        let mut place = Some(place);
        let mut place = || place.take().map(|place| place()).unwrap_or_default();
        let done = guarded(
            operators,
            cx,
            |cx| {
                let turn = Turn { ends: turn_ends, local, activator };
                let mut next = Next { cx, counters, live, main, late, caps, watermark, emitted: 0, turn };
                let done = step(op, watermark, &mut next);
                *emitted += next.emitted;
                next.live.touch(next.cx);
                done
            },
            |_| place(),
        )?;
        match self.op.failure() {
            None => Ok(done),
            Some(mut fault) => {
                fault.place = place();
                Err(Error::Operator { operator: self.name.to_owned(), fault })
            }
        }
    }

    /// Moves the operator to its target; says whether it got there. Event time does not end at once: it first comes to where
    /// the last of its senders has been, which is a property of the input, whoever read which part of it.
    fn advance(&mut self, caps: &[Capability<u64>]) -> Result<bool, Error> {
        let ends = self.target == i64::MAX && self.latest > self.reached;
        let target = if ends { self.latest } else { self.target };
        let done = self.run(caps, Place::default, |op, _, next| op.advance(target, next))?;
        if done {
            self.reached = target;
            let lag = if target == i64::MAX { 0 } else { self.op.lag() };
            self.watermark = self.watermark.max(target.saturating_sub(lag));
        }
        self.live.ship(Ship::Full, self.watermark, caps);
        self.live.check()?;
        // What the watermark makes known should not wait: whoever is behind may have windows to close.
        self.urgent |= done && target == i64::MAX;
        if ends && done {
            self.tell(Ship::Urgent, caps);
            return self.advance(caps);
        }
        Ok(done)
    }

    fn end(&mut self, caps: &[Capability<u64>]) -> Result<bool, Error> {
        let done = self.run(caps, Place::default, |op, _, next| op.end(next))?;
        self.live.ship(Ship::Full, self.watermark, caps);
        Ok(done)
    }

    fn tick(&mut self, caps: &[Capability<u64>]) -> Result<(), Error> {
        let Some(at) = self.op.next_tick() else { return Ok(()) };
        let now = self.local.now();
        if now >= at {
            // A turn of its own: frames may have used up theirs each time.
            self.turn_ends = now + TURN;
            self.run(caps, Place::default, |op, _, next| op.tick(now, next))?;
            self.live.ship(Ship::Urgent, self.watermark, caps);
        }
        if let Some(at) = self.op.next_tick() {
            self.alarm.set(at.max(now + Duration::from_millis(1)), now, &self.activator);
        }
        Ok(())
    }

    fn barrier(&mut self, caps: &mut [Capability<u64>]) -> Result<(), Error> {
        self.op.barrier(self.epoch);
        self.tell(Ship::All, caps);
        self.live.barrier(self.epoch, &self.local)?;
        self.local.passed(self.epoch);
        self.epoch += 1;
        for cap in caps {
            cap.downgrade(&of_epoch(self.epoch));
        }
        self.now.extend(self.later.remove(&self.epoch).into_iter().flatten());
        Ok(())
    }

    /// The tables are told where their entries go, as they are now; it is done between the frames to come.
    fn begin_save(&mut self) {
        if self.states.is_empty() {
            return;
        }
        let Running { local, below, states, op, epoch, chain, name, .. } = self;
        let head = op.head();
        let state = || saved_operator(name, states, head);
        let to = match (below, &local.saver) {
            (None, None) => return,
            (None, Some(saver)) => saver.save(*epoch, local.worker, *chain, state()),
            (Some(below), _) => match below.begin_save(local, *epoch, *chain, state, &mut |each| op.tables(each)) {
                Some(to) => to,
                None => return,
            },
        };
        // Changes from now on belong to the next epoch, and must be seen to.
        self.op.barrier(self.epoch);
        self.op.tables(&mut |state, namespace, table| table.begin_save(&to, state, namespace));
        self.saving = Some((self.epoch, to));
    }

    /// Sees to what lies below. Says whether there is more to do.
    fn settle_below(&mut self) -> Result<bool, Error> {
        let Running { local, below: Some(below), saving, op, name, .. } = self else { return Ok(false) };
        let settled = below.settle(local, saving.is_some(), &mut |each| op.tables(each));
        settled.map_err(|fault| Error::State { operator: (*name).to_owned(), fault })
    }

    /// Writes a little more into the snapshot under way. Says whether it can go on at once.
    fn save_some(&mut self) -> bool {
        let Some((epoch, to)) = &self.saving else { return true };
        if self.local.given_up(*epoch) {
            to.give_up();
            self.op.tables(&mut |_, _, table| table.give_up());
            if let Some(below) = &mut self.below {
                below.given_up();
            }
            self.saving = None;
            return true;
        }
        if to.is_behind() {
            return false;
        }
        let (mut all, mut budget) = (true, SAVE_BYTES);
        self.op.tables(&mut |_, _, table| all = all && table.save_some(&mut budget));
        if all {
            to.end();
            self.saving = None;
        }
        true
    }

    fn publish(&self) {
        self.cells.rows_in.set(self.rows);
        self.cells.emitted.set(self.emitted);
        self.cells.late.set(self.op.late_rows());
        publish(&self.cells, self.counters.values(), &self.live);
    }
}

/// The number of a record on its edge.
fn record(number: u64) -> Place {
    Place { record: Some(number), ..Place::default() }
}

/// When an operator that has more to say than there is time for pauses, and goes on when others have had their turn.
struct Turn<'x> {
    ends: Duration,
    local: &'x Local,
    activator: &'x Activator,
}

impl Turn<'_> {
    fn lasts(&self) -> bool {
        let lasts = self.local.now() < self.ends;
        if !lasts {
            self.activator.activate();
        }
        lasts
    }
}

/// What follows the operator: the rest of the chain.
struct Next<'x, N, L, F, D> {
    cx: &'x mut Cx,
    counters: &'x mut N,
    live: &'x mut L,
    main: &'x mut F,
    late: &'x mut D,
    caps: &'x [Capability<u64>],
    watermark: i64,
    emitted: u64,
    turn: Turn<'x>,
}

impl<Op, V, N, L, F, D> Follow<Op, V> for Next<'_, N, L, F, D>
where
    Op: Out,
    L: Live,
    F: for<'a> FnMut(Op::Row<'a>, i64, &mut Cx, &mut N, &mut L),
    D: FnMut(V, i64, &mut Cx, &mut N, &mut L),
{
    #[inline(always)]
    fn main(&mut self, row: Op::Row<'_>, time: i64) {
        self.emitted += 1;
        (self.main)(row, time, self.cx, self.counters, self.live);
        // The operator itself runs again.
        self.cx.operator = 0;
    }
    fn late(&mut self, row: V, time: i64) {
        (self.late)(row, time, self.cx, self.counters, self.live);
        self.cx.operator = 0;
    }
    #[inline(always)]
    fn judged_by(&mut self, watermark: i64) {
        self.cx.before = self.cx.before.max(watermark);
    }
    fn room(&mut self) -> bool {
        self.live.touch(self.cx);
        self.live.ship(Ship::Full, self.watermark, self.caps);
        self.live.open() && self.turn.lasts()
    }
}
