//! [`for_each`] and [`null`]: rows that go to code of the user's, or nowhere.

use super::{Accepts, Committer, Guarantee, Prepared, Sink, SinkContext, Writer};
use crate::error::Fault;

/// A sink that calls a function with each row, on the worker that has it, at once: `sink metrics(rows) = for_each(|row: Reading| ..)`.
///
/// It promises little: a row is seen when it comes, whether or not its epoch is committed, so behind a failure rows are seen again, and the
/// rows of several workers in any order. Each worker has its own clone of the function. A worker waits while it runs. What it returns is nothing, or a `Result`
/// whose error ends the attempt.
pub fn for_each<F>(f: F) -> ForEach<F> {
    ForEach { f }
}

/// What [`for_each`] gives: a sink.
#[derive(Clone, Copy)]
pub struct ForEach<F> {
    f: F,
}

/// A sink that forgets what it is given: to run a job for its side effects, or to measure it.
pub fn null() -> Null {
    Null {}
}

/// What [`null`] gives: a sink.
#[derive(Clone, Copy, Debug)]
pub struct Null {}

/// What a function of [`for_each`] may return.
pub trait Seen {
    /// Whether it went well.
    ///
    /// # Errors
    /// If the function says so.
    fn seen(self) -> Result<(), Fault>;
}

impl Seen for () {
    #[inline(always)]
    fn seen(self) -> Result<(), Fault> {
        Ok(())
    }
}

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> Seen for Result<(), E> {
    fn seen(self) -> Result<(), Fault> {
        self.map_err(|e| Fault::new("the function of `for_each` failed").because(e))
    }
}

impl<F: Clone + 'static> Sink for ForEach<F> {
    type Writer = ForEachWriter<F>;
    const GUARANTEE: Guarantee =
        Guarantee::AtLeastOnce("its function is called when a row comes, and again behind a failure");

    fn writer(&mut self, _: &SinkContext) -> Result<ForEachWriter<F>, Fault> {
        Ok(ForEachWriter { f: self.f.clone() })
    }

    fn committer(&mut self, _: &SinkContext, _: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault> {
        Ok(Box::new(Nothing))
    }

    fn describe(&self) -> String {
        "for_each".to_owned()
    }

    /// It promises nothing that could be taken back.
    fn takes_back(&self) -> bool {
        true
    }
}

/// Calls the function on one worker.
pub struct ForEachWriter<F> {
    f: F,
}

impl<F: 'static> Writer for ForEachWriter<F> {
    fn prepare(&mut self, _: u64) -> Result<Option<Prepared>, Fault> {
        Ok(None)
    }
}

impl<X, O: Seen, F: FnMut(X) -> O + 'static> Accepts<X> for ForEachWriter<F> {
    #[inline]
    fn write(&mut self, row: X) -> Result<(), Fault> {
        (self.f)(row).seen()
    }
}

impl Sink for Null {
    type Writer = NullWriter;

    fn writer(&mut self, _: &SinkContext) -> Result<NullWriter, Fault> {
        Ok(NullWriter {})
    }

    fn committer(&mut self, _: &SinkContext, _: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault> {
        Ok(Box::new(Nothing))
    }

    fn describe(&self) -> String {
        "null".to_owned()
    }

    fn takes_back(&self) -> bool {
        true
    }
}

/// Forgets rows on one worker.
pub struct NullWriter {}

impl Writer for NullWriter {
    fn prepare(&mut self, _: u64) -> Result<Option<Prepared>, Fault> {
        Ok(None)
    }
}

impl<X> Accepts<X> for NullWriter {
    #[inline(always)]
    fn write(&mut self, _: X) -> Result<(), Fault> {
        Ok(())
    }
}

/// There is nothing to publish.
pub(super) struct Nothing;

impl Committer for Nothing {
    fn commit(&mut self, _: u64, _: Vec<(usize, Prepared)>) -> Result<(), Fault> {
        Ok(())
    }
}
