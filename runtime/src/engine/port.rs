//! What a chain's body writes into: ends of edges and sinks, as a list of pairs `(a, (b, (c, ())))`.
//!
//! Before the chain is built a member is a handle ([`Outs`]); while it runs it is a port ([`Live`]).

use super::control::ToCoordinator;
use super::local::Local;
use super::pact::ReturnSlot;
use crate::error::{Error, Fault};
use crate::frame::writer::{Combine, Cx, KeyView, Ship, Slot, Writer};
use crate::frame::{Frame, Time};
use crate::key::{Key, KeyLike};
use crate::metrics::ChainCells;
use crate::plan::Operator;
use crate::record::Record;
use crate::sink::{self, Accepts, Sink, SinkContext};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use timely::dataflow::Stream;
use timely::dataflow::channels::pushers::Output;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

/// Outputs of a chain that is not built yet.
pub trait Outs<'g>: 'g {
    /// What the body gets.
    type Live: Live;
    /// Opens them, as outputs of a timely operator.
    ///
    /// # Errors
    /// If a sink cannot be opened; its name is in the error.
    fn open(self, chain: usize, builder: &mut OperatorBuilder<'g, u64>, local: &Rc<Local>)
    -> Result<Self::Live, Error>;
    /// Notes them in the plan as outputs of a chain.
    fn note(&self, chain: &mut Listing);
}

/// The input of operators and sinks that take a window's late rows.
pub const LATE: usize = usize::MAX;

/// How soon to ask a sink again that had no room.
pub const ASK_SINKS: Duration = Duration::from_millis(2);

/// A chain as the plan will show it, while its outputs add to it.
pub struct Listing {
    /// Its operators so far.
    pub operators: Vec<Operator>,
    /// The edges that it writes to, by number.
    pub edges: Vec<usize>,
    /// Its counters so far.
    pub counters: usize,
    /// The first operator of the part that is being noted.
    pub base: usize,
}

impl Listing {
    /// The operator of the chain that is this one of the part at hand.
    pub fn operator(&self, input: usize) -> usize {
        if input == LATE { LATE } else { self.base + input }
    }
}

/// Outputs of a chain that runs.
pub trait Live: 'static {
    /// Whether rows end in a sink among them, on whatever way within the chain.
    #[inline(always)]
    fn sinks() -> bool
    where
        Self: Sized,
    {
        false
    }
    /// Whether it is a part that begins with a filter on a straight way.
    #[inline(always)]
    fn filters() -> bool
    where
        Self: Sized,
    {
        false
    }

    /// Rows and partial results written so far: sent, waiting, or combined.
    fn written(&self) -> u64 {
        0
    }
    /// Takes note of what came back, and says whether there is room for more.
    fn open(&mut self) -> bool;
    /// Whether it is a sink that has no room: nobody says when it has some again.
    fn must_be_asked(&mut self) -> bool {
        false
    }
    /// Sends what must go.
    fn ship(&mut self, what: Ship, watermark: i64, caps: &[Capability<u64>]);
    /// Whether something waits to be sent or shown.
    fn waiting(&self) -> usize {
        self.rows_waiting()
    }
    /// Rows that wait in frames.
    fn rows_waiting(&self) -> usize {
        0
    }
    /// Rows and partial results sent so far.
    fn sent(&self) -> u64 {
        0
    }
    /// A barrier: sinks make their rows durable. What waits in frames has been shipped before.
    ///
    /// # Errors
    /// If a sink fails.
    fn barrier(&mut self, epoch: u64, local: &Local) -> Result<(), Error>;
    /// The first error of a sink since the last look.
    ///
    /// # Errors
    /// That error.
    fn check(&mut self) -> Result<(), Error>;
    /// Rows may have been written. What this runs may be code of users: at a panic `cx` says whose.
    fn touch(&mut self, _: &mut Cx) {}
    /// What the parts of flows have counted, in the order in which they were noted.
    fn counted(&self, _: &mut dyn FnMut(u64)) {}
}

/// Publishes what a chain has counted, in its own body and in the parts that flows have in it.
pub fn publish(cells: &ChainCells, own: &[u64], live: &impl Live) {
    let mut next = cells.counted.iter();
    let mut set = |count| {
        if let Some(cell) = next.next() {
            cell.set(count);
        }
    };
    own.iter().for_each(|count| set(*count));
    live.counted(&mut set);
}

/// The methods of [`Live`] that a field has, as one's own.
macro_rules! live_through {
    ($field:tt) => {
        #[inline(always)]
        fn open(&mut self) -> bool {
            self.$field.open()
        }
        fn written(&self) -> u64 {
            self.$field.written()
        }
        fn must_be_asked(&mut self) -> bool {
            self.$field.must_be_asked()
        }
        fn ship(&mut self, what: Ship, watermark: i64, caps: &[Capability<u64>]) {
            self.$field.ship(what, watermark, caps);
        }
        fn waiting(&self) -> usize {
            self.$field.waiting()
        }
        fn rows_waiting(&self) -> usize {
            self.$field.rows_waiting()
        }
        fn sent(&self) -> u64 {
            self.$field.sent()
        }
        fn barrier(&mut self, epoch: u64, local: &Local) -> Result<(), Error> {
            self.$field.barrier(epoch, local)
        }
        fn check(&mut self) -> Result<(), Error> {
            self.$field.check()
        }
        fn touch(&mut self, cx: &mut Cx) {
            self.$field.touch(cx);
        }
    };
}
pub(super) use live_through;

/// Taken out while the chain's loop owns it.
impl<L: Live> Live for Option<L> {
    #[inline(always)]
    fn sinks() -> bool {
        L::sinks()
    }
    #[inline(always)]
    fn filters() -> bool {
        L::filters()
    }
    fn written(&self) -> u64 {
        self.as_ref().map_or(0, Live::written)
    }
    fn open(&mut self) -> bool {
        self.as_mut().is_none_or(Live::open)
    }
    fn must_be_asked(&mut self) -> bool {
        self.as_mut().is_some_and(Live::must_be_asked)
    }
    fn ship(&mut self, what: Ship, watermark: i64, caps: &[Capability<u64>]) {
        if let Some(live) = self {
            live.ship(what, watermark, caps);
        }
    }
    fn waiting(&self) -> usize {
        self.as_ref().map_or(0, Live::waiting)
    }
    fn rows_waiting(&self) -> usize {
        self.as_ref().map_or(0, Live::rows_waiting)
    }
    fn sent(&self) -> u64 {
        self.as_ref().map_or(0, Live::sent)
    }
    fn barrier(&mut self, epoch: u64, local: &Local) -> Result<(), Error> {
        self.as_mut().map_or(Ok(()), |live| live.barrier(epoch, local))
    }
    fn check(&mut self) -> Result<(), Error> {
        self.as_mut().map_or(Ok(()), Live::check)
    }
    fn touch(&mut self, cx: &mut Cx) {
        if let Some(live) = self {
            live.touch(cx);
        }
    }
    fn counted(&self, each: &mut dyn FnMut(u64)) {
        if let Some(live) = self {
            live.counted(each);
        }
    }
}

impl<'g> Outs<'g> for () {
    type Live = ();
    fn open(self, _: usize, _: &mut OperatorBuilder<'g, u64>, _: &Rc<Local>) -> Result<(), Error> {
        Ok(())
    }
    fn note(&self, _: &mut Listing) {}
}
impl Live for () {
    #[inline(always)]
    fn open(&mut self) -> bool {
        true
    }
    fn ship(&mut self, _: Ship, _: i64, _: &[Capability<u64>]) {}
    fn barrier(&mut self, _: u64, _: &Local) -> Result<(), Error> {
        Ok(())
    }
    fn check(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
impl<'g, A: Outs<'g>, B: Outs<'g>> Outs<'g> for (A, B) {
    type Live = (A::Live, B::Live);
    fn open(
        self,
        chain: usize,
        builder: &mut OperatorBuilder<'g, u64>,
        local: &Rc<Local>,
    ) -> Result<Self::Live, Error> {
        let first = self.0.open(chain, builder, local)?;
        Ok((first, self.1.open(chain, builder, local)?))
    }
    fn note(&self, chain: &mut Listing) {
        self.0.note(chain);
        self.1.note(chain);
    }
}
impl<A: Live, B: Live> Live for (A, B) {
    #[inline(always)]
    fn sinks() -> bool {
        A::sinks() || B::sinks()
    }
    #[inline(always)]
    fn filters() -> bool {
        A::filters() || B::filters()
    }
    fn written(&self) -> u64 {
        self.0.written() + self.1.written()
    }
    fn open(&mut self) -> bool {
        // Both look at what came back, even if the first one is closed.
        self.0.open() & self.1.open()
    }
    fn must_be_asked(&mut self) -> bool {
        self.0.must_be_asked() || self.1.must_be_asked()
    }
    fn ship(&mut self, what: Ship, watermark: i64, caps: &[Capability<u64>]) {
        self.0.ship(what, watermark, caps);
        self.1.ship(what, watermark, caps);
    }
    fn waiting(&self) -> usize {
        self.0.waiting() + self.1.waiting()
    }
    fn rows_waiting(&self) -> usize {
        self.0.rows_waiting() + self.1.rows_waiting()
    }
    fn sent(&self) -> u64 {
        self.0.sent() + self.1.sent()
    }
    fn barrier(&mut self, epoch: u64, local: &Local) -> Result<(), Error> {
        self.0.barrier(epoch, local)?;
        self.1.barrier(epoch, local)
    }
    fn check(&mut self) -> Result<(), Error> {
        self.0.check()?;
        self.1.check()
    }
    fn touch(&mut self, cx: &mut Cx) {
        self.0.touch(cx);
        self.1.touch(cx);
    }
    fn counted(&self, each: &mut dyn FnMut(u64)) {
        self.0.counted(each);
        self.1.counted(each);
    }
}

/// One producer of an edge, as its consumer needs it.
pub struct Feed<'g, K: Key, V: Record, T: Time, A: Record> {
    /// The frames.
    pub stream: Stream<'g, u64, Frame<K, V, T, A>>,
    /// The producer's address.
    pub upstream: Rc<[usize]>,
    /// Where the producer finds what comes back.
    pub slot: ReturnSlot<K, V, T, A>,
    /// Set by the consumer if it speaks by the clock: what is combined in front of it must not wait for a barrier.
    pub soon: Rc<std::cell::Cell<bool>>,
}

/// The producers of an edge that are built already.
pub type Feeds<'g, K, V, T, A> = Rc<RefCell<Vec<Feed<'g, K, V, T, A>>>>;

/// The sending end of an edge, before its chain is built.
pub struct EdgeOut<'g, K: Key, V: Record, T: Time, C: Combine<K, V>> {
    pub(super) edge: usize,
    pub(super) feeds: Feeds<'g, K, V, T, C::Acc>,
    pub(super) writer: Writer<K, V, T, C>,
    pub(super) again: Rc<dyn Fn() -> Writer<K, V, T, C>>,
}

impl<K: Key, V: Record, T: Time, C: Combine<K, V>> EdgeOut<'_, K, V, T, C> {
    /// Another producer of the same edge.
    pub fn again(&self) -> Self {
        EdgeOut { edge: self.edge, feeds: self.feeds.clone(), writer: (self.again)(), again: self.again.clone() }
    }
}

impl<'g, K: Key, V: Record, T: Time, C: Combine<K, V>> Outs<'g> for EdgeOut<'g, K, V, T, C> {
    type Live = EdgePort<K, V, T, C>;
    fn open(self, _: usize, builder: &mut OperatorBuilder<'g, u64>, _: &Rc<Local>) -> Result<Self::Live, Error> {
        let index = builder.shape().outputs();
        let (output, stream) = builder.new_output();
        let slot = ReturnSlot::default();
        let upstream = builder.operator_info().address;
        let soon = Rc::<std::cell::Cell<bool>>::default();
        self.feeds.borrow_mut().push(Feed { stream, upstream, slot: slot.clone(), soon: soon.clone() });
        Ok(EdgePort { writer: self.writer, output, index, slot, soon })
    }
    fn note(&self, chain: &mut Listing) {
        chain.edges.push(self.edge);
    }
}

/// The sending end of an edge, while its chain runs.
pub struct EdgePort<K: Key, V: Record, T: Time, C: Combine<K, V>> {
    writer: Writer<K, V, T, C>,
    output: Output<u64, Frame<K, V, T, C::Acc>>,
    index: usize,
    slot: ReturnSlot<K, V, T, C::Acc>,
    soon: Rc<std::cell::Cell<bool>>,
}

impl<K: Key, V: Record, T: Time, C: Combine<K, V>> EdgePort<K, V, T, C> {
    /// Writes a row whose value is apart from its key.
    #[inline(always)]
    pub fn row<Q: KeyLike<Owned = K>>(&mut self, key: Q, value: V, time: i64, cx: &mut Cx) {
        self.writer.row(key.view(), value, time, cx)
    }
    /// First step of writing a row: its key and event time.
    #[inline(always)]
    pub fn key<Q: KeyLike<Owned = K>>(&mut self, key: Q, time: i64, cx: &mut Cx) -> Slot {
        self.writer.key(key.view(), time, cx)
    }
    /// The same as [`row`](EdgePort::row) of a row that has come into a flow with its key.
    #[inline(always)]
    pub fn viewed_row(&mut self, key: KeyView<'_, K>, value: V, time: i64, cx: &mut Cx) {
        self.writer.row(key.0, value, time, cx)
    }
    /// The same as [`key`](EdgePort::key) of such a row.
    #[inline(always)]
    pub fn viewed_key(&mut self, key: KeyView<'_, K>, time: i64, cx: &mut Cx) -> Slot {
        self.writer.key(key.0, time, cx)
    }
    /// Second step: its value.
    #[inline(always)]
    pub fn value(&mut self, at: Slot, value: V, cx: &Cx) {
        self.writer.value(at, value, cx)
    }
}

impl<V: Record, T: Time, C: Combine<(), V>> EdgePort<(), V, T, C> {
    /// How many workers there are.
    #[inline(always)]
    pub fn workers(&self) -> usize {
        self.writer.workers()
    }
    /// Writes a row for this worker, counted on from the first again if there are fewer.
    #[inline(always)]
    pub fn to(&mut self, worker: usize, value: V, time: i64, cx: &Cx) {
        self.writer.to(worker, value, time, cx)
    }
    /// Writes rows for each worker in turn.
    #[inline(always)]
    pub fn in_turn(&mut self, value: V, time: i64, cx: &Cx) {
        self.writer.in_turn(value, time, cx)
    }
    /// Writes a row for any worker.
    #[inline(always)]
    pub fn by_chance(&mut self, value: V, time: i64, cx: &Cx) {
        self.writer.by_chance(value, time, cx)
    }
}

impl<K: Key, V: Record, T: Time, C: Combine<K, V>> Live for EdgePort<K, V, T, C> {
    fn written(&self) -> u64 {
        self.writer.written()
    }
    fn open(&mut self) -> bool {
        if let Some(came_back) = &mut *self.slot.borrow_mut() {
            while let Some(back) = came_back.pull().take() {
                self.writer.credit(back.target as usize, u64::from(back.bytes), back.emptied);
            }
        }
        self.writer.open()
    }
    fn ship(&mut self, what: Ship, watermark: i64, caps: &[Capability<u64>]) {
        self.writer.set_soon(self.soon.get());
        self.writer.ship(what, watermark);
        let Some(cap) = caps.get(self.index) else { return };
        if let Some(mut frame) = self.writer.take_ready() {
            let mut session = self.output.activate();
            session.give(cap, &mut frame);
            while let Some(mut frame) = self.writer.take_ready() {
                session.give(cap, &mut frame);
            }
        }
    }
    fn rows_waiting(&self) -> usize {
        self.writer.waiting()
    }
    fn sent(&self) -> u64 {
        self.writer.sent()
    }
    fn touch(&mut self, cx: &mut Cx) {
        self.writer.settle(cx);
    }
    fn barrier(&mut self, _: u64, _: &Local) -> Result<(), Error> {
        Ok(())
    }
    fn check(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// A sink, before its chain is built. Several chains may write into one.
pub struct SinkOut<S> {
    pub(super) sink: usize,
    pub(super) name: &'static str,
    pub(super) connector: Rc<RefCell<S>>,
    pub(super) part: Rc<std::cell::Cell<usize>>,
    pub(super) input: usize,
}

impl<S> SinkOut<S> {
    /// Another writer of the same sink.
    pub fn again(&self) -> Self {
        let SinkOut { sink, name, connector, part, input } = self;
        SinkOut { sink: *sink, name, connector: connector.clone(), part: part.clone(), input: *input }
    }

    /// It takes the rows of this operator of its chain.
    pub fn after(self, input: usize) -> Self {
        SinkOut { input, ..self }
    }
}

impl<'g, S: Sink> Outs<'g> for SinkOut<S> {
    type Live = SinkPort<S::Writer>;
    fn open(self, _: usize, _: &mut OperatorBuilder<'g, u64>, local: &Rc<Local>) -> Result<Self::Live, Error> {
        let failed = |fault| Error::Sink { name: self.name.to_owned(), fault };
        let part = self.part.replace(self.part.get() + 1);
        let context = SinkContext {
            name: self.name.to_owned(),
            worker: local.worker,
            workers: local.workers,
            part,
            attempt: local.attempt,
            resumable: local.saver.is_some(),
            log: local.saver.as_ref().and_then(|saver| saver.log()),
            published: local.resume.published(),
        };
        let mut connector = self.connector.borrow_mut();
        if local.worker == 0 && part == 0 {
            let committer = connector.committer(&context, local.resume.sink(self.name)).map_err(failed)?;
            local.tell(ToCoordinator::Sink { sink: self.sink, name: self.name, committer });
        }
        let writer = connector.writer(&context).map_err(failed)?;
        Ok(SinkPort { writer, sink: self.sink, part, name: self.name, touched: false, failed: None })
    }
    fn note(&self, chain: &mut Listing) {
        chain.operators.push(Operator {
            what: self.connector.borrow().describe(),
            name: self.name.to_owned(),
            arrival_ordered: false,
            stateful: false,
            sink: true,
            input: chain.operator(self.input),
            counted: None,
        });
    }
}

/// A sink, while its chain runs.
pub struct SinkPort<W> {
    writer: W,
    sink: usize,
    part: usize,
    name: &'static str,
    /// Rows may have been written since the last flush.
    touched: bool,
    failed: Option<Fault>,
}

impl<W> SinkPort<W> {
    /// Writes a row. An error ends the run when the chain has done its chunk.
    #[inline(always)]
    pub fn write<X>(&mut self, row: X, _: &Cx)
    where
        W: Accepts<X>,
    {
        if let Err(fault) = self.writer.write(row) {
            self.fail(fault);
        }
    }
    #[cold]
    #[inline(never)]
    fn fail(&mut self, fault: Fault) {
        self.failed.get_or_insert(fault);
    }
}

impl<W: sink::Writer> Live for SinkPort<W> {
    #[inline(always)]
    fn sinks() -> bool {
        true
    }

    fn open(&mut self) -> bool {
        self.writer.has_room()
    }
    fn must_be_asked(&mut self) -> bool {
        !self.writer.has_room()
    }
    fn ship(&mut self, what: Ship, _: i64, _: &[Capability<u64>]) {
        if matches!(what, Ship::Urgent | Ship::Aged) && self.touched {
            self.touched = false;
            if let Err(fault) = self.writer.flush() {
                self.fail(fault);
            }
        }
    }
    fn waiting(&self) -> usize {
        usize::from(self.touched)
    }
    fn barrier(&mut self, epoch: u64, local: &Local) -> Result<(), Error> {
        self.check()?;
        match self.writer.prepare(epoch) {
            Ok(None) => Ok(()),
            Ok(Some(prepared)) => {
                local.prepared((self.sink, self.part), epoch, prepared);
                Ok(())
            }
            Err(fault) => Err(Error::Sink { name: self.name.to_owned(), fault }),
        }
    }
    fn check(&mut self) -> Result<(), Error> {
        match self.failed.take() {
            None => Ok(()),
            Some(fault) => Err(Error::Sink { name: self.name.to_owned(), fault }),
        }
    }
    fn touch(&mut self, _: &mut Cx) {
        self.touched = true;
    }
}
