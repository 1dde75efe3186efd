//! A sink that only sums checks of its rows: the end of every workload here. Rows are counted by the run's summary.

use pelton::error::Fault;
use pelton::sink::{Accepts, Committer, Prepared, Sink, SinkContext, Writer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where the writers of a run add up.
#[derive(Clone, Default)]
pub struct Total(Arc<AtomicU64>);

impl Total {
    /// The checksum since the last call.
    pub fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// The sink: `check` gives a row's contribution, which is added up.
pub struct Checksum<F>(Total, F);

pub fn checksum<F: Clone + 'static>(total: Total, check: F) -> Checksum<F> {
    Checksum(total, check)
}

impl<F: Clone + 'static> Sink for Checksum<F> {
    type Writer = ChecksumWriter<F>;
    fn writer(&mut self, _: &SinkContext) -> Result<Self::Writer, Fault> {
        Ok(ChecksumWriter { sum: 0, total: self.0.clone(), check: self.1.clone() })
    }
    fn committer(&mut self, _: &SinkContext, _: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault> {
        struct Nothing;
        impl Committer for Nothing {
            fn commit(&mut self, _: u64, _: Vec<(usize, Prepared)>) -> Result<(), Fault> {
                Ok(())
            }
        }
        Ok(Box::new(Nothing))
    }
    fn describe(&self) -> String {
        "checksum".to_owned()
    }
}

pub struct ChecksumWriter<F> {
    sum: u64,
    total: Total,
    check: F,
}

impl<F: 'static> Writer for ChecksumWriter<F> {
    fn prepare(&mut self, _: u64) -> Result<Option<Prepared>, Fault> {
        self.total.0.fetch_add(std::mem::take(&mut self.sum), Ordering::Relaxed);
        Ok(None)
    }
}

impl<X, F: Fn(&X) -> u64 + 'static> Accepts<X> for ChecksumWriter<F> {
    #[inline(always)]
    fn write(&mut self, row: X) -> Result<(), Fault> {
        self.sum = self.sum.wrapping_add((self.check)(&row));
        Ok(())
    }
}
