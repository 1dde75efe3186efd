//! Questions about the graph: who takes a stream, is it keyed, has it late rows, has it event time.

use proc_macro2::Ident;

use super::{Model, Origin, Port, Stream, StreamId, Use};
use crate::catalog::{self, Role};
use crate::syntax::{Call, Exchange, OnError, Op, Process, Split, To};

/// Who takes the rows of a stream.
#[derive(Clone)]
pub(crate) enum Consumer<'m> {
    /// A `let` that starts with it.
    Let { stream: StreamId, at: &'m Ident },
    /// A `let` that starts with a union.
    Union { stream: StreamId, at: &'m Ident },
    /// A sink, by its index.
    Sink { sink: usize, at: &'m Ident },
    /// A flow that takes it as one of its streams, by its place among those.
    Flow { stream: StreamId, input: usize, at: &'m Ident },
    /// An output of the flow that is being written, by its place.
    Return { output: usize, at: &'m Ident },
}

impl<'m> Consumer<'m> {
    /// The name of the stream where it is taken.
    pub(crate) fn at(&self) -> &'m Ident {
        match self {
            Consumer::Let { at, .. }
            | Consumer::Union { at, .. }
            | Consumer::Sink { at, .. }
            | Consumer::Flow { at, .. }
            | Consumer::Return { at, .. } => at,
        }
    }
}

/// Whether a stream has event time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Time {
    Known,
    /// The sources on its path that lack it, or that give records to it which they could not read: nobody knows of when those are.
    Missing(Vec<StreamId>),
}

impl Op {
    pub(crate) fn role(&self) -> Role {
        match self.call {
            Call::KeyBy(_) => Role::Keys,
            Call::Reduce { .. } | Call::Fold { .. } | Call::Aggregate { .. } | Call::Window(_) | Call::Process(_) => {
                Role::Stateful
            }
            _ => catalog::operator(&self.name.to_string()).map_or(Role::Stateless, |row| row.role),
        }
    }
}

impl Op {
    pub(crate) fn is_global(&self) -> bool {
        matches!(&self.call, Call::Exchange(Exchange { to: To::One }))
    }
}

impl Stream {
    /// Whether its chain ends in `key_by`, or it is keyed when a flow takes it: a stream for keyed operators only.
    pub(crate) fn is_keyed(&self) -> bool {
        match self.ops.last() {
            Some(op) => op.role() == Role::Keys,
            None => matches!(self.origin, Origin::Input { keyed: true, .. }),
        }
    }

    /// Whether its chain ends in `global`: operators with state take its rows as those of one key.
    pub(crate) fn is_global(&self) -> bool {
        self.ops.last().is_some_and(|op| op.is_global())
    }

    /// Its process, if it has one.
    pub(crate) fn process(&self) -> Option<&Process> {
        self.ops.iter().find_map(|op| match &op.call {
            Call::Process(process) => Some(&**process),
            _ => None,
        })
    }

    /// Its split, if it has one: then it has outputs and no rows.
    pub(crate) fn split(&self) -> Option<&Split> {
        self.ops.iter().find_map(|op| match &op.call {
            Call::Split(split) => Some(split),
            _ => None,
        })
    }

    /// Its outputs besides its rows: each with its name, and where it comes from.
    pub(crate) fn others(&self) -> Vec<(Port, String, &Ident)> {
        let mut all = vec![];
        if let Origin::Flow(used) = &self.origin {
            let outputs = used.outputs.iter().enumerate();
            all.extend(outputs.map(|(n, output)| (Port::Flow(n), output.to_string(), &used.call.name)));
        }
        if let Origin::Source(source) = &self.origin
            && let OnError::Divert(word) = &source.on_error
        {
            all.push((Port::Errors, "errors".to_string(), word));
        }
        for op in &self.ops {
            match &op.call {
                Call::Window(_) => all.push((Port::Late, "late".to_string(), &op.name)),
                Call::Process(process) => {
                    all.extend(process.in_order.iter().map(|word| (Port::Late, "late".to_string(), word)));
                    let sides = process.outputs.iter().enumerate();
                    all.extend(sides.map(|(n, output)| (Port::Side(n), output.name.to_string(), &output.name)));
                }
                Call::Split(split) => {
                    let arms = split.arms.iter().enumerate();
                    all.extend(arms.map(|(n, arm)| (Port::Arm(n), arm.name.to_string(), &arm.name)));
                }
                _ => {}
            }
        }
        all
    }

    /// What one of its outputs is called behind its name: `late`; `None` for its rows.
    pub(crate) fn output(&self, port: Port) -> Option<String> {
        match port {
            Port::Rows => None,
            _ => {
                Some(self.others().into_iter().find(|(other, ..)| *other == port).map_or("late".to_string(), |it| it.1))
            }
        }
    }
}

impl Model {
    /// Whether a consumer takes rows of `global` as those of one key: its first operator keeps state.
    pub(crate) fn takes_one_key(&self, consumer: &Consumer) -> bool {
        match consumer {
            Consumer::Let { stream, .. } => {
                self.stream(*stream).ops.first().is_some_and(|op| op.role() == Role::Stateful)
            }
            Consumer::Union { .. } | Consumer::Sink { .. } | Consumer::Flow { .. } | Consumer::Return { .. } => false,
        }
    }

    /// A use as it is written: `hourly`, `hourly.late`.
    pub(crate) fn written(&self, used: &Use) -> String {
        match self.stream(used.stream).output(used.port) {
            None => used.at.to_string(),
            Some(output) => format!("{}.{output}", used.at),
        }
    }

    /// Sound consumers of an output, in data order, sinks last.
    pub(crate) fn consumers(&self, stream: StreamId, port: Port) -> Vec<Consumer<'_>> {
        let mut all = vec![];
        for id in self.ids().filter(|id| self.stream(*id).sound) {
            let origin = &self.stream(id).origin;
            for (input, used) in origin.inputs().iter().enumerate() {
                if (used.stream, used.port) == (stream, port) {
                    all.push(match origin {
                        Origin::Union(..) => Consumer::Union { stream: id, at: &used.at },
                        Origin::Flow(_) => Consumer::Flow { stream: id, input, at: &used.at },
                        _ => Consumer::Let { stream: id, at: &used.at },
                    });
                }
            }
        }
        for (sink, it) in self.sinks.iter().enumerate().filter(|(_, sink)| sink.sound) {
            for used in &it.inputs {
                if used.sound && (used.stream, used.port) == (stream, port) {
                    all.push(Consumer::Sink { sink, at: &used.at });
                }
            }
        }
        let returns = self.flow.iter().flat_map(|flow| flow.returns.iter().enumerate());
        for (output, used) in returns.filter_map(|(output, used)| Some((output, used.as_ref()?))) {
            if used.sound && (used.stream, used.port) == (stream, port) {
                all.push(Consumer::Return { output, at: &used.at });
            }
        }
        all
    }

    /// Whether anything takes an output or drops it aloud, or may have done so in a statement that is broken.
    pub(crate) fn is_used(&self, stream: StreamId, port: Port) -> bool {
        let name = &self.stream(stream).name;
        let mut uses = self
            .streams
            .iter()
            .flat_map(|s| s.origin.inputs())
            .chain(self.sinks.iter().flat_map(|sink| &sink.inputs))
            .chain(&self.drops)
            .chain(self.flow.iter().flat_map(|flow| flow.returns.iter().flatten()));
        uses.any(|used| (used.stream, used.port) == (stream, port)) || self.mentioned.contains(name)
    }

    /// The source to whose unread records a stream goes back, if it does.
    pub(crate) fn unread(&self, id: StreamId) -> Option<StreamId> {
        self.stream(id).origin.inputs().iter().find_map(|input| match input.port {
            Port::Errors => Some(input.stream),
            _ => self.unread(input.stream),
        })
    }

    /// Whether a stream has event time. Operators keep it; a union has it if all its inputs do, and so has what a flow gives.
    pub(crate) fn time(&self, id: StreamId) -> Time {
        let stream = self.stream(id);
        if let Origin::Source(source) = &stream.origin {
            return if source.event_time.is_some() { Time::Known } else { Time::Missing(vec![id]) };
        }
        if let Origin::Input { input, .. } = &stream.origin {
            // who uses the flow knows, or has to bring it
            let brought = self.flow.as_ref().is_some_and(|flow| flow.timed.contains(input));
            return if brought { Time::Known } else { Time::Missing(vec![id]) };
        }
        let mut missing = vec![];
        for input in stream.origin.inputs() {
            if input.port == Port::Errors {
                missing.push(input.stream);
            } else if let Time::Missing(sources) = self.time(input.stream) {
                missing.extend(sources);
            }
        }
        missing.sort();
        missing.dedup();
        if missing.is_empty() { Time::Known } else { Time::Missing(missing) }
    }
}
