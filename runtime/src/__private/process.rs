//! What a `process` is emitted as: its states, outputs and timers, a pattern that its handlers are checked against, the
//! handlers, the operator.

use super::gates::{AggregatorOf, No, Nothing, Yes};
use super::{On, range};
use crate::aggregate::{Aggregator, Built, Over, Own};
use crate::engine::{EdgeIn, Graph, Local};
use crate::error::{Error, Fault};
use crate::frame::Time;
use crate::key::Key;
use crate::keyed::life::Lifetime;
use crate::process::alarms::{Alarms, Names, Timers};
use crate::process::cx::Cx;
use crate::process::handlers::{Handler, Handles, OnEnd, OnEvent, OnTimer, Outcome, Pattern};
use crate::process::operator::{Parts, Process};
use crate::process::outputs::{Buffer, Outputs};
use crate::process::state::{Keeps, Named, Proof, States};
use crate::process::waiting::{Waiting, Waits};
use crate::process::{AggregatingState, ListState, MapState, ReducingState, ValueState};
use crate::record::Record;
use crate::state::Backend;
use crate::state::ttl::{Age, Forever, Since};
use crate::time::{TimeSpan, Timestamp};
use std::marker::PhantomData;

pub use crate::process::alarms::By;
pub use crate::process::cx::{EventTime, ProcessingTime, Timer};
pub use crate::process::handlers::Failed;
pub use crate::process::outputs::{Either, Emitted, Never};
pub use crate::process::state::{Declared, Gone, GoneNames, Named as StateName};

/// What a handler with `?` gives back.
pub type Done = Result<(), Failed>;

/// How long a state lives: with its type, the age of what is kept.
pub struct Life<A> {
    ttl: i64,
    age: PhantomData<A>,
}

impl<A: Age> Life<A> {
    /// As an operator of this worker knows it.
    pub(super) fn of(&self, local: &Local) -> Lifetime<A> {
        Lifetime::new(self.ttl, local.clock.clone())
    }
}

/// `unbounded("why")`.
pub fn unbounded() -> Life<Forever> {
    Life { ttl: i64::MAX, age: PhantomData }
}

/// `ttl 24h`. A wrong one ends the attempt before it begins.
pub fn ttl(g: &mut Graph<'_>, span: TimeSpan) -> Life<Since> {
    if span <= TimeSpan::ZERO {
        let fault = Fault::new(format!("a ttl of {span}, which keeps nothing"));
        g.fail(Error::Setup(fault.help("give the param a duration above zero")));
    }
    // Times are in whole ms; what is told to live longer than that lives on to the next.
    Life { ttl: span.micros().max(1).saturating_add(999) / 1000, age: PhantomData }
}

/// What a state can hold.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in state",
    label = "not a `Record`",
    note = "write `#[derive(Record)]` on `{Self}`, or carry a foreign type as `Serde<{Self}>`",
    note = "what is kept outlives the row: own it (`String`, not `&str`)"
)]
pub trait CanKeep<Mark>: Sized {
    /// That it can.
    type Proof;
    /// Gives the proof.
    fn kept() -> PhantomData<(Self, Self::Proof)> {
        PhantomData
    }
}
#[diagnostic::do_not_recommend]
impl<T: Record> CanKeep<Yes> for T {
    type Proof = Proof;
}
#[diagnostic::do_not_recommend]
impl<T: Nothing> CanKeep<No> for T {
    type Proof = Proof;
}

/// What can be the key of a `Map`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a `Map`",
    label = "not a `Key` with an order",
    note = "a map is kept in the order of its keys: derive `Record`, `Key`, `Clone`, `PartialEq`, `Eq`, `PartialOrd` and `Ord` for `{Self}`"
)]
pub trait CanKeyMap<Mark>: Sized {
    /// That it can.
    type Proof;
    /// Gives the proof.
    fn kept_key() -> PhantomData<(Self, Self::Proof)> {
        PhantomData
    }
}
#[diagnostic::do_not_recommend]
impl<T: Key + Ord> CanKeyMap<Yes> for T {
    type Proof = Proof;
}
#[diagnostic::do_not_recommend]
impl<T: Nothing> CanKeyMap<No> for T {
    type Proof = Proof;
}

/// `state s: Value<T>`.
pub fn value_state<T, P, A: Age>(_: PhantomData<(T, P)>, life: Life<A>) -> ValueState<T, P, A> {
    ValueState::new(life.ttl)
}

/// `state s: List<T>`.
pub fn list_state<T, P, A: Age>(_: PhantomData<(T, P)>, life: Life<A>) -> ListState<T, P, A> {
    ListState::new(life.ttl)
}

/// `state s: Map<K, V>`.
pub fn map_state<K, V, P, Q, A: Age>(
    _: PhantomData<(K, P)>,
    _: PhantomData<(V, Q)>,
    life: Life<A>,
) -> MapState<K, V, (P, Q), A> {
    MapState::new(life.ttl)
}

/// `state s: Reducing<T> = |a, b| ..`.
pub fn reducing_state<T, P: Keeps<T>, A: Age, F: FnMut(P::Kept, P::Kept) -> P::Kept + 'static>(
    _: PhantomData<(T, P)>,
    life: Life<A>,
    how: F,
) -> ReducingState<T, P, A, F> {
    ReducingState::new(how, life.ttl)
}

/// `state s: Aggregating<T> = (count(), sum(|r| ..))`: the words, and what each needs of a row.
pub fn aggregating_state<T: 'static, A: Age, G, P, F>(
    _: PhantomData<T>,
    life: Life<A>,
    words: G,
    part: F,
) -> AggregatingState<T, A, Over<G, F>>
where
    G: Aggregator<P>,
    F: Fn(&G, &T, i64) -> P + 'static,
{
    AggregatingState::new(Over(words, part), life.ttl)
}

/// The same with results that are put into a struct.
pub fn aggregating_fields<T: 'static, A: Age, G, P, F, O, B>(
    _: PhantomData<T>,
    life: Life<A>,
    words: G,
    part: F,
    build: B,
) -> AggregatingState<T, A, Built<Over<G, F>, B>>
where
    G: Aggregator<P>,
    F: Fn(&G, &T, i64) -> P + 'static,
    B: Fn(G::Out) -> O + 'static,
{
    AggregatingState::new(Built(Over(words, part), build), life.ttl)
}

/// The same with one aggregator of the user's.
pub fn aggregating_own<T: 'static, A: Age, G: AggregatorOf<T, Mark>, Mark>(
    _: PhantomData<T>,
    life: Life<A>,
    how: Own<G, G::Proof>,
) -> AggregatingState<T, A, Own<G, G::Proof>>
where
    Own<G, G::Proof>: Aggregator<T>,
{
    AggregatingState::new(how, life.ttl)
}

/// The type of what an `Aggregating` takes, which it does not keep.
pub fn taken<T>() -> PhantomData<T> {
    PhantomData
}

/// `output o: T`.
pub fn output<T>() -> Buffer<T> {
    Buffer::new()
}

/// So many timers with these names; with none, rows that wait are all that is due at some time.
pub fn timers<L: Names, const N: usize>(_: L) -> PhantomData<Timers<L, N>> {
    PhantomData
}

/// Nothing is ever due.
pub fn no_timers() -> PhantomData<()> {
    PhantomData
}

/// Rows wait for the watermark.
pub fn in_order<K: Key, V: Record, T: Time>(_: &EdgeIn<'_, K, V, T, ()>) -> PhantomData<Waiting<V>> {
    PhantomData
}

/// Rows are handled as they come.
pub fn as_they_come() -> PhantomData<()> {
    PhantomData
}

/// What the handlers of a process are checked against.
pub fn pattern<K: Key, V: Record, T: Time, O, D: States, P: Outputs>(
    _: &EdgeIn<'_, K, V, T, ()>,
    states: &D,
    outputs: &P,
) -> Pattern<K, V, T, O, D, P> {
    Pattern::new(states, outputs)
}

/// Says that nothing is emitted to the main output.
pub fn emits_nothing<K, V, T, D, P>(_: &Pattern<K, V, T, Never, D, P>) {}

/// `on event(row, cx) { .. }`.
pub fn on_event<K: Key, V, T, O, D: States, P: Outputs, R: Outcome, F>(
    _: &Pattern<K, V, T, O, D, P>,
    f: F,
) -> Handler<F, R>
where
    F: for<'a, 'c> FnMut(V, Handles<'a, D, P>, &'c mut Cx<'a, K, O, T>) -> R + 'static, // a param: write `name.clone()`
{
    Handler::new(f)
}

/// `on timer name(at, cx) { .. }`.
pub fn on_timer<K: Key, V, T, O, D: States, P: Outputs, R: Outcome, F>(
    _: &Pattern<K, V, T, O, D, P>,
    f: F,
) -> Handler<F, R>
where
    F: for<'a, 'c> FnMut(Timestamp, Handles<'a, D, P>, &'c mut Cx<'a, K, O, T>) -> R + 'static,
{
    Handler::new(f)
}

/// `on end(cx) { .. }`.
pub fn on_end<K: Key, V, T, O, D: States, P: Outputs, R: Outcome, F>(
    _: &Pattern<K, V, T, O, D, P>,
    f: F,
) -> Handler<F, R>
where
    F: for<'a, 'c> FnMut(Handles<'a, D, P>, &'c mut Cx<'a, K, O, T>) -> R + 'static,
{
    Handler::new(f)
}

/// The operator.
#[expect(clippy::too_many_arguments, reason = "emitted code names each part of the process once")]
pub fn process<K, V, T, O, D, P, M, W, E, H, N, B>(
    _: On<B>,
    _: Pattern<K, V, T, O, D, P>,
    states: D,
    outputs: P,
    timers: &'static [By],
    _: PhantomData<M>,
    _: PhantomData<W>,
    on_event: E,
    on_timer: H,
    on_end: N,
) -> impl FnOnce(&Local) -> Result<Process<K, V, T, O, D, P, M, W, E, H, N, B>, Fault>
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
    move |local| {
        let parts = Parts { states, outputs, timers, on_event, on_timer, on_end };
        Ok(Process::new(parts, range(local), local.below::<B>()?, local.clock.clone()))
    }
}

/// A state with its name in every snapshot.
pub fn declared_state<N: Named, S>(name: N, state: S) -> Declared<N, S> {
    Declared::new(name, state)
}
