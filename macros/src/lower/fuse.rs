//! Cuts the graph into chains: in front of every keyed operator and every union. All else stays in the chain it is in.

use proc_macro2::Ident;

use super::flow::{Branch, Flow, Into, Send, Step, Way};
use super::{Behind, Chain, Edge, Head, Meta, Operator, Out, Plan, SinkPlan, Timing, UsePlan, apart, timing};
use crate::catalog::Role;
use crate::model::graph::{Consumer, Time};
use crate::model::{Model, Origin, Port, StreamId};
use crate::syntax::{Call, Connector, Emit, Life, OnError, Op, Source, Split};

/// Lowers the sound part of a model.
pub(crate) fn lower(model: &Model) -> Plan<'_> {
    let mut plan = Plan { model, edges: vec![], chains: vec![], sinks: vec![], uses: vec![] };
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
        if let (Origin::Input { input, .. }, Some(_)) = (&model.stream(id).origin, &model.flow) {
            let meta = Meta::plain(&format!("flow {}", model.name), String::new(), &model.stream(id).name, 0);
            Builder::start(&mut plan, &cuts, &sinks, Head::Input(*input), id, meta).finish(0);
        }
        if let Origin::Flow(used) = &model.stream(id).origin {
            let stream = model.stream(id);
            let times = used.inputs.iter().map(|input| timing::of_use(model, input)).collect();
            plan.uses.push(UsePlan { id, stream, used, times });
            // of a flow that is not known here, a main output that nothing uses may not be there
            let wanted = !stream.ops.is_empty() || model.is_used(id, Port::Rows);
            if used.known.unwrap_or(wanted) {
                let meta = Meta::plain("output", name_at(&stream.ops, 0, &stream.name), &stream.name, 0);
                Builder::start(&mut plan, &cuts, &sinks, Head::Output(id, None), id, meta).finish(0);
            }
            for (n, output) in used.outputs.iter().enumerate() {
                let meta = Meta::plain("output", format!("{}.{output}", stream.name), output, 0);
                Builder::start(&mut plan, &cuts, &sinks, Head::Output(id, Some(n)), id, meta).finish(0);
            }
        }
        for cut in cuts.iter().filter(|cut| cut.stream == id) {
            let edge = &plan.edges[cut.edge];
            let name = name_at(&model.stream(id).ops, cut.goes_on, &model.stream(id).name);
            let mut meta = Meta::plain(&edge.operator.text(), name, edge.at, 0);
            (meta.stateful, meta.arrival_ordered) = (edge.operator.is_stateful(), edge.operator.is_arrival_ordered());
            Builder::start(&mut plan, &cuts, &sinks, Head::Edge(cut.edge), id, meta).finish(cut.goes_on);
        }
    }
    timing::mark(&mut plan);
    apart::mark(&mut plan);
    plan
}

/// A place where a chain ends and the next begins.
struct Cut {
    stream: StreamId,
    edge: usize,
    /// The operator that it is cut at; `None` in front of the first, for a union.
    at: Option<usize>,
    /// Index of the operator that follows in the chain behind it.
    goes_on: usize,
}

/// The edges of a stream: one for a union, one for its keyed operator, one for each that moves rows.
fn edges<'m>(model: &'m Model, id: StreamId, plan: &mut Plan<'m>, cuts: &mut Vec<Cut>) {
    let stream = model.stream(id);
    let mut cut = |name: &'m Ident, suffix: String, operator, combined, at: Option<usize>, goes_on| {
        cuts.push(Cut { stream: id, edge: plan.edges.len(), at, goes_on });
        plan.edges.push(Edge {
            stream: &stream.name,
            was: &stream.was,
            suffix,
            operator,
            at: name,
            combined,
            global: at.is_some_and(|at| one_key(model, id, at)),
            timing: Timing::default(),
            producers: 0,
        });
    };
    if let Origin::Union(word, _) = &stream.origin {
        let stateful = stream.ops.iter().any(|op| op.role() == Role::Stateful);
        cut(word, if stateful { "_union".to_string() } else { String::new() }, Operator::Union, false, None, 0);
    }
    for (at, op) in stream.ops.iter().enumerate() {
        let (operator, combined, goes_on) = match &op.call {
            Call::Exchange(exchange) => {
                if has_edge(model, id, at) {
                    let suffix = format!("_{}{at}", op.name);
                    cut(&op.name, suffix, Operator::Exchange(exchange), false, Some(at), at + 1);
                }
                continue;
            }
            Call::Reduce { with, emit, life } => (Operator::Reduce { with, emit, life }, false, at + 1),
            Call::Fold { start, with, emit, life } => (Operator::Fold { start, with, emit, life }, false, at + 1),
            // behind a window it is part of that
            Call::Aggregate { .. } if at > 0 && matches!(stream.ops[at - 1].call, Call::Window(_)) => continue,
            Call::Aggregate { how, emit, life } => {
                let emit = emit.as_ref().map_or(Emit::Each, |(_, emit)| emit.clone());
                let timed = model.time(id) == Time::Known;
                // A partial result is of many times; how long it lives goes by that of each row.
                let ordered = how.goes_by_order() && !timed;
                let combined = !matches!(emit, Emit::Each) && life.ttl.is_none() && !ordered && how.combines();
                (Operator::Aggregate { how, emit, life, timed }, combined, at + 1)
            }
            Call::Process(process) => {
                let late = !model.consumers(id, Port::Late).is_empty();
                (Operator::Process { process, late }, false, at + 1)
            }
            Call::Window(window) => {
                let Some(Op { call: Call::Aggregate { how, .. }, .. }) = stream.ops.get(at + 1) else { continue };
                let late = !model.consumers(id, Port::Late).is_empty();
                (Operator::Window { window, how, late }, !late && how.combines(), at + 2)
            }
            _ => continue,
        };
        cut(&op.name, String::new(), operator, combined, Some(at), goes_on);
    }
}

/// Whether an operator with state has one key, since a `global` stands in front of it.
fn one_key(model: &Model, id: StreamId, at: usize) -> bool {
    let stream = model.stream(id);
    match at.checked_sub(1) {
        Some(before) => stream.ops[before].is_global(),
        None => {
            matches!(&stream.origin, Origin::Stream(used) if used.port == Port::Rows && model.stream(used.stream).is_global())
        }
    }
}

/// Whether rows are brought to other workers for the operator that moves them itself. For a `global` in front of an operator with
/// state they are not: that takes them as rows of one key, and what can be combined is combined first.
fn has_edge(model: &Model, id: StreamId, at: usize) -> bool {
    let stream = model.stream(id);
    if !stream.ops[at].is_global() {
        return true;
    }
    match stream.ops.get(at + 1) {
        Some(next) => next.role() != Role::Stateful,
        None => model.consumers(id, Port::Rows).iter().any(|consumer| !model.takes_one_key(consumer)),
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
            Operator::Exchange(_) => "receive".to_string(),
            Operator::Reduce { emit, life, .. } => format!("reduce, {}{}", emit.text(), ttl(life)),
            Operator::Fold { emit, life, .. } => format!("fold, {}{}", emit.text(), ttl(life)),
            Operator::Aggregate { how, emit, life, .. } => {
                format!("aggregate {}, {}{}", how.text(), emit.text(), ttl(life))
            }
            Operator::Process { process, .. } => process.text(),
            Operator::Window { window, late: true, how } => format!("{}, aggregate {}", window.text(), how.text()),
            Operator::Window { window, .. } => window.text(),
        }
    }

    fn is_stateful(&self) -> bool {
        self.state().is_some()
    }

    /// Whether the result depends on how rows of different senders interleave: always where rows are put together by
    /// the user's closure, and where results come out in between.
    fn is_arrival_ordered(&self) -> bool {
        match self {
            Operator::Reduce { .. } | Operator::Fold { .. } => true,
            // What is over when a row comes depends on what has come before it.
            Operator::Aggregate { how, emit, life, timed } => {
                !matches!(emit, Emit::AtEnd) || life.ttl.is_some() || how.goes_by_order() && !timed
            }
            Operator::Process { process, .. } => process.in_order.is_none(),
            Operator::Union | Operator::Exchange(_) | Operator::Window { .. } => false,
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
            time: timing::of_stream(plan.model, id),
            needs: Timing::default(),
            operators: vec![first],
            counters: 0,
            outs: vec![],
            body: Flow { steps: vec![], ends: vec![] },
            late: None,
            sides: vec![],
            errors: None,
            behind: Behind::None,
        };
        Builder { plan, cuts, sinks, id, chain }
    }

    /// Builds the bodies, from the operator with this index on, and adds the chain to the plan.
    fn finish(mut self, from: usize) {
        let operator = match self.chain.head {
            Head::Edge(edge) => Some(&self.plan.edges[edge].operator),
            _ => None,
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
        self.chain.body = match self.chain.head {
            Head::Output(id, Some(n)) => Flow { steps: vec![], ends: self.consumers(id, Port::Flow(n), 0) },
            _ => self.rows(self.id, from, 0),
        };
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
        let mut declared =
            stream.declared.as_ref().filter(|_| !matches!(stream.origin, Origin::Source(_) | Origin::Input { .. }));
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
                    return Flow { steps, ends: vec![Branch::Keyed { op, code: Some(code), index, sends }] };
                }
                Call::Exchange(exchange) => {
                    meta.name = String::new();
                    let index = self.operator(meta);
                    let mut ends = vec![];
                    if op.is_global() {
                        let sends = match stream.ops.get(at + 1) {
                            Some(next) if next.role() == Role::Stateful => {
                                self.send(id, None, index).into_iter().collect()
                            }
                            Some(_) => vec![],
                            None => self.keyed_consumers(id, index),
                        };
                        if !sends.is_empty() {
                            ends.push(Branch::Keyed { op, code: None, index, sends });
                        }
                    }
                    if let Some(cut) = self.cuts.iter().find(|cut| cut.stream == id && cut.at == Some(at)) {
                        let out = self.edge(cut.edge);
                        ends.push(Branch::Exchange { op, exchange, index, out });
                    }
                    return Flow { steps, ends };
                }
                Call::Split(split) => {
                    let index = self.operator(meta);
                    return Flow { steps, ends: vec![self.split(id, op, split, index)] };
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
        if stream.is_keyed() {
            let sends = self.keyed_consumers(id, input);
            return Flow { steps, ends: vec![Branch::Came { at: &stream.name, sends }] };
        }
        let ends = self.consumers(id, Port::Rows, input);
        Flow { steps, ends }
    }

    /// The ways behind a split. Each output is an operator of its own in the plan.
    fn split(&mut self, id: StreamId, op: &'m Op, split: &'m Split, index: usize) -> Branch<'m> {
        let stream = self.plan.model.stream(id);
        let mut ways = vec![];
        for (n, arm) in split.arms.iter().enumerate() {
            let counter = self.chain.counters;
            self.chain.counters += 1;
            let mut meta = Meta::plain("output", format!("{}.{}", stream.name, arm.name), &arm.name, index);
            meta.counted = Some(counter);
            let input = self.operator(meta);
            let ends = self.consumers(id, Port::Arm(n), input);
            ways.push(Way { arm, counter, flow: Flow { steps: vec![], ends } });
        }
        Branch::Split { op, split, index, ways }
    }

    fn consumers(&mut self, id: StreamId, port: Port, input: usize) -> Vec<Branch<'m>> {
        let model = self.plan.model;
        let mut all = vec![];
        let global = port == Port::Rows && model.stream(id).is_global();
        for consumer in model.consumers(id, port) {
            // these are sent to in front of the edge
            if global && model.takes_one_key(&consumer) {
                continue;
            }
            match consumer {
                Consumer::Let { stream, at } => all.push(Branch::Flow { at, flow: self.rows(stream, 0, input) }),
                Consumer::Union { stream, at } => {
                    let Some(cut) = self.cuts.iter().find(|cut| cut.stream == stream && cut.at.is_none()) else {
                        continue;
                    };
                    let out = self.edge(cut.edge);
                    all.push(Branch::Union { at, out });
                }
                Consumer::Flow { stream, input: place, at } => {
                    self.chain.outs.push(Out::Flow { id: stream, input: place, after: input });
                    all.push(Branch::Enter { at, out: self.chain.outs.len() - 1 });
                }
                Consumer::Return { output, at } => {
                    self.chain.outs.push(Out::Return { output, after: input });
                    all.push(Branch::Enter { at, out: self.chain.outs.len() - 1 });
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

    /// The keyed operators that use a keyed stream, and the flows that take it.
    fn keyed_consumers(&mut self, id: StreamId, input: usize) -> Vec<Send<'m>> {
        let model = self.plan.model;
        let keyed = model.stream(id).is_keyed();
        let mut all = vec![];
        for consumer in model.consumers(id, Port::Rows) {
            match consumer {
                Consumer::Let { stream, at } if model.takes_one_key(&consumer) => {
                    all.extend(self.send(stream, Some(at), input));
                }
                Consumer::Flow { stream, input: place, at } if keyed => {
                    self.chain.outs.push(Out::Flow { id: stream, input: place, after: input });
                    all.push(Send { at, out: self.chain.outs.len() - 1, into: Into::Flow });
                }
                _ => {}
            }
        }
        all
    }

    /// Sends to the keyed operator of a stream.
    fn send(&mut self, id: StreamId, at: Option<&'m Ident>, input: usize) -> Option<Send<'m>> {
        let stateful = self.plan.model.stream(id).ops.iter().position(|op| op.role() == Role::Stateful);
        let edge = self.cuts.iter().find(|cut| cut.stream == id && cut.at.is_some() && cut.at == stateful)?.edge;
        let out = self.edge(edge);
        let it = &self.plan.edges[edge];
        let (own, front, combined) = (it.at, it.operator.front(), it.combined);
        let words = front.map(|how| {
            // The closures of its words run in front of the edge, and where it is combined so do aggregators of the user's.
            let in_front = how.words().next().is_some() || combined && how.keeps_rows();
            let text = format!("aggregate {}", how.text());
            (how, in_front.then(|| self.operator(Meta::plain(&text, String::new(), own, input))))
        });
        Some(Send { at: at.unwrap_or(own), out, into: Into::Edge { edge, words } })
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
