//! [`collect`]: rows kept in memory, for whoever runs the job.
//!
//! A row is visible once its epoch is committed, and not before.

use super::{Accepts, Committer, Prepared, Sink, SinkContext, Writer};
use crate::error::Fault;
use crate::record::Row;
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
        let shared = Shared { writers: 0, prepared: BTreeMap::new(), visible: BTreeMap::new() };
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
    /// How many writers there have been, to tell them apart.
    writers: u64,
    /// What is prepared and not committed, by attempt, writer and epoch.
    prepared: BTreeMap<(u64, u64, u64), Vec<T>>,
    /// What is committed, by worker and writer.
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

    fn writer(&mut self, context: &SinkContext) -> Result<CollectWriter<T>, Fault> {
        let mut shared = self.into.lock();
        shared.writers += 1;
        let (attempt, writer) = (context.attempt, shared.writers);
        drop(shared);
        Ok(CollectWriter { into: self.into.clone(), attempt, writer, rows: Vec::new() })
    }

    fn committer(&mut self, context: &SinkContext) -> Result<Box<dyn Committer>, Fault> {
        Ok(Box::new(CollectCommitter { into: self.into.clone(), attempt: context.attempt }))
    }

    fn describe(&self) -> String {
        "collect".to_owned()
    }
}

/// Keeps rows on one worker.
pub struct CollectWriter<T> {
    into: Collected<T>,
    attempt: u64,
    writer: u64,
    rows: Vec<T>,
}

impl<T: Send + 'static> Writer for CollectWriter<T> {
    fn prepare(&mut self, epoch: u64) -> Result<Option<Prepared>, Fault> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        let rows = std::mem::take(&mut self.rows);
        self.into.lock().prepared.entry((self.attempt, self.writer, epoch)).or_default().extend(rows);
        Ok(Some(Prepared(self.writer.to_le_bytes().to_vec())))
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
            let Ok(writer) = bytes.try_into().map(u64::from_le_bytes) else {
                return Err(Fault::new("a commit that no `collect()` has prepared"));
            };
            // Not there any more if the epoch is committed again.
            if let Some(rows) = shared.prepared.remove(&(self.attempt, writer, epoch)) {
                shared.visible.entry((worker, writer)).or_default().extend(rows);
            }
        }
        Ok(())
    }

    fn abort(&mut self) {
        self.into.lock().prepared.retain(|(attempt, ..), _| *attempt != self.attempt);
    }
}
