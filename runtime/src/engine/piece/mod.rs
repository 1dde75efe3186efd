//! A chain that is written in several places: what follows a flow is the caller's, what stands in it is the flow's, and all of it
//! runs as one loop.
//!
//! A *piece* is a part of a chain with what it counts and where it writes, as a value: [`Next`] is what follows an output of a flow,
//! [`Piece`] any. It stands among the outputs of the chain in front of it, whose body calls [`enter`](PiecePort::enter). A [`Link`] is
//! the place of a piece that is not known yet: the body in front of a flow is checked first, so that the flow's types are found there.

mod apart;
mod asked;
mod depth;
mod keyed;
mod outputs;
mod part;
mod when;

pub use asked::{Asked, Asks, At, Brings, IsFlow, NoFlow, Used, used};
pub use depth::{Deep, Depth, Fuses, Nested, Plain, ThenMore, ThenNone, ThenOne};
pub use keyed::{ByKey, EnterKeyed, EnteredKeyed, Keyed, KeyedLink, entry_keyed, keyed_link};
pub use outputs::{Here, Open, Output, Place, Taken, There, followed};
pub use when::{BothTimed, EitherTimed, EventTimed, When};

use super::graph::Graph;
use super::local::Local;
use super::meta::OperatorMeta;
use super::port::{LATE, Listing, Live, Outs, live_through};
use super::source::Counters;
use crate::error::{Error, Fault};
use crate::frame::writer::{Cx, Ship};
use crate::names;
use crate::plan::Operator;
use crate::source::RowType;
use depth::Front;
use part::{Part, Parted, Shape, Whole};
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

/// A stream as an argument of a flow: its type alone. `R` are its rows, `M` is whether they have event time, `Y` is whether the flow
/// takes them with a key.
pub struct Stream<R, M, Y = Unkeyed>(PhantomData<fn() -> (R, M, Y)>);

/// The flow takes rows without a key.
pub struct Unkeyed(());

/// What follows an output of a flow, as it is written. A literal of it gives the types to the closure, which is checked last.
pub struct Next<'g, R, M, N, O, F>
where
    R: RowType,
    M: When,
    N: Counters,
    O: Outs<'g>,
    F: for<'a> FnMut(<R as RowType>::Row<'a>, i64, &mut Cx, &mut N, &mut <O as Outs<'g>>::Live) + 'static,
{
    /// Its operators; the first is the output itself.
    pub operators: &'static [OperatorMeta],
    /// In front of their names.
    pub within: Rc<str>,
    /// Whether it needs event time.
    pub time: PhantomData<M>,
    /// What it counts.
    pub counters: N,
    /// Where it writes.
    pub outs: O,
    /// What it does with a row.
    pub then: F,
    /// The rows.
    pub row: PhantomData<fn() -> (R, &'g ())>,
}

/// The same for the flow: `L` is all that the flow knows of it.
pub struct Behind<'g, R, M, L>(Piece<'g, R, L>, PhantomData<M>);

impl<'g, R, M, L> Behind<'g, R, M, L> {
    /// As an output of a chain, behind this operator of it.
    pub fn after(self, input: usize) -> Piece<'g, R, L> {
        Piece { input, ..self.0 }
    }
}

/// A part of a chain. What it consists of until it is open is known to itself alone, so that its type is that of the part that runs, and
/// has no lifetime in it: the type of a chain of flows has each of them in it, and rustc looks at it as often as it likes.
pub struct Piece<'g, R, L> {
    parts: Box<dyn Parts<'g, Live = L> + 'g>,
    /// The operator in front of it whose rows it takes.
    input: usize,
    row: PhantomData<fn() -> R>,
}

/// What a piece consists of.
struct Closed<R, N, O, P> {
    operators: &'static [OperatorMeta],
    within: Rc<str>,
    counters: N,
    outs: O,
    part: P,
    /// Its first operator among those of the chain.
    first: Cell<usize>,
    row: PhantomData<fn() -> R>,
}

/// A [`Closed`] of whatever types.
trait Parts<'g> {
    type Live;
    fn open(
        self: Box<Self>,
        chain: usize,
        builder: &mut OperatorBuilder<'g, u64>,
        local: &Rc<Local>,
    ) -> Result<Self::Live, Error>;
    fn note(&self, chain: &mut Listing, input: usize);
}

/// The part of a chain that a flow has from one of its inputs on.
pub fn entry<'g, R, N, O, F>(
    g: &Graph<'g>,
    operators: &'static [OperatorMeta],
    counters: N,
    outs: O,
    then: F,
) -> Piece<'g, R, PiecePort<R, N, O::Live, Whole<F>>>
where
    R: RowType,
    N: Counters,
    O: Outs<'g>,
    F: for<'a> FnMut(R::Row<'a>, i64, &mut Cx, &mut N, &mut O::Live) + 'static, // a param: write `name.clone()`
{
    begin(g, operators, counters, outs, Whole(then))
}

/// The same, cut behind its first filter: `front` is what stands before it, with its answer; `rest` is what stands behind it.
pub fn entry_filtered<'g, R, N, O, X, P, F>(
    g: &Graph<'g>,
    operators: &'static [OperatorMeta],
    counters: N,
    outs: O,
    front: P,
    rest: F,
) -> Piece<'g, R, PiecePort<R, N, O::Live, Parted<true, P, F>>>
where
    R: RowType,
    N: Counters,
    O: Outs<'g>,
    P: for<'a> FnMut(R::Row<'a>, i64, &mut Cx, &mut N, &mut O::Live) -> (bool, X) + 'static,
    F: FnMut(X, i64, &mut Cx, &mut N, &mut O::Live) + 'static,
{
    begin(g, operators, counters, outs, Parted(front, rest))
}

/// The same of a part that leads straight into another one, whose filter is the first.
pub fn entry_through<'g, R, N, O, X, P, F>(
    g: &Graph<'g>,
    operators: &'static [OperatorMeta],
    counters: N,
    outs: O,
    front: P,
    rest: F,
) -> Piece<'g, R, PiecePort<R, N, O::Live, Parted<false, P, F>>>
where
    R: RowType,
    N: Counters,
    O: Outs<'g>,
    P: for<'a> FnMut(R::Row<'a>, i64, &mut Cx, &mut N, &mut O::Live) -> (bool, X) + 'static,
    F: FnMut(X, i64, &mut Cx, &mut N, &mut O::Live) + 'static,
{
    begin(g, operators, counters, outs, Parted(front, rest))
}

fn begin<'g, R, N, O, P>(
    g: &Graph<'g>,
    operators: &'static [OperatorMeta],
    counters: N,
    outs: O,
    part: P,
) -> Piece<'g, R, PiecePort<R, N, O::Live, P>>
where
    R: RowType,
    N: Counters,
    O: Outs<'g>,
    P: 'static,
{
    closed(operators, g.here(), counters, outs, part)
}

fn closed<'g, R, N, O, P>(
    operators: &'static [OperatorMeta],
    within: Rc<str>,
    counters: N,
    outs: O,
    part: P,
) -> Piece<'g, R, PiecePort<R, N, O::Live, P>>
where
    R: RowType,
    N: Counters,
    O: Outs<'g>,
    P: 'static,
{
    let parts = Closed { operators, within, counters, outs, part, first: Cell::new(0), row: PhantomData::<fn() -> R> };
    Piece { parts: Box::new(parts), input: 0, row: PhantomData }
}

/// The rows of a piece that a [`Link`] can be bound to.
#[diagnostic::on_unimplemented(
    message = "this flow takes a keyed stream, and this one has no key",
    label = "a stream without a key",
    note = "give it a stream that ends in `key_by`: `let keyed = rows.key_by(|r| ..);`"
)]
pub trait Enter<R: RowType>: Sized {
    /// The piece itself; an error type where the flow takes a keyed stream, so that one mistake is one message.
    type Fits<'g, L>;
    /// Gives it back.
    fn fits<'g, L>(piece: Piece<'g, Self, L>) -> Self::Fits<'g, L>;
}
#[diagnostic::do_not_recommend]
impl<R: RowType> Enter<R> for R {
    type Fits<'g, L> = Piece<'g, R, L>;
    fn fits<'g, L>(piece: Piece<'g, R, L>) -> Piece<'g, R, L> {
        piece
    }
}

impl<'g, R: RowType, L: Entered<R>> Outs<'g> for Piece<'g, R, L> {
    type Live = Entry<R, L>;
    fn open(
        self,
        chain: usize,
        builder: &mut OperatorBuilder<'g, u64>,
        local: &Rc<Local>,
    ) -> Result<Self::Live, Error> {
        Ok(Entry(self.parts.open(chain, builder, local)?, PhantomData))
    }
    fn note(&self, chain: &mut Listing) {
        self.parts.note(chain, self.input);
    }
}

impl<'g, R, N, O, P> Parts<'g> for Closed<R, N, O, P>
where
    N: Counters,
    O: Outs<'g>,
{
    type Live = PiecePort<R, N, O::Live, P>;
    fn open(
        self: Box<Self>,
        chain: usize,
        builder: &mut OperatorBuilder<'g, u64>,
        local: &Rc<Local>,
    ) -> Result<Self::Live, Error> {
        let Closed { counters, outs, part, first, .. } = *self;
        let live = outs.open(chain, builder, local)?;
        Ok(PiecePort { first: first.get() as u32, counters, live, part, row: PhantomData })
    }
    fn note(&self, chain: &mut Listing, input: usize) {
        let first = chain.operators.len();
        self.first.set(first);
        chain.part(&self.within, self.operators, &self.counters, chain.operator(input));
        let outer = std::mem::replace(&mut chain.base, first);
        self.outs.note(chain);
        chain.base = outer;
    }
}

impl Listing {
    /// Adds the operators of a part, whose first takes the rows of `input`, and its counters.
    pub(super) fn part(
        &mut self,
        place: &str,
        operators: &'static [OperatorMeta],
        counters: &impl Counters,
        input: usize,
    ) {
        let first = self.operators.len();
        let before = self.counters;
        self.counters += counters.values().len();
        self.operators.extend(operators.iter().enumerate().map(|(n, o)| Operator {
            what: o.what.to_owned(),
            name: names::within(place, o.name).to_owned(),
            arrival_ordered: o.arrival_ordered,
            stateful: o.stateful,
            sink: false,
            input: match o.input {
                _ if n == 0 => input,
                LATE => LATE,
                own => first + own,
            },
            counted: o.counted.map(|counter| before + counter),
        }));
    }
}

/// A part of a chain, while that runs.
pub struct PiecePort<R, N, L, P> {
    first: u32,
    counters: N,
    live: L,
    part: P,
    row: PhantomData<fn() -> R>,
}

/// A part that takes rows, of whatever type.
pub trait Entering<R: RowType>: Live {
    /// Takes a row, with its event time.
    fn enter(&mut self, row: R::Row<'_>, time: i64, cx: &mut Cx);
}

/// A part whose type is known.
pub trait Entered<R: RowType>: Entering<R> {
    /// What is left of a row that has passed the filter which the part begins with, if it does.
    type Passed<'a>;
    /// Takes a row up to that filter, and says its answer.
    fn test<'a>(&mut self, row: R::Row<'a>, time: i64, cx: &mut Cx) -> (bool, Self::Passed<'a>);
    /// Takes it on from there.
    fn pass(&mut self, row: Self::Passed<'_>, time: i64, cx: &mut Cx);
}
impl<R, N, L, P> Entering<R> for PiecePort<R, N, L, P>
where
    R: RowType,
    N: Counters,
    L: Live,
    P: Part<R, N, L>,
{
    #[inline(always)]
    fn enter(&mut self, row: R::Row<'_>, time: i64, cx: &mut Cx) {
        let before = std::mem::replace(&mut cx.base, self.first);
        let (keep, row) = self.part.test(row, time, cx, &mut self.counters, &mut self.live);
        if keep {
            self.part.pass(row, time, cx, &mut self.counters, &mut self.live);
        }
        cx.base = before;
    }
}
impl<R, N, L, P> Entered<R> for PiecePort<R, N, L, P>
where
    R: RowType,
    N: Counters,
    L: Live,
    P: Part<R, N, L>,
{
    type Passed<'a> = P::Passed<'a>;

    #[inline(always)]
    fn test<'a>(&mut self, row: R::Row<'a>, time: i64, cx: &mut Cx) -> (bool, P::Passed<'a>) {
        let before = std::mem::replace(&mut cx.base, self.first);
        let answer = self.part.test(row, time, cx, &mut self.counters, &mut self.live);
        cx.base = before;
        answer
    }

    #[inline(always)]
    fn pass(&mut self, row: P::Passed<'_>, time: i64, cx: &mut Cx) {
        let before = std::mem::replace(&mut cx.base, self.first);
        self.part.pass(row, time, cx, &mut self.counters, &mut self.live);
        cx.base = before;
    }
}

impl<R: RowType, N: Counters, L: Live, P: Shape<L>> Live for PiecePort<R, N, L, P> {
    #[inline(always)]
    fn sinks() -> bool {
        L::sinks()
    }
    #[inline(always)]
    fn filters() -> bool {
        P::filters()
    }
    live_through!(live);
    fn counted(&self, each: &mut dyn FnMut(u64)) {
        self.counters.values().iter().for_each(|count| each(*count));
        self.live.counted(each);
    }
}

/// The place of a piece that is not known yet.
pub struct Link<'g, R, L>(Rc<RefCell<Option<Piece<'g, R, L>>>>);

/// A place for the part of a flow behind one of its inputs.
pub fn link<'g, R, L>() -> Link<'g, R, L> {
    Link(Rc::default())
}

impl<'g, R, L> Link<'g, R, L> {
    /// As an argument of the flow. Whether that takes it with a key is asked behind the call: [`fits`](Link::fits).
    pub fn stream<M, Y>(&self) -> Stream<R, M, Y> {
        Stream(PhantomData)
    }
    /// Whether the flow takes rows.
    pub fn fits<Q: Enter<R>, X>(&self, piece: Piece<'g, Q, X>) -> Q::Fits<'g, X>
    where
        R: RowType,
    {
        Q::fits(piece)
    }
    /// As an output of the chain in front, behind this operator of it.
    pub fn after(&self, input: usize) -> Linked<'g, R, L> {
        Linked { place: self.0.clone(), input }
    }
    /// Puts the part there that the flow has given, whose depth is `D`.
    pub fn bind<X: Entered<R>, D: Depth + Fuses<Front, Live<R, X> = L>>(self, piece: Piece<'g, R, X>, _: PhantomData<D>)
    where
        R: RowType,
    {
        *self.0.borrow_mut() = Some(D::put(piece));
    }
}

/// The same as an output.
pub struct Linked<'g, R, L> {
    place: Rc<RefCell<Option<Piece<'g, R, L>>>>,
    input: usize,
}

impl<'g, R: RowType, L: Entered<R>> Outs<'g> for Linked<'g, R, L> {
    type Live = Entry<R, L>;
    fn open(
        self,
        chain: usize,
        builder: &mut OperatorBuilder<'g, u64>,
        local: &Rc<Local>,
    ) -> Result<Self::Live, Error> {
        open(&self.place, chain, builder, local)
    }
    fn note(&self, chain: &mut Listing) {
        note(&self.place, chain, self.input);
    }
}

fn open<'g, R, L>(
    place: &RefCell<Option<Piece<'g, R, L>>>,
    chain: usize,
    builder: &mut OperatorBuilder<'g, u64>,
    local: &Rc<Local>,
) -> Result<Entry<R, L>, Error> {
    let Some(piece) = place.take() else {
        return Err(Error::Setup(Fault::new("a flow that nobody has built")));
    };
    Ok(Entry(piece.parts.open(chain, builder, local)?, PhantomData))
}

fn note<R, L>(place: &RefCell<Option<Piece<'_, R, L>>>, chain: &mut Listing, input: usize) {
    if let Some(piece) = &*place.borrow() {
        piece.parts.note(chain, input);
    }
}

/// The part of a flow behind one of its inputs, while it runs.
pub struct Entry<R, L>(L, PhantomData<fn() -> R>);

impl<R: RowType, L: Entered<R>> Entry<R, L> {
    /// Gives it a row, with its event time.
    #[inline(always)]
    #[rustfmt::skip] // rustc shows the line
    pub fn enter(&mut self, row: R::Row<'_>, time: i64, cx: &mut Cx) { // make what the flow takes with `.map(|r| ..)` in front
        self.0.enter(row, time, cx);
    }
    /// Gives it a row as far as to its first filter.
    #[inline(always)]
    pub fn test<'a>(&mut self, row: R::Row<'a>, time: i64, cx: &mut Cx) -> (bool, L::Passed<'a>) {
        self.0.test(row, time, cx)
    }
    /// Takes a row on from there.
    #[inline(always)]
    pub fn pass(&mut self, row: L::Passed<'_>, time: i64, cx: &mut Cx) {
        self.0.pass(row, time, cx);
    }
}

impl<R: 'static, L: Live> Live for Entry<R, L> {
    #[inline(always)]
    fn sinks() -> bool {
        L::sinks()
    }
    #[inline(always)]
    fn filters() -> bool {
        L::filters()
    }
    live_through!(0);
    fn counted(&self, each: &mut dyn FnMut(u64)) {
        self.0.counted(each);
    }
}
