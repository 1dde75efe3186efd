//! The timely operator of a chain that begins behind an edge: it lines frames up by epoch, applies them, moves the
//! watermark, and passes barriers on.
//!
//! Alignment: a frame of a later epoch than the one being worked on waits, and so does what it counts for; frames of the
//! current epoch can always be applied, so nothing waits for ever. The operator learns of a barrier from here alone.

mod frames;
mod next;
mod saves;
mod senders;

use super::graph::{EdgeIn, Graph, Noted, StoredOperator};
use super::local::Local;
use super::meta::ChainMeta;
use super::pace::{Alarm, Pace, TURN};
use super::pact::{Returns, Routed};
use super::port::{ASK_SINKS, Live, Outs, publish};
use super::source::Counters;
use super::time::{epoch, of_epoch};
use super::underneath::Underneath;
use crate::error::{Error, Fault, Place};
use crate::frame::writer::{Cx, Ship};
use crate::frame::{Frame, Rows, Time};
use crate::key::Key;
use crate::keyed::{Operator, Out};
use crate::metrics::{Cell, ChainCells};
use crate::names;
use crate::plan::Operator as Listed;
use crate::record::Record;
use crate::state::save::{SaveTo, StateMeta};
use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::scheduling::Activator;

use senders::Senders;

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
    F: for<'a> FnMut(<Op as Out>::Row<'a>, i64, &mut Cx, &mut N, &mut O::Live) + 'static, // a param: write `name.clone()`
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
        senders: Senders::new(returns.len(), local.workers, input.local.then_some(local.worker)),
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

struct Running<K: Key, V, T, A, Op, N, L, F, D> {
    operators: Rc<[Listed]>,
    name: &'static str,
    activator: Activator,
    cells: Arc<ChainCells>,
    senders: Senders,
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

    fn publish(&self) {
        self.cells.rows_in.set(self.rows);
        self.cells.emitted.set(self.emitted);
        self.cells.late.set(self.op.late_rows());
        publish(&self.cells, self.counters.values(), &self.live);
    }
}
