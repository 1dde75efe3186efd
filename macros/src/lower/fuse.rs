//! Cuts the graph into chains: in front of every keyed operator and every union. All else stays in the chain it is in.

use proc_macro2::Ident;

use super::flow::{Branch, Flow, Send, Step};
use super::{Chain, Edge, Head, Meta, Operator, Out, Plan, SinkPlan};
use crate::catalog::Role;
use crate::model::graph::{Consumer, Time};
use crate::model::{Model, Origin, Port, StreamId};
use crate::syntax::{Call, Connector, Emit, Life, OnError, Op, Source};

/// Lowers the sound part of a model.
pub(crate) fn lower(model: &Model) -> Plan<'_> {
    let mut plan = Plan { model, edges: vec![], chains: vec![], sinks: vec![] };
    let mut cuts = vec![];
    for id in model.ids().filter(|id| model.stream(*id).sound) {
        edges(model, id, &mut plan, &mut cuts);
    }
    // sinks that get rows
    let mut sinks = vec![];
    for (at, sink) in model.sinks.iter().enumerate() {
        let fed = sink.inputs.iter().any(|input| input.sound && model.stream(input.stream).sound);
        sinks.push((sink.sound && fed).then(|| {
            let (connector, roll) = match &sink.connector {
                Connector::Collect => (None, None),
                Connector::Code(code, roll) => (Some(code), roll.as_ref()),
            };
            plan.sinks.push(SinkPlan { name: &model.sinks[at].name, connector, roll, producers: 0 });
            plan.sinks.len() - 1
        }));
    }
    for id in model.ids().filter(|id| model.stream(*id).sound) {
        if let Origin::Source(source) = &model.stream(id).origin {
            let stream = model.stream(id);
            let meta = Meta::plain("source", stream.name.to_string(), &stream.name, 0);
            Builder::start(&mut plan, &cuts, &sinks, Head::Source(stream, source), id, meta).finish(0);
        }
        for cut in cuts.iter().filter(|cut| cut.stream == id) {
            let edge = &plan.edges[cut.edge];
            let name = name_at(&model.stream(id).ops, cut.goes_on, &model.stream(id).name);
            let mut meta = Meta::plain(&edge.operator.text(), name, edge.at, 0);
            (meta.stateful, meta.arrival_ordered) = (edge.operator.is_stateful(), edge.operator.is_arrival_ordered());
            Builder::start(&mut plan, &cuts, &sinks, Head::Edge(cut.edge), id, meta).finish(cut.goes_on);
        }
    }
    mark_timed(&mut plan);
    plan
}

/// A place where a chain ends and the next begins.
struct Cut {
    stream: StreamId,
    edge: usize,
    union: bool,
    /// Index of the operator that follows in the chain behind it.
    goes_on: usize,
}

/// The edges in front of a stream: one for a union, one for its keyed operator.
fn edges<'m>(model: &'m Model, id: StreamId, plan: &mut Plan<'m>, cuts: &mut Vec<Cut>) {
    let stream = model.stream(id);
    let stateful = stream.ops.iter().position(|op| op.role() == Role::Stateful);
    let edge = |at: &'m Ident, suffix, operator, combined| Edge {
        stream: &stream.name,
        was: &stream.was,
        suffix,
        operator,
        at,
        combined,
        timed: false,
        producers: 0,
    };
    if let Origin::Union(word, _) = &stream.origin {
        let suffix = if stateful.is_some() { "_union" } else { "" };
        cuts.push(Cut { stream: id, edge: plan.edges.len(), union: true, goes_on: 0 });
        plan.edges.push(edge(word, suffix, Operator::Union, false));
    }
    let Some(at) = stateful else { return };
    let op = &stream.ops[at];
    let (operator, combined, goes_on) = match &op.call {
        Call::Reduce { with, emit, life } => (Operator::Reduce { with, emit, life }, false, at + 1),
        Call::Fold { start, with, emit, life } => (Operator::Fold { start, with, emit, life }, false, at + 1),
        Call::Aggregate { how, emit, life } => {
            let emit = emit.as_ref().map_or(Emit::Each, |(_, emit)| emit.clone());
            // A partial result is of many times; how long it lives goes by that of each row.
            let combined = !matches!(emit, Emit::Each) && life.ttl.is_none();
            (Operator::Aggregate { how, emit, life }, combined, at + 1)
        }
        Call::Process(process) => {
            let (timed, late) = (model.time(id) == Time::Known, !model.consumers(id, Port::Late).is_empty());
            (Operator::Process { process, timed, late }, false, at + 1)
        }
        Call::Window(window) => {
            let Some(Op { call: Call::Aggregate { how, .. }, .. }) = stream.ops.get(at + 1) else { return };
            let late = !model.consumers(id, Port::Late).is_empty();
            (Operator::Window { window, how, late }, !late, at + 2)
        }
        _ => return,
    };
    cuts.push(Cut { stream: id, edge: plan.edges.len(), union: false, goes_on });
    plan.edges.push(edge(&op.name, "", operator, combined));
}

/// An edge needs time if its operator does, or an edge that its chain writes to.
fn mark_timed(plan: &mut Plan) {
    for chain in plan.chains.iter().rev() {
        let Head::Edge(edge) = chain.head else { continue };
        let behind = chain.outs.iter().any(|out| matches!(out, Out::Edge { edge, .. } if plan.edges[*edge].timed));
        let own = match &plan.edges[edge].operator {
            Operator::Window { .. } => true,
            Operator::Process { timed, .. } => *timed,
            Operator::Reduce { life, .. } | Operator::Fold { life, .. } | Operator::Aggregate { life, .. } => {
                life.ttl.is_some() && chain.has_time
            }
            Operator::Union => false,
        };
        plan.edges[edge].timed = behind || own;
    }
}

/// The name of a `let`, on the last of its operators.
fn name_at(ops: &[Op], next: usize, name: &Ident) -> String {
    if next >= ops.len() { name.to_string() } else { String::new() }
}

impl Meta {
    fn plain(what: &str, name: String, at: &Ident, input: usize) -> Meta {
        let (what, at) = (what.to_string(), at.span());
        Meta { what, name, at, arrival_ordered: false, stateful: false, counted: None, input }
    }
}

/// A ttl as the plan shows it.
fn ttl(life: &Life) -> String {
    life.ttl.as_ref().map_or(String::new(), |_| format!(", {}", life.text()))
}

impl Operator<'_> {
    fn text(&self) -> String {
        match self {
            Operator::Union => "union".to_string(),
            Operator::Reduce { emit, life, .. } => format!("reduce, {}{}", emit.text(), ttl(life)),
            Operator::Fold { emit, life, .. } => format!("fold, {}{}", emit.text(), ttl(life)),
            Operator::Aggregate { how, emit, life } => {
                format!("aggregate {}, {}{}", how.text(), emit.text(), ttl(life))
            }
            Operator::Process { process, .. } => process.text(),
            Operator::Window { window, late: true, how } => format!("{}, aggregate {}", window.text(), how.text()),
            Operator::Window { window, .. } => window.text(),
        }
    }

    fn is_stateful(&self) -> bool {
        !matches!(self, Operator::Union)
    }

    /// Whether the result depends on how rows of different senders interleave: always where rows are put together by
    /// the user's closure, and where results come out in between.
    fn is_arrival_ordered(&self) -> bool {
        match self {
            Operator::Reduce { .. } | Operator::Fold { .. } => true,
            // What is over when a row comes depends on what has come before it.
            Operator::Aggregate { emit, life, .. } => !matches!(emit, Emit::AtEnd) || life.ttl.is_some(),
            Operator::Process { process, .. } => process.in_order.is_none(),
            Operator::Union | Operator::Window { .. } => false,
        }
    }
}

/// Builds one chain.
struct Builder<'p, 'm> {
    plan: &'p mut Plan<'m>,
    cuts: &'p [Cut],
    /// Index in the plan of each of the model's sinks.
    sinks: &'p [Option<usize>],
    id: StreamId,
    chain: Chain<'m>,
}

impl<'p, 'm> Builder<'p, 'm> {
    fn start(
        plan: &'p mut Plan<'m>,
        cuts: &'p [Cut],
        sinks: &'p [Option<usize>],
        head: Head<'m>,
        id: StreamId,
        first: Meta,
    ) -> Self {
        let chain = Chain {
            head,
            stream: &plan.model.stream(id).name,
            has_time: plan.model.time(id) == Time::Known,
            operators: vec![first],
            counters: 0,
            outs: vec![],
            body: Flow { steps: vec![], ends: vec![] },
            late: None,
            sides: vec![],
            errors: None,
        };
        Builder { plan, cuts, sinks, id, chain }
    }

    /// Builds the bodies, from the operator with this index on, and adds the chain to the plan.
    fn finish(mut self, from: usize) {
        let operator = match self.chain.head {
            Head::Edge(edge) => Some(&self.plan.edges[edge].operator),
            Head::Source(..) => None,
        };
        let late = matches!(operator, Some(Operator::Window { late: true, .. } | Operator::Process { late: true, .. }));
        let sides = match operator {
            Some(Operator::Process { process, .. }) => process.outputs.len(),
            _ => 0,
        };
        if sides > 0 {
            // What goes to other outputs is not counted as a row of the main one.
            self.chain.operators[0].counted = Some(self.chain.counters);
            self.chain.counters += 1;
        }
        self.chain.body = self.rows(self.id, from, 0);
        if late {
            let ends = self.consumers(self.id, Port::Late, usize::MAX);
            self.chain.late = Some(Flow { steps: vec![], ends });
        }
        for side in 0..sides {
            self.side(side);
        }
        if let Head::Source(stream, Source { on_error: OnError::Divert(word), .. }) = self.chain.head {
            let (ends, counter) = self.output(format!("{}.errors", stream.name), word, Port::Errors);
            self.chain.errors = Some((Flow { steps: vec![], ends }, counter));
        }
        self.plan.chains.push(self.chain);
    }

    /// What happens to the rows of an output that the process declares. It is an operator of its own in the plan.
    fn side(&mut self, side: usize) {
        let stream = self.plan.model.stream(self.id);
        let Some(output) = stream.process().and_then(|process| process.outputs.get(side)) else { return };
        let name = format!("{}.{}", stream.name, output.name);
        let (ends, counter) = self.output(name, &output.name, Port::Side(side));
        self.chain.sides.push((Flow { steps: vec![], ends }, counter));
    }

    /// An output of the chain's first operator, as one of its own in the plan: who takes its rows, and what counts them.
    fn output(&mut self, name: String, at: &Ident, port: Port) -> (Vec<Branch<'m>>, usize) {
        let (index, counter) = (self.chain.operators.len(), self.chain.counters);
        self.chain.counters += 1;
        let mut meta = Meta::plain("output", name, at, index);
        meta.counted = Some(counter);
        self.operator(meta);
        (self.consumers(self.id, port, index), counter)
    }

    /// What happens to the rows of a stream from one of its operators on; `input` is the operator that gives them.
    fn rows(&mut self, id: StreamId, from: usize, mut input: usize) -> Flow<'m> {
        let model = self.plan.model;
        let stream = model.stream(id);
        let mut declared = stream.declared.as_ref().filter(|_| !matches!(stream.origin, Origin::Source(_)));
        let mut steps = vec![];
        for (at, op) in stream.ops.iter().enumerate().skip(from) {
            let name = name_at(&stream.ops, at + 1, &stream.name);
            let mut meta = Meta::plain(&op.name.to_string(), name, &op.name, input);
            let code = match &op.call {
                Call::Map(code) | Call::Inspect(code) => code,
                Call::Filter(code) | Call::FilterMap(code) | Call::FlatMap(code) => {
                    meta.counted = Some(self.chain.counters);
                    self.chain.counters += 1;
                    code
                }
                Call::KeyBy(code) => {
                    let index = self.operator(meta);
                    let sends = match stream.ops.get(at + 1) {
                        Some(_) => self.send(id, None, index).into_iter().collect(),
                        None => self.keyed_consumers(id, index),
                    };
                    return Flow { steps, ends: vec![Branch::Keyed { op, code, index, sends }] };
                }
                // the chain was cut in front of it
                _ => continue,
            };
            let last = at + 1 == stream.ops.len();
            let ty = if last && matches!(op.call, Call::Map(_)) { declared.take() } else { None };
            let counter = meta.counted;
            let index = self.operator(meta);
            input = index;
            steps.push(Step::Op { op, code, index, counter, ty });
        }
        steps.extend(declared.map(Step::Declared));
        let ends = self.consumers(id, Port::Rows, input);
        Flow { steps, ends }
    }

    fn consumers(&mut self, id: StreamId, port: Port, input: usize) -> Vec<Branch<'m>> {
        let model = self.plan.model;
        let mut all = vec![];
        for consumer in model.consumers(id, port) {
            match consumer {
                Consumer::Let { stream, at } => all.push(Branch::Flow { at, flow: self.rows(stream, 0, input) }),
                Consumer::Union { stream, at } => {
                    let Some(cut) = self.cuts.iter().find(|cut| cut.stream == stream && cut.union) else { continue };
                    let out = self.edge(cut.edge);
                    all.push(Branch::Union { at, out });
                }
                Consumer::Sink { sink, at } => {
                    let Some(sink) = self.sinks[sink] else { continue };
                    let producer = self.plan.sinks[sink].producers;
                    self.plan.sinks[sink].producers += 1;
                    self.chain.outs.push(Out::Sink { sink, producer, input });
                    all.push(Branch::Sink { at, out: self.chain.outs.len() - 1 });
                }
            }
        }
        all
    }

    /// The keyed operators that use a keyed stream.
    fn keyed_consumers(&mut self, id: StreamId, input: usize) -> Vec<Send<'m>> {
        let model = self.plan.model;
        let mut all = vec![];
        for consumer in model.consumers(id, Port::Rows) {
            if let Consumer::Let { stream, at } = consumer {
                all.extend(self.send(stream, Some(at), input));
            }
        }
        all
    }

    /// Sends to the keyed operator of a stream.
    fn send(&mut self, id: StreamId, at: Option<&'m Ident>, input: usize) -> Option<Send<'m>> {
        let edge = self.cuts.iter().find(|cut| cut.stream == id && !cut.union)?.edge;
        let out = self.edge(edge);
        let it = &self.plan.edges[edge];
        let (own, front, combined) = (it.at, it.operator.front(), it.combined);
        let words = front.map(|how| {
            // The closures of its words run in front of the edge, and where it is combined so do aggregators of the user's.
            let in_front = how.words().next().is_some() || combined && how.keeps_rows();
            let text = format!("aggregate {}", how.text());
            (how, in_front.then(|| self.operator(Meta::plain(&text, String::new(), own, input))))
        });
        Some(Send { at: at.unwrap_or(own), out, edge, words })
    }

    fn edge(&mut self, edge: usize) -> usize {
        let producer = self.plan.edges[edge].producers;
        self.plan.edges[edge].producers += 1;
        self.chain.outs.push(Out::Edge { edge, producer });
        self.chain.outs.len() - 1
    }

    fn operator(&mut self, meta: Meta) -> usize {
        self.chain.operators.push(meta);
        self.chain.operators.len() - 1
    }
}
