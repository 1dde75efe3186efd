//! Sinks: a writer per worker that pre-commits at each barrier, and a committer on the coordinator that publishes.
//!
//! A writer writes where no reader looks. At a barrier it makes what it has durable and hands the coordinator a
//! [`Prepared`]; when every writer has done so and the epoch is complete, the committer publishes. `commit` may be
//! called again for the same epoch after a restart and must then do nothing new.

mod cells;
mod channel;
pub mod collect;
mod csv;
mod file;
mod folder;
mod for_each;
mod json;
mod parts;
mod stdout;

pub use channel::ChannelWriter;
pub use collect::{Collect, CollectWriter, Collected, collect};
pub use csv::CsvWriter;
pub use file::{Roll, Rolls};
pub use for_each::{ForEach, ForEachWriter, Null, NullWriter, Seen, for_each, null};
pub use json::JsonWriter;
pub use stdout::{Stdout, StdoutWriter, stdout};

pub use crate::guarantee::Guarantee;

use crate::error::Fault;
use crate::schema::Message;

/// What a writer hands to the committer at a barrier, in the sink's own form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared(pub Vec<u8>);

/// Who a writer is.
#[derive(Clone, Debug)]
pub struct SinkContext {
    /// The sink's name in the block.
    pub name: String,
    /// This worker, from 0.
    pub worker: usize,
    /// How many there are.
    pub workers: usize,
    /// Which writer of this sink on this worker, from 0: several chains may write into one sink.
    pub part: usize,
    /// Which attempt of the run this is, from 1.
    pub attempt: u64,
    /// Whether the run has checkpoints: another attempt, in this process or another, may go on from what is committed.
    pub resumable: bool,
    /// What tells the log of the run's checkpoints from all others; `None` without one. Of the attempts on one log, whatever process they are
    /// in, the one with the greatest number goes on, and the others may only not have heard of it: it may take from them what they hold.
    pub log: Option<u64>,
    /// Whether the run that this attempt goes on from has noted that all of its results are published, and only its end is not noted. All
    /// calls come as ever, and change nothing; what [`Committer::finished`] lets go of may be gone.
    pub published: bool,
}

/// The two phases of a writer.
pub trait Writer: 'static {
    /// Makes what is written visible to whoever watches, if the sink has such a thing (a terminal). Called when the
    /// input has nothing more just now, and within the latency bound.
    ///
    /// # Errors
    /// If it cannot be written.
    fn flush(&mut self) -> Result<(), Fault> {
        Ok(())
    }
    /// Whether it takes more rows just now. If not, the chains that write into it take a rest and ask again, about every 2 ms; nothing is
    /// committed meanwhile. A writer that is given rows all the same, some thousands, takes them.
    fn has_room(&mut self) -> bool {
        true
    }
    /// Makes everything since the last barrier durable; `None` if there is nothing to commit.
    ///
    /// # Errors
    /// If it cannot be written.
    fn prepare(&mut self, epoch: u64) -> Result<Option<Prepared>, Fault>;
}

/// A writer that takes rows of type `X`.
pub trait Accepts<X>: Writer {
    /// Why a row of this type cannot be held, if its bounds do not say it: its fields, say. It is an error of `cargo check`
    /// at the sink in the block.
    const PROBLEM: Option<Message> = None;
    /// Takes one row.
    ///
    /// # Errors
    /// If it cannot be written.
    fn write(&mut self, row: X) -> Result<(), Fault>;
}

/// Publishes what writers have prepared. It runs on the coordinator.
pub trait Committer: Send {
    /// Publishes the epoch. The list has an entry per writer that prepared something, by worker. After a restart it is called
    /// again for the epoch that the attempt goes on from, and must then do nothing new.
    ///
    /// # Errors
    /// If it cannot be published.
    fn commit(&mut self, epoch: u64, prepared: Vec<(usize, Prepared)>) -> Result<(), Fault>;
    /// What is committed, in the sink's own form: [`Sink::committer`] goes on from there after a restart.
    fn state(&self) -> Vec<u8> {
        Vec::new()
    }
    /// Called once, before the first new commit: earlier attempts have ended, and what of theirs is to be committed has been.
    /// Cleans up what else they left.
    ///
    /// # Errors
    /// If that fails in a way that matters.
    fn begin(&mut self) -> Result<(), Fault> {
        Ok(())
    }
    /// After the last commit of a run whose inputs have ended. Called again if the run ends before its end is noted.
    ///
    /// # Errors
    /// If the result cannot be published.
    fn finish(&mut self) -> Result<(), Fault> {
        Ok(())
    }
    /// It is noted that all results are published: what only [`finish`](Committer::finish) needed is to go, and nothing that is hidden is to be
    /// left. If the run ends before its end is noted, there is one more attempt, with [`SinkContext::published`].
    fn finished(&mut self) {}
    /// The run ends without being finished, and nobody will go on from it: removes what was prepared and not committed.
    fn abort(&mut self) {}
}

/// A connector that can be written: what stands behind `sink name(input) =`.
#[diagnostic::on_unimplemented(message = "`{Self}` is no sink", label = "not a sink")]
pub trait Sink: 'static {
    /// Its writer.
    type Writer: Writer;
    /// What becomes of a row when a run fails. By default it is seen once, when its epoch is committed, as [`Committer::commit`] asks for; a sink that
    /// shows rows when they come, such as a terminal, says [`Guarantee::AtLeastOnce`].
    const GUARANTEE: Guarantee = Guarantee::ExactlyOnce;
    /// A writer; called once per worker and attempt.
    ///
    /// # Errors
    /// If it cannot be opened.
    fn writer(&mut self, context: &SinkContext) -> Result<Self::Writer, Fault>;
    /// The committer; called once per attempt. It goes on from a [`state`](Committer::state) after a restart.
    ///
    /// # Errors
    /// If the target cannot be used, or the state is none of this sink's.
    fn committer(&mut self, context: &SinkContext, from: Option<&[u8]>) -> Result<Box<dyn Committer>, Fault>;
    /// A short description for the plan: `csv board.csv`.
    fn describe(&self) -> String;
    /// Whether a committer that goes on from an older state takes back what was published since. If all sinks of a job
    /// can, it falls back to an older checkpoint by itself when the newest one is damaged.
    fn takes_back(&self) -> bool {
        false
    }
}
