//! The handlers of a process: `on event`, `on timer`, `on end`. Each is a closure of its own, written once, so that it becomes
//! part of the loop that calls it.
//!
//! A [`Pattern`] goes in front of them: it has the types of rows, states and outputs, and leaves open what is emitted. Each
//! handler is checked against it, so what one emits is known to the next, and nobody has to write it.

use super::cx::Cx;
use super::outputs::Outputs;
use super::state::States;
use crate::key::Key;
use crate::time::Timestamp;
use std::marker::PhantomData;

/// An error that a handler gave with `?`.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

/// What a handler gives back.
pub trait Outcome {
    /// As a result.
    fn outcome(self) -> Result<(), Failed>;
}
/// One without `?`.
impl Outcome for () {
    #[inline(always)]
    fn outcome(self) -> Result<(), Failed> {
        Ok(())
    }
}
/// One with `?`.
impl Outcome for Result<(), Failed> {
    #[inline(always)]
    fn outcome(self) -> Result<(), Failed> {
        self
    }
}

/// The types that the handlers of one process share: key, rows, their time, what is emitted, states, outputs.
pub struct Pattern<K, V, T, O, D, P>(PhantomData<(K, V, T, O, D, P)>);

impl<K, V, T, O, D, P> Pattern<K, V, T, O, D, P> {
    /// With types that are found out.
    pub fn new(_: &D, _: &P) -> Self {
        Pattern(PhantomData)
    }
}

/// States and outputs, as a handler sees them.
pub type Handles<'a, D, P> = (<D as States>::Handles<'a>, <P as Outputs>::Handles<'a>);

/// A handler, with what it gives back.
pub struct Handler<F, R>(F, PhantomData<fn() -> R>);

impl<F, R> Handler<F, R> {
    /// Of a closure.
    pub fn new(f: F) -> Self {
        Handler(f, PhantomData)
    }
}

/// `on event`.
pub trait OnEvent<K: Key, V, T, O, D: States, P: Outputs>: 'static {
    /// Runs it.
    fn run<'a>(&mut self, row: V, handles: Handles<'a, D, P>, cx: &mut Cx<'a, K, O, T>) -> Result<(), Failed>;
}
impl<K: Key, V, T, O, D: States, P: Outputs, F, R> OnEvent<K, V, T, O, D, P> for Handler<F, R>
where
    F: for<'a, 'c> FnMut(V, Handles<'a, D, P>, &'c mut Cx<'a, K, O, T>) -> R + 'static,
    R: Outcome + 'static,
{
    #[inline(always)]
    fn run<'a>(&mut self, row: V, handles: Handles<'a, D, P>, cx: &mut Cx<'a, K, O, T>) -> Result<(), Failed> {
        (self.0)(row, handles, cx).outcome()
    }
}

/// `on timer`, for all timers: `(a, (b, ()))`.
pub trait OnTimer<K: Key, T, O, D: States, P: Outputs>: 'static {
    /// Runs that of a timer.
    fn run<'a>(
        &mut self,
        timer: usize,
        at: Timestamp,
        handles: Handles<'a, D, P>,
        cx: &mut Cx<'a, K, O, T>,
    ) -> Result<(), Failed>;
}
impl<K: Key, T, O, D: States, P: Outputs> OnTimer<K, T, O, D, P> for () {
    fn run<'a>(&mut self, _: usize, _: Timestamp, _: Handles<'a, D, P>, _: &mut Cx<'a, K, O, T>) -> Result<(), Failed> {
        Ok(())
    }
}
impl<K: Key, T, O, D: States, P: Outputs, F, R, B> OnTimer<K, T, O, D, P> for (Handler<F, R>, B)
where
    F: for<'a, 'c> FnMut(Timestamp, Handles<'a, D, P>, &'c mut Cx<'a, K, O, T>) -> R + 'static,
    R: Outcome + 'static,
    B: OnTimer<K, T, O, D, P>,
{
    #[inline(always)]
    fn run<'a>(
        &mut self,
        timer: usize,
        at: Timestamp,
        handles: Handles<'a, D, P>,
        cx: &mut Cx<'a, K, O, T>,
    ) -> Result<(), Failed> {
        match timer.checked_sub(1) {
            None => (self.0.0)(at, handles, cx).outcome(),
            Some(behind) => self.1.run(behind, at, handles, cx),
        }
    }
}

/// `on end`.
pub trait OnEnd<K: Key, T, O, D: States, P: Outputs>: 'static {
    /// Whether there is one.
    const ANY: bool;
    /// Runs it.
    fn run<'a>(&mut self, handles: Handles<'a, D, P>, cx: &mut Cx<'a, K, O, T>) -> Result<(), Failed>;
}
/// There is none.
impl<K: Key, T, O, D: States, P: Outputs> OnEnd<K, T, O, D, P> for () {
    const ANY: bool = false;
    fn run<'a>(&mut self, _: Handles<'a, D, P>, _: &mut Cx<'a, K, O, T>) -> Result<(), Failed> {
        Ok(())
    }
}
impl<K: Key, T, O, D: States, P: Outputs, F, R> OnEnd<K, T, O, D, P> for Handler<F, R>
where
    F: for<'a, 'c> FnMut(Handles<'a, D, P>, &'c mut Cx<'a, K, O, T>) -> R + 'static,
    R: Outcome + 'static,
{
    const ANY: bool = true;
    #[inline(always)]
    fn run<'a>(&mut self, handles: Handles<'a, D, P>, cx: &mut Cx<'a, K, O, T>) -> Result<(), Failed> {
        (self.0)(handles, cx).outcome()
    }
}
