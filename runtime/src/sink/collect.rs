//! [`collect`]: rows kept in memory, for whoever runs the job.
//!
//! A row is visible once its epoch is committed, and not before. An attempt after a failure goes on with what the ones before
//! it have committed; a process that goes on from the checkpoint of another collects only what it commits itself.

use super::{Accepts, Committer, Guarantee, Prepared, Sink, SinkContext, Writer};
use crate::error::Fault;
use crate::record::Row;
use crate::staged::{Batch, Staged};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Rows that a job has collected. Clones share them.
pub struct Collected<T> {
    shared: Arc<Mutex<Shared<T>>>,
}

impl<T> Clone for Collected<T> {
    fn clone(&self) -> Self {
        Collected { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Default for Collected<T> {
    fn default() -> Self {
        let shared = Shared { prepared: Staged::default(), visible: BTreeMap::new() };
        Collected { shared: Arc::new(Mutex::new(shared)) }
    }
}

impl<T> std::fmt::Debug for Collected<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows: usize = self.lock().visible.values().map(Vec::len).sum();
        f.debug_struct("Collected").field("rows", &rows).finish()
    }
}

impl<T> Collected<T> {
    /// Nothing yet.
    pub fn new() -> Self {
        Collected::default()
    }

    /// Takes what has been committed: worker by worker, and of each worker in the order in which it arrived there.
    pub fn take(&self) -> Vec<T> {
        std::mem::take(&mut self.lock().visible).into_values().flatten().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Shared<T>> {
        // Rows are only moved under the lock, so that what it guards is whole.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Shared<T> {
    prepared: Staged<T>,
    /// What is committed, by worker and writer on it.
    visible: BTreeMap<(usize, u64), Vec<T>>,
}

/// A sink that keeps its rows in `into`, in their owned form.
pub fn collect<T: Send + 'static>(into: &Collected<T>) -> Collect<T> {
    Collect { into: into.clone() }
}

/// What [`collect`] gives: a sink.
#[derive(Clone, Debug)]
pub struct Collect<T> {
    into: Collected<T>,
}

impl<T: Send + 'static> Sink for Collect<T> {
    type Writer = CollectWriter<T>;
    const GUARANTEE: Guarantee = Guarantee::Nothing("what was collected is in memory, and goes with the process");

    fn writer(&mut self, context: &SinkContext) -> Result<CollectWriter<T>, Fault> {
        let next = Batch { attempt: context.attempt, worker: context.worker, part: context.part as u64, epoch: 0 };
        Ok(CollectWriter { into: self.into.clone(), next, rows: Vec::new() })
    }

    fn committer(&mut self, context: &SinkContext, _: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault> {
        Ok(Box::new(CollectCommitter { into: self.into.clone(), attempt: context.attempt }))
    }

    fn describe(&self) -> String {
        "collect".to_owned()
    }
}

/// Keeps rows on one worker.
pub struct CollectWriter<T> {
    into: Collected<T>,
    /// What is prepared next, but for its epoch.
    next: Batch,
    rows: Vec<T>,
}

impl<T: Send + 'static> Writer for CollectWriter<T> {
    fn prepare(&mut self, epoch: u64) -> Result<Option<Prepared>, Fault> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        let rows = std::mem::take(&mut self.rows);
        self.into.lock().prepared.prepare(Batch { epoch, ..self.next }, rows);
        Ok(Some(Prepared(self.next.part.to_le_bytes().to_vec())))
    }
}

impl<X, T: Send + 'static> Accepts<X> for CollectWriter<T>
where
    X: Row<Stored = T>,
{
    #[inline]
    fn write(&mut self, row: X) -> Result<(), Fault> {
        self.rows.push(row.store());
        Ok(())
    }
}

struct CollectCommitter<T> {
    into: Collected<T>,
    attempt: u64,
}

impl<T: Send> Committer for CollectCommitter<T> {
    fn commit(&mut self, epoch: u64, prepared: Vec<(usize, Prepared)>) -> Result<(), Fault> {
        let mut shared = self.into.lock();
        for (worker, Prepared(bytes)) in prepared {
            let Ok(part) = bytes.try_into().map(u64::from_le_bytes) else {
                return Err(Fault::new("a commit that no `collect()` has prepared"));
            };
            // Not there any more if the epoch is committed again.
            if let Some(rows) = shared.prepared.commit(Batch { attempt: self.attempt, worker, part, epoch }) {
                shared.visible.entry((worker, part)).or_default().extend(rows);
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), Fault> {
        // What earlier attempts prepared and did not commit is made anew.
        self.into.lock().prepared.retain(self.attempt, true);
        Ok(())
    }

    fn abort(&mut self) {
        self.into.lock().prepared.retain(self.attempt, false);
    }
}
