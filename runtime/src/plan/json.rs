//! The plan as JSON, for programs. The field names are a promise: they are added to and never renamed, and `version`
//! goes up if one changes its meaning. That is why the shapes are written out here and not derived from [`Plan`].
//!
//! ```json
//! { "version": 1, "job": "Board", "backend": "Memory", "workers": 2, "bound_bytes": 4194304,
//!   "chains": [ { "index": 0, "operators": [
//!       { "what": "csv in.csv", "name": "flights", "stateful": false, "arrival_ordered": false } ] } ],
//!   "edges": [ { "from": 0, "to": 1, "kind": "by_key", "because": "key_by", "key": "Airport",
//!       "row": "(u32, i64)", "row_bytes": 16, "timed": true, "combined": true, "bound_bytes": 4194304 } ],
//!   "dropped": [ "hourly.late" ] }
//! ```
//!
//! `from` and `to` are `index`es of chains; `kind` is `by_key` or `local`; `key` is null where the edge has none; sizes
//! and bounds are bytes. The pictures number the chains from 1: `index` plus one.

use serde::Serialize;

use super::{EdgeKind, Plan};

#[derive(Serialize)]
struct PlanJson<'a> {
    version: u32,
    job: &'a str,
    backend: &'a str,
    workers: usize,
    bound_bytes: u64,
    chains: Vec<ChainJson<'a>>,
    edges: Vec<EdgeJson<'a>>,
    dropped: &'a [String],
}

#[derive(Serialize)]
struct ChainJson<'a> {
    index: usize,
    operators: Vec<OperatorJson<'a>>,
}

#[derive(Serialize)]
struct OperatorJson<'a> {
    what: &'a str,
    name: &'a str,
    stateful: bool,
    arrival_ordered: bool,
}

#[derive(Serialize)]
struct EdgeJson<'a> {
    from: usize,
    to: usize,
    kind: &'static str,
    because: &'a str,
    key: Option<&'a str>,
    row: &'a str,
    row_bytes: usize,
    timed: bool,
    combined: bool,
    bound_bytes: u64,
}

impl Plan {
    /// The plan as JSON, indented, without a final newline. The fields are `version` (1), `job`, `backend`, `workers`,
    /// `bound_bytes`, `chains` (`index`, `operators` with `what`, `name`, `stateful`, `arrival_ordered`), `edges`
    /// (`from`, `to`, `kind`, `because`, `key`, `row`, `row_bytes`, `timed`, `combined`, `bound_bytes`), `dropped`.
    pub fn to_json(&self) -> String {
        let chains = self.chains.iter().enumerate().map(|(index, chain)| ChainJson {
            index,
            operators: chain
                .operators
                .iter()
                .map(|o| OperatorJson {
                    what: &o.what,
                    name: &o.name,
                    stateful: o.stateful,
                    arrival_ordered: o.arrival_ordered,
                })
                .collect(),
        });
        let edges = self.edges.iter().map(|e| EdgeJson {
            from: e.from,
            to: e.to,
            kind: match e.kind {
                EdgeKind::ByKey => "by_key",
                EdgeKind::Local => "local",
                EdgeKind::Rebalance => "rebalance",
                EdgeKind::Shuffle => "shuffle",
                EdgeKind::Broadcast => "broadcast",
                EdgeKind::Global => "global",
                EdgeKind::Partition => "partition",
            },
            because: &e.because,
            key: (e.kind == EdgeKind::ByKey && !e.key.is_empty()).then_some(&*e.key),
            row: &e.row,
            row_bytes: e.row_bytes,
            timed: e.timed,
            combined: e.combined,
            bound_bytes: e.bound_bytes,
        });
        let plan = PlanJson {
            version: 1,
            job: &self.job,
            backend: &self.backend,
            workers: self.workers,
            bound_bytes: self.bound_bytes(),
            chains: chains.collect(),
            edges: edges.collect(),
            dropped: &self.dropped,
        };
        // Strings, numbers, lists and structs cannot fail to serialize into memory.
        serde_json::to_string_pretty(&plan).unwrap_or_default()
    }
}
