//! A channel as a sink: rows that whoever runs the job receives while it runs.
//!
//! A row comes out once its epoch is committed, and not before; an attempt after a failure goes on with what the ones before it have committed.

use super::{Accepts, Committer, Guarantee, Prepared, Sink, SinkContext, Writer};
use crate::channel::{Channel, Sender};
use crate::error::Fault;
use crate::record::Row;
use crate::staged::Batch;

impl<T: Send + 'static> Sink for Channel<Sender<T>> {
    type Writer = ChannelWriter<T>;
    const GUARANTEE: Guarantee =
        Guarantee::Nothing("what was committed to a channel and not received goes with the process");

    fn writer(&mut self, context: &SinkContext) -> Result<ChannelWriter<T>, Fault> {
        let next = Batch { attempt: context.attempt, worker: context.worker, part: context.part as u64, epoch: 0 };
        Ok(ChannelWriter { into: self.end.clone(), next, rows: Vec::new() })
    }

    fn committer(&mut self, context: &SinkContext, _: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault> {
        Ok(Box::new(ChannelCommitter { into: self.end.clone(), attempt: context.attempt }))
    }

    fn describe(&self) -> String {
        "channel".to_owned()
    }
}

/// Keeps the rows of an epoch on one worker.
pub struct ChannelWriter<T> {
    into: Sender<T>,
    /// What is prepared next, but for its epoch.
    next: Batch,
    rows: Vec<T>,
}

impl<T: Send + 'static> Writer for ChannelWriter<T> {
    fn prepare(&mut self, epoch: u64) -> Result<Option<Prepared>, Fault> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        let rows = std::mem::take(&mut self.rows);
        self.into.staged(|staged| staged.prepare(Batch { epoch, ..self.next }, rows));
        Ok(Some(Prepared(self.next.part.to_le_bytes().to_vec())))
    }

    fn has_room(&mut self) -> bool {
        self.into.has_room()
    }
}

impl<X, T: Send + 'static> Accepts<X> for ChannelWriter<T>
where
    X: Row<Stored = T>,
{
    #[inline]
    fn write(&mut self, row: X) -> Result<(), Fault> {
        self.rows.push(row.store());
        Ok(())
    }
}

struct ChannelCommitter<T> {
    into: Sender<T>,
    attempt: u64,
}

impl<T: Send> Committer for ChannelCommitter<T> {
    fn commit(&mut self, epoch: u64, prepared: Vec<(usize, Prepared)>) -> Result<(), Fault> {
        for (worker, Prepared(bytes)) in prepared {
            let Ok(part) = bytes.try_into().map(u64::from_le_bytes) else {
                return Err(Fault::new("a commit that no `channel(..)` has prepared"));
            };
            let batch = Batch { attempt: self.attempt, worker, part, epoch };
            // Nothing, if the epoch is committed again.
            if let Some(rows) = self.into.staged(|staged| staged.commit(batch)) {
                self.into.force(rows);
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.into.staged(|staged| staged.retain(self.attempt, true));
        Ok(())
    }

    fn abort(&mut self) {
        self.into.staged(|staged| staged.retain(self.attempt, false));
    }
}
