//! [`Staged`]: rows that are prepared and not committed, kept in memory for a sink whose readers are in this process.

use std::collections::BTreeMap;

/// What one writer prepared at one barrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Batch {
    pub(crate) attempt: u64,
    pub(crate) worker: usize,
    pub(crate) part: u64,
    pub(crate) epoch: u64,
}

/// Prepared rows.
pub(crate) struct Staged<T>(BTreeMap<Batch, Vec<T>>);

impl<T> Default for Staged<T> {
    fn default() -> Self {
        Staged(BTreeMap::new())
    }
}

impl<T> Staged<T> {
    /// Prepares rows.
    pub(crate) fn prepare(&mut self, batch: Batch, rows: Vec<T>) {
        self.0.entry(batch).or_default().extend(rows);
    }

    /// The rows that the newest attempt has prepared as this batch; `None` if the epoch is committed again.
    pub(crate) fn commit(&mut self, batch: Batch) -> Option<Vec<T>> {
        let same = |other: &Batch| Batch { attempt: batch.attempt, ..*other } == batch;
        let newest = *self.0.keys().filter(|other| same(other)).max()?;
        self.0.remove(&newest)
    }

    /// Keeps what is of an attempt, or all that is not.
    pub(crate) fn retain(&mut self, attempt: u64, of_it: bool) {
        self.0.retain(|batch, _| (batch.attempt == attempt) == of_it);
    }
}
