//! What emitted code calls. Not for people: names and shapes change with the macro, which is pinned to this version.
//! `docs/expansion.md` in the repository tells what is emitted.

mod aggregate;
mod connector;
mod gates;
mod lengths;
mod lock;
mod process;
mod resource;
mod spread;
#[allow(missing_docs, reason = "each is a word of the language")]
pub mod words;

pub use self::aggregate::*;
pub use self::connector::*;
pub use self::gates::*;
pub use self::lengths::*;
pub use self::lock::*;
pub use self::process::*;
pub use self::resource::*;
pub use self::spread::*;
pub use crate::__needs_rocksdb as needs_rocksdb;
pub use crate::aggregate::{
    Aggregator, ApproxCountDistinct, Collect, Count, CountDistinct, FieldNames, First, Last, Max, MaxBy, Mean, Min,
    MinBy, Shared, Sum, Variance, own,
};
pub use crate::codec::{CodecError, Reader};
pub use crate::config::{Config, Defaults, Restart};
pub use crate::engine::{
    Asked, Asks, At, Behind, BothTimed, Brings, ByKey, ChainMeta, Counters, Deep, Depth, EdgeIn, EdgeMeta, EdgeOut,
    EdgePort, EitherTimed, Enter, EnterKeyed, Entered, EnteredKeyed, EventTimed, Graph, Here, IDLE_AFTER, IsFlow,
    JobMeta, Keyed, KeyedLink, Link, Nested, Next, NoFlow, OnError, Open, OperatorMeta, Output, Outs, Piece, Place,
    Plain, SinkMeta, SinkPort, SourceMeta, StoredOperator, Stream, Taken, ThenMore, ThenNone, ThenOne, There, Used,
    When, combined_edge, entry, entry_filtered, entry_keyed, entry_through, followed, keyed_edge, keyed_link, link,
    local_edge, no_errors, no_late, sink, source, source_filtered, source_through, spread_edge, stage, used,
};
pub use crate::error::{Error, Fault};
pub use crate::frame::writer::Cx;
pub use crate::frame::{Timed, Untimed};
pub use crate::job::{Flag, Job, LockReport, NoFlag, Param, ParseFlag, Values, check_lock, main, main_from};
pub use crate::key::{BesideKey, DerivedKey, Kept, Key, KeyColumn, KeyHash, KeyLike};
pub use crate::lock::{LockPlace, LockedState, StateMeta, StateNames, nothing_lost, restores};
pub use crate::plan::{EdgeKind, Plan};
pub use crate::process::handlers::Failed;
/// Under a name that no user has imported: a path to it would be an unnecessary qualification.
pub use crate::record::Row as CanStore;
pub use crate::record::{Record, Row};
pub use crate::report::Summary;
pub use crate::schema::*;
pub use crate::sink::collect::{Collected, collect};
pub use crate::sink::{Accepts, Sink};
pub use crate::source::{RowType, Source};
#[cfg(not(feature = "rocksdb"))]
pub use crate::state::Memory as RocksDb;
#[cfg(feature = "rocksdb")]
pub use crate::state::RocksDb;
pub use crate::state::{Backend, FileSystem, Memory};
pub use crate::time::{TimeSpan, Timestamp};
pub use crate::window::{Tumbling, Windowed};

use crate::engine::Local;
use crate::hash::KeyRange;
use crate::keyed::Speak;
use crate::keyed::aggregate::{AggregateEach, AggregateTotal};
use crate::keyed::combine::CombineTotals;
use crate::keyed::fold::{Fold, FoldingWith, Reducing};
use crate::keyed::relay::Relay;
use crate::state::backend::Below;
use crate::state::ttl::Age;
use crate::window::Window;
use crate::window::combine::CombineWindows;
use std::marker::PhantomData;
use std::time::Duration;

/// The event time of rows that have none.
pub const NO_TIME: i64 = i64::MIN;

/// Hands a value to a user's closure. The value comes first, so that its type is known when the closure is checked.
#[inline(always)]
pub fn call<A, R>(a: A, f: impl FnOnce(A) -> R) -> R {
    f(a)
}

/// `filter`.
#[inline(always)]
pub fn test<A, F>(a: &A, f: F) -> bool
where
    F: FnOnce(&A) -> bool, // write `|r| ..`: what `r` is follows from the stream
{
    f(a)
}

/// What a row counts for that is kept or not.
#[inline(always)]
pub fn one_if(keep: bool) -> u64 {
    u64::from(keep)
}

/// `filter_map`.
#[inline(always)]
pub fn pick<A, R>(a: A, f: impl FnOnce(A) -> Option<R>) -> Option<R> {
    f(a)
}

/// What an output of a `split` gives.
#[inline(always)]
pub fn made<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// `inspect`.
#[inline(always)]
pub fn inspect<A>(a: &A, f: impl FnOnce(&A)) {
    f(a)
}

/// An aggregator for both sides of an edge.
pub fn shared<A>(aggregator: A) -> Shared<A> {
    Shared::new(aggregator)
}

/// The same for a body. As a function of its own it asks nothing of an aggregator whose type is not known.
pub fn again<A>(shared: &Shared<A>) -> Shared<A> {
    shared.clone()
}

/// Words over whole rows; see [`crate::aggregate::Over`].
pub fn over<K: Key, V: Record, T: crate::frame::Time, X: Record, A, P, F: Fn(&A, &V, i64) -> P>(
    _: &EdgeIn<'_, K, V, T, X>,
    words: A,
    part: F,
) -> crate::aggregate::Over<A, F> {
    crate::aggregate::Over(words, part)
}

/// A tumbling window; a wrong one ends the attempt before it begins.
pub fn tumbling(g: &mut Graph<'_>, size: TimeSpan, offset: TimeSpan, allow_late: TimeSpan, refire: bool) -> Tumbling {
    Tumbling::new(size, offset, allow_late, refire).unwrap_or_else(|fault| {
        g.fail(Error::Setup(fault));
        Tumbling::DAY
    })
}

/// A combiner for windows.
pub fn combine_windows<K: Key, V: 'static, A: Aggregator<V>>(
    window: &Tumbling,
    how: &Shared<A>,
) -> impl Fn() -> CombineWindows<K, V, Shared<A>> + 'static {
    let (window, how) = (*window, how.clone());
    move || CombineWindows::new(window, how.clone())
}

/// A combiner for totals.
pub fn combine_totals<K: Key, V: 'static, A: Aggregator<V>>(
    how: &Shared<A>,
) -> impl Fn() -> CombineTotals<K, V, Shared<A>> + 'static {
    let how = how.clone();
    move || CombineTotals::new(how.clone())
}

fn range(local: &Local) -> KeyRange {
    KeyRange::of(local.worker, local.workers)
}

fn every(span: TimeSpan) -> Speak {
    Speak::Every(Duration::from_micros(span.micros().max(1) as u64))
}

/// Which backend the operators of a job keep their state in.
pub struct On<B>(PhantomData<fn() -> B>);
impl<B> Clone for On<B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B> Copy for On<B> {}

/// On this backend.
pub fn on<B: Backend>() -> On<B> {
    On(PhantomData)
}

/// Whether it has files.
pub const fn keeps_files<B: Backend>() -> bool {
    <B::Below as Below>::THERE
}

/// `aggregate(.., emit each)`.
pub fn aggregate_each<K: Key, V: 'static, A: Aggregator<V>, G: Age, B: Backend>(
    _: On<B>,
    how: A,
    life: Life<G>,
) -> impl FnOnce(&Local) -> Result<AggregateEach<K, V, A, G, B>, Fault> {
    move |local| Ok(AggregateEach::new(how, life.of(local), range(local), local.below::<B>()?))
}

/// `aggregate(.., emit every D)`.
pub fn aggregate_every<K: Key, V: 'static, A: Aggregator<V>, G: Age, B: Backend>(
    _: On<B>,
    how: A,
    life: Life<G>,
    span: TimeSpan,
) -> impl FnOnce(&Local) -> Result<AggregateTotal<K, V, A, G, B>, Fault> {
    move |local| {
        Ok(AggregateTotal::new(how, life.of(local), range(local), local.below::<B>()?, every(span), local.now()))
    }
}

/// `aggregate(.., emit at_end)`.
pub fn aggregate_at_end<K: Key, V: 'static, A: Aggregator<V>, G: Age, B: Backend>(
    _: On<B>,
    how: A,
    life: Life<G>,
) -> impl FnOnce(&Local) -> Result<AggregateTotal<K, V, A, G, B>, Fault> {
    move |local| {
        Ok(AggregateTotal::new(how, life.of(local), range(local), local.below::<B>()?, Speak::AtEnd, local.now()))
    }
}

/// `reduce(.., emit each)`. The edge comes first, so that the rows' type is known when the closure is checked.
pub fn reduce_each<
    K: Key,
    V: Record + Clone,
    T: crate::frame::Time,
    F: FnMut(V, V) -> V + 'static,
    G: Age,
    B: Backend,
>(
    _: On<B>,
    _: &EdgeIn<'_, K, V, T, ()>,
    f: F,
    life: Life<G>,
) -> impl FnOnce(&Local) -> Result<Fold<K, V, Reducing<F>, G, B>, Fault> + use<K, V, T, F, G, B> {
    move |local| Ok(Fold::new(Reducing(f), life.of(local), range(local), local.below::<B>()?, Speak::Each, local.now()))
}

/// `reduce(.., emit every D)`.
pub fn reduce_every<
    K: Key,
    V: Record + Clone,
    T: crate::frame::Time,
    F: FnMut(V, V) -> V + 'static,
    G: Age,
    B: Backend,
>(
    _: On<B>,
    _: &EdgeIn<'_, K, V, T, ()>,
    f: F,
    life: Life<G>,
    span: TimeSpan,
) -> impl FnOnce(&Local) -> Result<Fold<K, V, Reducing<F>, G, B>, Fault> + use<K, V, T, F, G, B> {
    move |local| Ok(Fold::new(Reducing(f), life.of(local), range(local), local.below::<B>()?, every(span), local.now()))
}

/// `reduce(.., emit at_end)`.
pub fn reduce_at_end<
    K: Key,
    V: Record + Clone,
    T: crate::frame::Time,
    F: FnMut(V, V) -> V + 'static,
    G: Age,
    B: Backend,
>(
    _: On<B>,
    _: &EdgeIn<'_, K, V, T, ()>,
    f: F,
    life: Life<G>,
) -> impl FnOnce(&Local) -> Result<Fold<K, V, Reducing<F>, G, B>, Fault> + use<K, V, T, F, G, B> {
    move |local| {
        Ok(Fold::new(Reducing(f), life.of(local), range(local), local.below::<B>()?, Speak::AtEnd, local.now()))
    }
}

/// `rate 10k/s`.
pub fn rated<S>(source: S, rate: impl crate::source::PerSecond) -> crate::source::Rated<S> {
    crate::source::Rated::new(source, rate)
}

/// `fold(.., emit each)`.
pub fn fold_each<
    K: Key,
    V: Record,
    T: crate::frame::Time,
    A: Record + Clone,
    I: FnMut() -> A + 'static,
    F: FnMut(&mut A, V) + 'static,
    G: Age,
    B: Backend,
>(
    _: On<B>,
    _: &EdgeIn<'_, K, V, T, ()>,
    init: I,
    f: F,
    life: Life<G>,
) -> impl FnOnce(&Local) -> Result<Fold<K, V, FoldingWith<I, F>, G, B>, Fault> + use<K, V, T, A, I, F, G, B> {
    move |local| {
        Ok(Fold::new(FoldingWith(init, f), life.of(local), range(local), local.below::<B>()?, Speak::Each, local.now()))
    }
}

/// `fold(.., emit every D)`.
pub fn fold_every<
    K: Key,
    V: Record,
    T: crate::frame::Time,
    A: Record + Clone,
    I: FnMut() -> A + 'static,
    F: FnMut(&mut A, V) + 'static,
    G: Age,
    B: Backend,
>(
    _: On<B>,
    _: &EdgeIn<'_, K, V, T, ()>,
    init: I,
    f: F,
    life: Life<G>,
    span: TimeSpan,
) -> impl FnOnce(&Local) -> Result<Fold<K, V, FoldingWith<I, F>, G, B>, Fault> + use<K, V, T, A, I, F, G, B> {
    move |local| {
        Ok(Fold::new(FoldingWith(init, f), life.of(local), range(local), local.below::<B>()?, every(span), local.now()))
    }
}

/// `fold(.., emit at_end)`.
pub fn fold_at_end<
    K: Key,
    V: Record,
    T: crate::frame::Time,
    A: Record + Clone,
    I: FnMut() -> A + 'static,
    F: FnMut(&mut A, V) + 'static,
    G: Age,
    B: Backend,
>(
    _: On<B>,
    _: &EdgeIn<'_, K, V, T, ()>,
    init: I,
    f: F,
    life: Life<G>,
) -> impl FnOnce(&Local) -> Result<Fold<K, V, FoldingWith<I, F>, G, B>, Fault> + use<K, V, T, A, I, F, G, B> {
    move |local| {
        Ok(Fold::new(
            FoldingWith(init, f),
            life.of(local),
            range(local),
            local.below::<B>()?,
            Speak::AtEnd,
            local.now(),
        ))
    }
}

/// `window(..).aggregate(..)`.
pub fn window<K: Key, V: 'static, A: Aggregator<V>, B: Backend>(
    _: On<B>,
    window: Tumbling,
    how: A,
) -> impl FnOnce(&Local) -> Result<Window<K, V, A, B>, Fault> {
    move |local| Ok(Window::new(window, how, range(local), local.below::<B>()?))
}

/// `union(..)`.
pub fn relay<V>() -> impl FnOnce(&Local) -> Result<Relay<V>, Fault> {
    |_| Ok(Relay::new())
}

/// Runs a job on a backend.
///
/// # Errors
/// Whatever ends the run before its inputs have ended.
pub fn execute<B: Backend>(
    job: &'static JobMeta,
    config: Config,
    build: impl Fn(&mut Graph<'_>) + Send + Sync + 'static,
) -> Result<Summary, Error> {
    crate::engine::execute(job, config, B::NAME, build)
}

/// The plan of a job on a backend.
///
/// # Errors
/// If a setting is wrong.
pub fn plan<B: Backend>(job: &'static JobMeta, config: &Config, build: impl Fn(&mut Graph<'_>)) -> Result<Plan, Error> {
    crate::engine::plan(job, config, B::NAME, build)
}

/// Nothing.
#[cfg(feature = "rocksdb")]
#[doc(hidden)]
#[macro_export]
macro_rules! __needs_rocksdb {
    () => {};
}

/// An error, and the only one: without the feature a block that names `RocksDb` is compiled as if it said `Memory`.
#[cfg(not(feature = "rocksdb"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __needs_rocksdb {
    () => {
        ::core::compile_error!(
            "the state backend `RocksDb` takes pelton's feature `rocksdb`\n\nhelp: enable it: `cargo add pelton --features rocksdb`"
        );
    };
}
