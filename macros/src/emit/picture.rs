//! The plan as a picture in the documentation of the job's struct, so far as the macro knows it: chains, operators, edges and
//! why they are there, without the types of what crosses them. How large a row is only rustc knows: of bytes the picture has how many travel together.

use pelton_picture::{Arrow, Chain, EdgeKind, Operator, Picture};
use proc_macro2::TokenStream;
use quote::quote;

use crate::lower::{Edge, Head, Out, Plan, SinkPlan, Term};
use crate::model::StreamId;
use crate::syntax::param::text;

/// What rows cross an edge in, and how many of these a worker may have under way. They are the runtime's (`frame/writer.rs`), which holds these
/// texts against its own numbers.
const FRAMES: &str = "frames of about 128 KiB by default";
const UNDER_WAY: &str = "a worker has at most 32 of them under way, and 6 for each receiver";

/// The attribute, which says nothing but to rustdoc.
pub(crate) fn attribute(plan: &Plan) -> TokenStream {
    if !plan.model.is_whole() {
        return TokenStream::new();
    }
    let picture = format!("\n# Plan\n\n{}", picture(plan).to_rustdoc());
    quote!(#[cfg_attr(doc, doc = #picture)])
}

/// The picture of a job.
pub(crate) fn picture(plan: &Plan) -> Picture {
    let model = plan.model;
    let mut drawing = Drawing { plan, chains: vec![], arrows: vec![], places: vec![], uses: vec![] };
    drawing.chains();
    drawing.arrows();
    let dropped: Vec<String> = model.drops.iter().map(|drop| model.written(drop)).collect();
    let dropped = (!dropped.is_empty()).then(|| format!("dropped: {}", dropped.join(", ")));
    Picture {
        title: model.name.to_string(),
        subtitle: format!(
            "State in {}. The binary's own plan tells the rows, and how many bytes are under way at most.",
            model.backend
        ),
        chains: drawing.chains,
        arrows: drawing.arrows,
        notes: dropped.into_iter().collect(),
    }
}

struct Drawing<'p, 'm> {
    plan: &'p Plan<'m>,
    chains: Vec<Chain>,
    arrows: Vec<Arrow>,
    /// The box of each chain of the plan.
    places: Vec<usize>,
    /// The box of each flow that is used.
    uses: Vec<(StreamId, usize)>,
}

impl Drawing<'_, '_> {
    /// A box for each chain, and one for each flow that is used, in front of what it gives.
    fn chains(&mut self) {
        let plan = self.plan;
        for chain in &plan.chains {
            if let Head::Output(id, _) = chain.head {
                self.flow(id);
            }
            let mut operators: Vec<Operator> = chain
                .operators
                .iter()
                .map(|meta| Operator {
                    name: meta.name.clone(),
                    what: meta.what.clone(),
                    stateful: meta.stateful,
                    arrival_ordered: meta.arrival_ordered,
                    sink: false,
                    input: meta.input,
                })
                .collect();
            if let (Head::Source(_, source), Some(first)) = (chain.head, operators.first_mut()) {
                first.what = text(&source.connector.tokens);
            }
            for out in &chain.outs {
                if let Out::Sink { sink, input, .. } = *out {
                    operators.push(sink_of(&plan.sinks[sink], input));
                }
            }
            self.places.push(self.chains.len());
            self.chains.push(Chain { operators });
        }
        for used in &plan.uses {
            self.flow(used.id);
        }
    }

    /// The box of a flow, which is opaque.
    fn flow(&mut self, id: StreamId) -> usize {
        if let Some(&(_, place)) = self.uses.iter().find(|(known, _)| *known == id) {
            return place;
        }
        let place = self.chains.len();
        let used = self.plan.uses.iter().find(|used| used.id == id);
        let (name, path) = used.map_or_else(Default::default, |used| {
            (used.stream.name.to_string(), format!("flow {}", text(&used.used.call.path)))
        });
        self.chains.push(Chain { operators: vec![Operator { name, what: path, ..Operator::default() }] });
        self.uses.push((id, place));
        place
    }

    fn arrows(&mut self) {
        let plan = self.plan;
        for (from, chain) in plan.chains.iter().enumerate() {
            let here = self.places[from];
            if let Head::Output(id, output) = chain.head {
                let output = output.map_or_else(|| "its rows".to_string(), |n| format!("its `{}`", plan.output(id, n)));
                let flow = self.flow(id);
                self.same_loop(flow, here, &output);
            }
            for out in &chain.outs {
                match *out {
                    Out::Edge { edge, .. } => {
                        let behind = |it: &crate::lower::Chain| matches!(it.head, Head::Edge(at) if at == edge);
                        if let Some(to) = plan.chains.iter().position(behind) {
                            self.arrows.push(arrow(&plan.edges[edge], here, self.places[to]));
                        }
                    }
                    Out::Flow { id, .. } => {
                        let flow = self.flow(id);
                        self.same_loop(here, flow, "into the flow");
                    }
                    Out::Return { .. } | Out::Sink { .. } => {}
                }
            }
        }
    }

    /// A flow is a part of the loop in front of it.
    fn same_loop(&mut self, from: usize, to: usize, what: &str) {
        let about = "nothing is cut here: a flow runs in the loop that it is used in".to_string();
        let label = vec!["same loop".to_string(), what.to_string()];
        self.arrows.push(Arrow { from, to, kind: EdgeKind::Local, label, about });
    }
}

fn sink_of(sink: &SinkPlan, input: usize) -> Operator {
    let what = sink.connector.map_or_else(|| "collect()".to_string(), |code| text(&code.tokens));
    Operator { name: sink.name.to_string(), what, sink: true, input, ..Operator::default() }
}

fn arrow(edge: &Edge, from: usize, to: usize) -> Arrow {
    let (because, kind) = super::meta::cut(edge);
    let kind = match kind {
        "Local" => EdgeKind::Local,
        "Global" => EdgeKind::Global,
        "Rebalance" => EdgeKind::Rebalance,
        "Shuffle" => EdgeKind::Shuffle,
        "Broadcast" => EdgeKind::Broadcast,
        "Partition" => EdgeKind::Partition,
        _ => EdgeKind::ByKey,
    };
    let mut label = vec![kind.words(""), format!("cut at {because}")];
    let rows: Vec<&str> = [("timed", edge.timing.0.contains(&Term::Always)), ("combined", edge.combined)]
        .into_iter()
        .filter_map(|(what, is)| is.then_some(what))
        .collect();
    if !rows.is_empty() {
        label.push(format!("rows {}", rows.join(", ")));
    }
    label.push(FRAMES.to_string());
    let about = format!("{}; cut here because of {because}; rows go in {FRAMES}, and {UNDER_WAY}", kind.words(""));
    Arrow { from, to, kind, label, about }
}
