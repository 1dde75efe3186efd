//! [`Rated`]: a source that is read at a rate.
//!
//! It only says which; the engine, which has the clock, holds back.

use super::{Enumerator, Guarantee, RowType, Source};
use crate::error::Fault;

/// Records per second: a number, or an `Option` of one, where `None` sets no limit.
pub trait PerSecond {
    /// The number.
    fn per_second(self) -> Option<u64>;
}
impl PerSecond for u64 {
    fn per_second(self) -> Option<u64> {
        Some(self)
    }
}
impl PerSecond for u32 {
    fn per_second(self) -> Option<u64> {
        Some(self.into())
    }
}
impl<N: PerSecond> PerSecond for Option<N> {
    fn per_second(self) -> Option<u64> {
        self.and_then(N::per_second)
    }
}

/// A source whose workers together take so many records in a second.
#[derive(Clone, Debug)]
pub struct Rated<S> {
    source: S,
    rate: Option<u64>,
}

impl<S> Rated<S> {
    /// Limits a source.
    pub fn new(source: S, rate: impl PerSecond) -> Self {
        Rated { source, rate: rate.per_second() }
    }
}

impl<R: RowType, S: Source<R>> Source<R> for Rated<S> {
    type Reader = S::Reader;
    const GUARANTEE: Guarantee = S::GUARANTEE;

    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        self.source.enumerator(from)
    }

    fn reader(&mut self) -> Result<S::Reader, Fault> {
        self.source.reader()
    }

    fn describe(&self) -> String {
        self.source.describe()
    }

    fn endless(&self) -> bool {
        self.source.endless()
    }

    fn rate(&self) -> Option<u64> {
        self.rate
    }
}
