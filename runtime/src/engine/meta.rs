//! What `stream!` says about the pieces of a job, as statics.

use crate::config::Defaults;
use crate::plan::EdgeKind;
use crate::time::TimeSpan;

/// A job.
#[derive(Debug)]
pub struct JobMeta {
    /// Its name.
    pub name: &'static str,
    /// Its backend.
    pub backend: &'static str,
    /// Streams and side outputs that are dropped aloud.
    pub dropped: &'static [&'static str],
    /// Operators and states, `operator.state`, that the job has given up: what is stored of them is not restored.
    pub given_up: &'static [&'static str],
    /// What it says of checkpoints and restarts.
    pub defaults: Defaults,
}

/// An operator of a chain.
#[derive(Debug)]
pub struct OperatorMeta {
    /// `filter`, `window tumbling 1h`, ..
    pub what: &'static str,
    /// The stream it makes, or empty.
    pub name: &'static str,
    /// Where it stands.
    pub line: u32,
    /// Where it stands.
    pub column: u32,
    /// Whether its result depends on the order in which rows of different workers arrive.
    pub arrival_ordered: bool,
    /// Whether it keeps state.
    pub stateful: bool,
    /// Which counter counts what it lets through, if it changes the number of rows.
    pub counted: Option<usize>,
    /// The operator of the chain whose rows it takes, by index; its own index for the first.
    pub input: usize,
}

/// A chain that begins behind an edge.
#[derive(Debug)]
pub struct ChainMeta {
    /// Its operators; the first is the one behind the edge.
    pub operators: &'static [OperatorMeta],
}

/// [`SourceMeta::idle_after`] where the block does not say.
pub const IDLE_AFTER: TimeSpan = TimeSpan::from_mins(1);

/// What a record does that is no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// It ends the run.
    Fail,
    /// It is counted and left out.
    Skip,
    /// It goes into a stream of its own.
    Divert,
}

/// A chain that begins at a source.
#[derive(Clone, Copy, Debug)]
pub struct SourceMeta {
    /// The source's name.
    pub name: &'static str,
    /// How far event times may lie behind the latest one; `None` without event time.
    pub late_by: Option<TimeSpan>,
    /// Whether its splits, in their order, are ordered in time up to `late_by`.
    pub ordered: bool,
    /// After how long without a row a split of an endless source no longer holds the watermark back; `None` if it always does.
    pub idle_after: Option<TimeSpan>,
    /// What a bad record does.
    pub on_error: OnError,
    /// Its operators; the first is the source.
    pub operators: &'static [OperatorMeta],
}

/// An edge.
#[derive(Debug)]
pub struct EdgeMeta {
    /// The stream of the operator behind it.
    pub name: &'static str,
    /// Why the chain is cut here: `key_by`, `union`, ..
    pub because: &'static str,
    /// To which worker rows go.
    pub kind: EdgeKind,
}

/// A sink.
#[derive(Debug)]
pub struct SinkMeta {
    /// Its name.
    pub name: &'static str,
}
