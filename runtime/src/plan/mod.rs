//! The plan of a job: chains of fused operators as boxes, exchanges as edges. Data only; `text`, `dot`, `svg` and
//! `json` print it.

mod dot;
mod json;
mod svg;
mod text;
pub(crate) mod units;

pub use pelton_picture::EdgeKind;

/// One operator of a chain, as the block names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// `filter`, `window tumbling 1h`, `csv departures.csv`, ..
    pub what: String,
    /// The stream it makes, or the source's or sink's name; empty for an operator inside a chain.
    pub name: String,
    /// Whether its result depends on the order in which rows of different workers arrive.
    pub arrival_ordered: bool,
    /// Whether it keeps state.
    pub stateful: bool,
    /// Whether it is a sink.
    pub sink: bool,
    /// The operator of the chain whose rows it takes, by index; its own index for the first, and the greatest number for a
    /// window's late rows.
    pub input: usize,
    /// Which of the chain's counters counts what it lets through, if it changes the number of rows.
    pub counted: Option<usize>,
}

/// Operators that run as one loop on each worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// In order.
    pub operators: Vec<Operator>,
}

/// Rows from one chain to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Index of the sending chain.
    pub from: usize,
    /// Index of the receiving chain.
    pub to: usize,
    /// How.
    pub kind: EdgeKind,
    /// Why the chain is cut here: `key_by`, `union`, ..
    pub because: String,
    /// The key's type, if the edge is keyed.
    pub key: String,
    /// The row's type.
    pub row: String,
    /// Bytes of a row in memory, without what it owns on the heap.
    pub row_bytes: usize,
    /// Whether rows carry their event time.
    pub timed: bool,
    /// Whether partial results are combined in front of the edge.
    pub combined: bool,
    /// The most bytes that may be under way on this edge, over all workers.
    pub bound_bytes: u64,
}

/// The plan of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The job's name.
    pub job: String,
    /// The state backend.
    pub backend: String,
    /// How many workers it is drawn for.
    pub workers: usize,
    /// The chains, in data order.
    pub chains: Vec<Chain>,
    /// The edges between them.
    pub edges: Vec<Edge>,
    /// Streams and side outputs that are dropped aloud.
    pub dropped: Vec<String>,
}

impl Plan {
    /// The most bytes that may be under way on all edges together.
    pub fn bound_bytes(&self) -> u64 {
        self.edges.iter().map(|e| e.bound_bytes).sum()
    }
}
