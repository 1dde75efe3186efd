//! From the sound part of the model to a plan: chains of operators that run as one loop, the edges between them, and
//! what each chain does with a row. Nothing is reported here.

mod apart;
#[cfg(test)]
pub(crate) mod explain;
pub(crate) mod flow;
pub(crate) mod fuse;
pub(crate) mod timing;

use proc_macro2::{Ident, Span, TokenStream};

use crate::model::{FlowUse, Model, Stream, StreamId};
use crate::syntax::{Aggregate, Code, Emit, Exchange, Life, Process, Roll, Source, Window};
use flow::Flow;

pub(crate) use apart::Behind;
pub(crate) use fuse::lower;
pub(crate) use timing::{Term, Timing};

pub(crate) struct Plan<'m> {
    pub(crate) model: &'m Model,
    pub(crate) edges: Vec<Edge<'m>>,
    /// In data order: the rows of an edge are known before the chain behind it is checked.
    pub(crate) chains: Vec<Chain<'m>>,
    pub(crate) sinks: Vec<SinkPlan<'m>>,
    /// The flows that are used.
    pub(crate) uses: Vec<UsePlan<'m>>,
}

impl Plan<'_> {
    /// The name of an output of a flow that is used.
    pub(crate) fn output(&self, id: StreamId, n: usize) -> String {
        let used = self.uses.iter().find(|used| used.id == id);
        used.and_then(|used| used.used.outputs.get(n))
            .map_or(String::new(), |name| name.to_string().trim_start_matches("r#").to_string())
    }
}

/// A flow where it is used. Its outputs are chains that begin with it.
pub(crate) struct UsePlan<'m> {
    pub(crate) id: StreamId,
    pub(crate) stream: &'m Stream,
    pub(crate) used: &'m FlowUse,
    /// Whether each of the streams that it takes has event time.
    pub(crate) times: Vec<Option<Term>>,
}

/// Rows from one chain to the next, and the operator that takes them.
pub(crate) struct Edge<'m> {
    /// The `let` it belongs to.
    pub(crate) stream: &'m Ident,
    /// Names that the `let` had before.
    pub(crate) was: &'m [Ident],
    /// Distinguishes the generated names of two edges of one `let`.
    pub(crate) suffix: String,
    pub(crate) operator: Operator<'m>,
    pub(crate) at: &'m Ident,
    /// Whether partial results are combined in front of it.
    pub(crate) combined: bool,
    /// Whether all rows have one key.
    pub(crate) global: bool,
    /// Whether rows carry their event time: where something behind it needs it.
    pub(crate) timing: Timing,
    /// How many places send into it.
    pub(crate) producers: usize,
}

/// What stands behind an edge.
pub(crate) enum Operator<'m> {
    Union,
    Exchange(&'m Exchange),
    Reduce {
        with: &'m Code,
        emit: &'m Emit,
        life: &'m Life,
    },
    Fold {
        start: &'m Code,
        with: &'m Code,
        emit: &'m Emit,
        life: &'m Life,
    },
    /// `timed`: its rows have event time.
    Aggregate {
        how: &'m Aggregate,
        emit: Emit,
        life: &'m Life,
        timed: bool,
    },
    /// `late`: its late rows go somewhere, so whole rows cross the edge.
    Window {
        window: &'m Window,
        how: &'m Aggregate,
        late: bool,
    },
    /// `late`: its late rows go somewhere.
    Process {
        process: &'m Process,
        late: bool,
    },
}

impl<'m> Operator<'m> {
    /// What its state is called in what is stored: another kind of state has another name, so that the one is never taken
    /// for the other.
    pub(crate) fn state(&self) -> Option<&'static str> {
        match self {
            Operator::Union | Operator::Exchange(_) => None,
            Operator::Reduce { .. } | Operator::Fold { .. } | Operator::Aggregate { .. } => Some("total"),
            Operator::Window { .. } => Some("windows"),
            Operator::Process { .. } => Some("row"),
        }
    }

    /// Which windows it has, in one form for the same ones; empty if it has none, or if a param says it.
    pub(crate) fn windows(&self) -> String {
        match self {
            Operator::Window { window, .. } => window.kind(),
            _ => String::new(),
        }
    }

    /// What it computes, if it aggregates.
    pub(crate) fn how(&self) -> Option<&'m Aggregate> {
        match self {
            Operator::Aggregate { how, .. } | Operator::Window { how, .. } => Some(how),
            _ => None,
        }
    }

    /// The aggregate whose values are taken in front of the edge. Where late rows are wanted, whole rows cross it, which
    /// is what an aggregator of the user's takes anyway.
    pub(crate) fn front(&self) -> Option<&'m Aggregate> {
        match self {
            Operator::Aggregate { how, .. } => Some(how),
            Operator::Window { how, late, .. } if !late || how.is_own() => Some(how),
            _ => None,
        }
    }
}

/// Operators that run as one loop.
pub(crate) struct Chain<'m> {
    pub(crate) head: Head<'m>,
    /// The `let` or `source` that it starts with.
    pub(crate) stream: &'m Ident,
    /// Whether its rows have event time.
    pub(crate) time: Option<Term>,
    /// Whether something in it or behind it needs that.
    pub(crate) needs: Timing,
    pub(crate) operators: Vec<Meta>,
    pub(crate) counters: usize,
    pub(crate) outs: Vec<Out>,
    pub(crate) body: Flow<'m>,
    pub(crate) late: Option<Flow<'m>>,
    /// What happens to the rows of the outputs that its process declares, with the counter of each.
    pub(crate) sides: Vec<(Flow<'m>, usize)>,
    /// What happens to records that its source could not read, with their counter.
    pub(crate) errors: Option<(Flow<'m>, usize)>,
    /// Which flows follow on it.
    pub(crate) behind: Behind,
}

#[derive(Clone, Copy)]
pub(crate) enum Head<'m> {
    Source(&'m Stream, &'m Source),
    /// Index in [`Plan::edges`].
    Edge(usize),
    /// A stream that the flow takes, by its place among those.
    Input(usize),
    /// An output of a flow that is used: of which `let`, and its place among the named ones, or none for the main one.
    Output(StreamId, Option<usize>),
}

/// Where a chain writes, with the number of this producer.
#[derive(Clone, Copy)]
pub(crate) enum Out {
    Edge {
        edge: usize,
        producer: usize,
    },
    /// Into a flow that is used, as one of its streams; and the operator whose rows it takes.
    Flow {
        id: StreamId,
        input: usize,
        after: usize,
    },
    /// An output of the flow that is written.
    Return {
        output: usize,
        after: usize,
    },
    /// Index in [`Plan::sinks`]; and the operator whose rows it takes.
    Sink {
        sink: usize,
        producer: usize,
        input: usize,
    },
}

/// What the plan and messages say of an operator.
pub(crate) struct Meta {
    pub(crate) what: String,
    pub(crate) name: String,
    pub(crate) at: Span,
    pub(crate) arrival_ordered: bool,
    pub(crate) stateful: bool,
    pub(crate) counted: Option<usize>,
    /// The operator of the chain whose rows it takes.
    pub(crate) input: usize,
}

pub(crate) struct SinkPlan<'m> {
    pub(crate) name: &'m Ident,
    /// `None`: rows are collected.
    pub(crate) connector: Option<&'m Code>,
    /// When it begins a new file.
    pub(crate) roll: Option<&'m Roll>,
    pub(crate) producers: usize,
}

/// What `run` gives back for a `collect()`.
pub(crate) struct Collected<'m> {
    pub(crate) name: &'m Ident,
    pub(crate) ty: &'m TokenStream,
}

/// The collected outputs, also of sinks that are left out: code that reads the results must not break over them.
pub(crate) fn collected(model: &Model) -> Vec<Collected<'_>> {
    let collects = model.sinks.iter().filter(|sink| matches!(sink.connector, crate::syntax::Connector::Collect));
    collects
        .filter_map(|sink| {
            let ty = sink.inputs.iter().find_map(|input| model.stream(input.stream).declared.as_ref())?;
            Some(Collected { name: &sink.name, ty })
        })
        .collect()
}
