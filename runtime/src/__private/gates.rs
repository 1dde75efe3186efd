//! Gates: where emitted code asks whether a value of the user's is what its place needs, once, at the user's token. What
//! stands behind a gate has no mistakes of its own, so one mistake is one message.
//!
//! A gate is a function of a trait that gives its value back as a projection, `T::Checked`. Where the bound fails the
//! projection has no type, and once there is an error rustc does not ask what a type that it does not know can do. A lone
//! blanket impl would not do: rustc takes it without asking whether its bounds hold, goes on with the projection, and
//! complains of the bound at every place that it meets. Of two impls it asks. So each gate has a second one, which never
//! holds, and a mark that tells the two apart.
//!
//! Emitted code names the trait: `__rt::CanSum::checked(v)`. Of a bound of a free function rustc would show the function,
//! which the user has not written; of the trait's own function it shows nothing. Where more than the value is needed to
//! know the trait (`HeldBy<W, _>`), there is a free function: only there the projection is looked at when all is known.

use crate::aggregate::{Aggregator, Comparable, Fits, Number, Own, Summable};
use crate::engine::{EdgePort, SinkPort};
use crate::frame::Time;
use crate::frame::writer::Combine;
use crate::key::{Key, KeyLike};
use crate::record::Record;
use crate::sink::{Accepts, Roll, Rolls, Sink};
use crate::source::{RowType, Source};
use crate::time::{TimeSpan, Timestamp};
use std::marker::PhantomData;

/// The mark of the impl that holds.
pub enum Yes {}
/// The mark of the impl that does not.
pub enum No {}
/// The same, where there are several.
pub enum Not<const N: usize> {}
/// What nothing is.
pub trait Nothing {}

/// The impls of a gate for what holds and for what does not.
macro_rules! only {
    ($gate:ident: $bound:path) => {
        #[diagnostic::do_not_recommend]
        impl<T: $bound> $gate<Yes> for T {
            type Checked = T;
            #[inline(always)]
            fn checked(self) -> T {
                self
            }
        }
        #[diagnostic::do_not_recommend]
        impl<T: Nothing> $gate<No> for T {
            type Checked = T;
            fn checked(self) -> T {
                self
            }
        }
    };
}

/// What `sum` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be summed",
    label = "this is a `{Self}`",
    note = "`sum` takes integers, floats and `TimeSpan`; give a missing value a number with `unwrap_or(0)`"
)]
pub trait CanSum<Mark>: Sized {
    /// Itself.
    type Checked;
    /// Gives itself back.
    fn checked(self) -> Self::Checked;
}
only!(CanSum: Summable);

/// What `mean` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no mean",
    label = "this is a `{Self}`",
    note = "`mean` takes integers and floats; give a missing value a number with `unwrap_or(0.0)`"
)]
pub trait CanMean<Mark>: Sized {
    /// Itself.
    type Checked;
    /// Gives itself back.
    fn checked(self) -> Self::Checked;
}
only!(CanMean: Number);

/// What `min`, `max`, `min_by` and `max_by` take.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no least and no greatest",
    label = "this is a `{Self}`",
    note = "`min`, `max`, `min_by` and `max_by` take integers, floats, `bool`, `char`, `Timestamp`, `TimeSpan`, `String`, and tuples or `Option`s of them"
)]
pub trait CanCompare<Mark>: Sized {
    /// Itself.
    type Checked;
    /// Gives itself back.
    fn checked(self) -> Self::Checked;
}
only!(CanCompare: Comparable);

/// What `reduce`, `fold`, `min_by` and `max_by` keep per key and give out again and again.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is kept per key and given out each time, and is not `Clone`",
    label = "kept and given out",
    note = "derive `Clone` for `{Self}`"
)]
pub trait GivenOut<Mark>: Sized {
    /// Itself.
    type Checked;
    /// Gives itself back.
    fn checked(self) -> Self::Checked;
}
only!(GivenOut: Clone);

/// What a `fold` begins with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in state",
    label = "not a `Record`",
    note = "write `#[derive(Record)]` on `{Self}`, or carry a foreign type as `Serde<{Self}>`",
    note = "what is kept outlives the row: own it (`String`, not `&str`)"
)]
pub trait CanFold<Mark>: Sized {
    /// Itself.
    type Checked;
    /// Gives itself back.
    fn checked(self) -> Self::Checked;
}
only!(CanFold: Record);

/// What a `flat_map` gives.
#[diagnostic::on_unimplemented(
    message = "`flat_map` gives any number of rows, and a `{Self}` cannot be iterated over",
    label = "this is a `{Self}`",
    note = "give a `Vec`, an array, an `Option` or an iterator; where each row becomes one, write `map`"
)]
pub trait Many<Mark>: Sized {
    /// Itself.
    type Checked;
    /// Gives itself back.
    fn checked(self) -> Self::Checked;
}
only!(Many: IntoIterator);

/// What stands behind `sink name(stream) =`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no sink",
    label = "not a sink",
    note = "write `csv(path)`, `json(path)`, `stdout()` or `collect()`, or something of your own that implements `pelton::sink::Sink`"
)]
pub trait IsSink<Mark>: Sized {
    /// Itself.
    type Checked;
    /// Gives itself back.
    fn checked(self) -> Self::Checked;
}
only!(IsSink: Sink);

/// A sink of folders that `roll` says something of.
#[diagnostic::on_unimplemented(
    message = "`roll` has no effect on a `{Self}`",
    label = "this sink writes no files",
    note = "`csv(\"folder/\")` and `json(\"folder/\")` begin a new file when `roll` says so"
)]
pub trait CanRoll<Mark>: Sized {
    /// Itself.
    type Checked;
    /// Begins a new file when the open one is so old, or has so many bytes.
    fn rolled(self, every: Option<TimeSpan>, at: Option<u64>) -> Self::Checked;
}
#[diagnostic::do_not_recommend]
impl<S: Rolls> CanRoll<Yes> for S {
    type Checked = S;
    fn rolled(self, every: Option<TimeSpan>, at: Option<u64>) -> S {
        let every = every.map(|span| std::time::Duration::from_micros(u64::try_from(span.micros()).unwrap_or(0)));
        self.rolling(Roll { every, at })
    }
}
#[diagnostic::do_not_recommend]
impl<S: Nothing> CanRoll<No> for S {
    type Checked = S;
    fn rolled(self, _: Option<TimeSpan>, _: Option<u64>) -> S {
        self
    }
}

/// A source of rows of type `X`, which is `R`'s.
#[diagnostic::on_unimplemented(
    message = "`{Self}` gives no rows of type `{X}`",
    label = "not a source of `{X}`",
    note = "`csv(path)` and `json(path)` give any type with `#[derive(Deserialize)]`, `lines(path)` gives `&str`, `iter(|| ..)` what it goes over, and `rows(data)` clones of what it holds, which is `Clone` for that"
)]
pub trait SourceOf<R, X, Mark>: Sized {
    /// Itself.
    type Checked;
    /// Gives itself back.
    fn checked(self) -> Self::Checked;
}
#[diagnostic::do_not_recommend]
impl<R: RowType, X, S: Source<R>> SourceOf<R, X, Yes> for S {
    type Checked = S;
    fn checked(self) -> S {
        self
    }
}
#[diagnostic::do_not_recommend]
impl<R, X, S: Nothing> SourceOf<R, X, No> for S {
    type Checked = S;
    fn checked(self) -> S {
        self
    }
}

/// A row that a sink's writer takes.
#[diagnostic::on_unimplemented(
    message = "this sink cannot hold rows of `{Self}`",
    label = "`{Self}` does not go into a `{W}`",
    note = "`csv`, `json` and `stdout` take rows with `#[derive(Record, Serialize)]`, `collect` takes the declared type",
    note = "anything else becomes such a row with `.map(|r| ..)` in front of the sink"
)]
pub trait HeldBy<W, Mark>: Sized {
    /// Itself.
    type Checked;
    /// Gives itself back.
    fn checked(self) -> Self::Checked;
}
#[diagnostic::do_not_recommend]
impl<W: Accepts<X>, X> HeldBy<W, Yes> for X {
    type Checked = X;
    #[inline(always)]
    fn checked(self) -> X {
        self
    }
}
/// Of fewer than ten impls that might be meant rustc complains beside another message of the same row.
macro_rules! never_held {
    ($($mark:literal)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<W, X: Nothing> HeldBy<W, Not<$mark>> for X {
            type Checked = X;
            fn checked(self) -> X {
                self
            }
        }
    )*};
}
never_held!(0 1 2 3 4 5 6 7 8);
/// A row for a sink.
#[inline(always)]
pub fn held<W, X: HeldBy<W, Mark>, Mark>(row: X, _: &SinkPort<W>) -> X::Checked {
    row.checked()
}

/// What a sink and its rows are, for the check of the row's fields in the block.
pub fn holds<W, X>(_: &SinkPort<W>, _: &X) -> PhantomData<(W, X)> {
    PhantomData
}

/// Fails the build, at its caller, if a sink cannot hold its rows for a reason that their types do not show.
#[track_caller]
#[expect(clippy::panic, reason = "called in constants, where a panic is a compile error")]
pub const fn can_hold<W: Accepts<X>, X>() -> PhantomData<(W, X)> {
    if let Some(problem) = <W as Accepts<X>>::PROBLEM {
        panic!("{}", problem.as_str());
    }
    PhantomData
}

/// The same check where the rows may be of any type: it fails when the code is compiled for one.
#[inline(always)]
pub fn holds_as_built<W: Accepts<X>, X>(_: &SinkPort<W>, _: &X) {
    const { can_hold::<W, X>() };
}

/// Rows of a `union` that has rows of `V`.
#[diagnostic::on_unimplemented(
    message = "this `union` has rows of `{V}`, and these are `{Self}`",
    label = "rows of `{Self}`",
    note = "bring them to one type with `.map(|r| ..)` in front of the `union`"
)]
pub trait SameAs<V> {
    /// `V`.
    type Checked;
    /// Gives itself back.
    fn checked(self) -> Self::Checked;
}
impl<V> SameAs<V> for V {
    type Checked = V;
    #[inline(always)]
    fn checked(self) -> V {
        self
    }
}
/// A row for a union.
#[inline(always)]
pub fn same<K: Key, V: Record, T: Time, C: Combine<K, V>, X: SameAs<V>>(
    _: &EdgePort<K, V, T, C>,
    row: X,
) -> X::Checked {
    row.checked()
}

/// Rows of the declared type, `T`.
#[diagnostic::on_unimplemented(
    message = "the declared type is `{T}`, and the rows are `{Self}`",
    label = "declared here",
    note = "write the type of the rows, or bring them to this one with `.map(|r| ..)`: a key that is a text comes as `&str` and is owned by `.map(|(key, value)| (key.to_owned(), value))`"
)]
pub trait Is<T>: Sized {
    /// Itself.
    fn it(self) -> T;
    /// Itself, lent.
    fn its(&self) -> &T;
}
impl<T> Is<T> for T {
    #[inline(always)]
    fn it(self) -> T {
        self
    }
    #[inline(always)]
    fn its(&self) -> &T {
        self
    }
}

/// A row that goes to several consumers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` goes to several consumers and is not `Clone`",
    label = "this consumer needs a copy of the record",
    note = "derive `Clone` for `{Self}`, or let one consumer take the stream and branch behind it"
)]
pub trait Share: Sized {
    /// A copy.
    fn share(&self) -> Self;
}
#[diagnostic::do_not_recommend]
impl<T: Clone> Share for T {
    #[inline(always)]
    fn share(&self) -> T {
        self.clone()
    }
}

/// What a `key_by` closure gives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot key a stream",
    label = "this key is a `{Self}`",
    note = "a key has a stable hash and an exact equality: integers, strings, `Timestamp`, tuples of them, or a type with `#[derive(Record, Key, Clone, PartialEq, Eq)]`",
    note = "for a float, key by its bits or by a rounded integer; for an `Option`, by `unwrap_or_default()`, or behind a `filter_map`"
)]
pub trait IsKey<Mark>: Sized {
    /// Itself.
    type Checked;
    /// Gives itself back.
    fn checked(self) -> Self::Checked;
}
only!(IsKey: KeyLike);

/// What an `event_time` closure gives.
#[diagnostic::on_unimplemented(
    message = "event time is a `Timestamp`, and this is a `{Self}`",
    label = "not a `Timestamp`",
    note = "make one with `Timestamp::from_millis(ms)`; of an `Option`, say what time a row without one has: `unwrap_or(..)`"
)]
pub trait IsTime {
    /// As a point in time.
    fn time(self) -> Timestamp;
}
#[diagnostic::do_not_recommend]
impl IsTime for Timestamp {
    #[inline(always)]
    fn time(self) -> Timestamp {
        self
    }
}

/// What aggregates rows of type `T`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not aggregate `{T}`",
    label = "no `Aggregator<{T}>`",
    note = "ready-made: `count()`, `sum(|r| r.x)`, `(count(), max(|r| r.x))`; your own: `impl Aggregator<{T}> for {Self}`"
)]
pub trait AggregatorOf<T, Mark> {
    /// That it does.
    type Proof;
}
#[diagnostic::do_not_recommend]
impl<T, A: Aggregator<T>> AggregatorOf<T, Yes> for A {
    type Proof = Fits;
}
#[diagnostic::do_not_recommend]
impl<T, A: Nothing> AggregatorOf<T, No> for A {
    type Proof = Fits;
}
/// The gate for the user's own aggregators: the row comes back, and the aggregator learns that it may be used.
#[inline(always)]
pub fn fits<T, A: AggregatorOf<T, Mark>, Mark>(row: T, _: &Own<A, A::Proof>) -> T {
    row
}

/// The type of a param that says how long something is.
#[diagnostic::on_unimplemented(
    message = "a duration is a `TimeSpan`, and this param is a `{Self}`",
    label = "not a `TimeSpan`",
    note = "declare it with `param name: TimeSpan = 1h;`"
)]
pub trait IsSpan {
    /// As a duration.
    fn span(&self) -> TimeSpan;
}
#[diagnostic::do_not_recommend]
impl IsSpan for TimeSpan {
    fn span(&self) -> TimeSpan {
        *self
    }
}

/// A param whose default is a text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of a text",
    label = "this default is a text",
    note = "write the default as an expression of the type, such as `= 100`: a text is for a param that is made of one, such as a `String` or a `PathBuf`"
)]
pub trait FromText {
    /// Makes it.
    fn from_text(text: &str) -> Self;
}
#[diagnostic::do_not_recommend]
impl<T: for<'a> From<&'a str>> FromText for T {
    fn from_text(text: &str) -> T {
        text.into()
    }
}

/// A default of a param, or a value for a field, that is written out.
macro_rules! written {
    ($gate:ident::$method:ident) => {
        #[diagnostic::do_not_recommend]
        impl<T> $gate<T> for T {
            #[inline(always)]
            fn $method(self) -> T {
                self
            }
        }
    };
}

/// The default of a param of type `T`, as a value that is written out.
#[diagnostic::on_unimplemented(
    message = "this param is a `{T}`, and its default is a `{Self}`",
    label = "not a `{T}`",
    note = "write the default as a value of the type: `5` for an integer, `1.5` for a float, `1h` for a `TimeSpan`; or give the param the type of its default"
)]
pub trait DefaultOf<T>: Sized {
    /// Itself.
    fn default(self) -> T;
}
written!(DefaultOf::default);

/// What a field of type `T` has where it was not stored, as a value that is written out.
#[diagnostic::on_unimplemented(
    message = "this field is a `{T}`, and what it has where it was not stored is a `{Self}`",
    label = "not a `{T}`",
    note = "write a value of the field's type: `#[added(5)]` for an integer, `#[added(1.5)]` for a float, `#[added(\"none\".to_owned())]` for a `String`"
)]
pub trait AddedTo<T>: Sized {
    /// Itself.
    fn added(self) -> T;
}
written!(AddedTo::added);

/// A result of an aggregate that becomes a field of type `T`.
#[diagnostic::on_unimplemented(
    message = "this field is a `{T}`, and the word gives a `{Self}`",
    label = "gives a `{Self}`",
    note = "declare the field as a `{Self}`, or aggregate without a struct and make it in a `.map(|(key, results)| ..)` behind"
)]
pub trait FieldOf<T>: Sized {
    /// Itself.
    fn given(self, field: PhantomData<T>) -> T;
}
#[diagnostic::do_not_recommend]
impl<T> FieldOf<T> for T {
    #[inline(always)]
    fn given(self, _: PhantomData<T>) -> T {
        self
    }
}
/// The type of a field, which is not known yet.
#[inline(always)]
pub fn field<T>() -> PhantomData<T> {
    PhantomData
}
/// Says that a field has it.
#[inline(always)]
pub fn is_field<T>(_: &PhantomData<T>, _: &T) {}

/// The type of a param.
#[diagnostic::on_unimplemented(
    message = "a param is shared by all worker threads, and `{Self}` cannot be",
    label = "not `Send + Sync`",
    note = "write `Arc` for `Rc`, and `Mutex` or an atomic for `Cell` and `RefCell`"
)]
pub trait Travels<Mark> {
    /// That it can be.
    type Proof;
}
#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> Travels<Yes> for T {
    type Proof = Everywhere;
}
#[diagnostic::do_not_recommend]
impl<T: Nothing> Travels<No> for T {
    type Proof = Everywhere;
}
/// The proof that the type of a param can be shared by threads.
pub enum Everywhere {}
/// Finds the proof.
pub fn param<T: Travels<Mark>, Mark>(_: PhantomData<T>) -> PhantomData<T::Proof> {
    PhantomData
}

/// Proofs of all params of a job, as a list of pairs. Each is asked for the rest of the list: as long as one is not there,
/// rustc does not ask whether the job as a whole can be shared, and does not say that again.
pub trait ProofsOf<J> {
    /// The job.
    type Job;
    /// Gives it back.
    fn job(job: J) -> Self::Job;
}
impl<J: Send + Sync + 'static> ProofsOf<J> for () {
    type Job = J;
    fn job(job: J) -> J {
        job
    }
}
impl<J, P: ProofOf<J, Rest>, Rest> ProofsOf<J> for (PhantomData<P>, Rest) {
    type Job = P::Job;
    fn job(job: J) -> P::Job {
        P::job(job)
    }
}
/// A proof, and those behind it.
pub trait ProofOf<J, Rest> {
    /// The job.
    type Job;
    /// Gives it back.
    fn job(job: J) -> Self::Job;
}
impl<J, Rest: ProofsOf<J>> ProofOf<J, Rest> for Everywhere {
    type Job = Rest::Job;
    fn job(job: J) -> Rest::Job {
        Rest::job(job)
    }
}
/// A job for all workers.
pub fn job<J, P: ProofsOf<J>>(_: P, job: J) -> P::Job {
    P::job(job)
}
