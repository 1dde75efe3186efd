//! Questions about the graph: who takes a stream, is it keyed, has it late rows, has it event time.

use proc_macro2::Ident;

use super::{Model, Origin, Port, Stream, StreamId};
use crate::catalog::{self, Role};
use crate::syntax::{Call, Op};

/// Who takes the rows of a stream.
#[derive(Clone)]
pub(crate) enum Consumer<'m> {
    /// A `let` that starts with it.
    Let { stream: StreamId, at: &'m Ident },
    /// A `let` that starts with a union.
    Union { stream: StreamId, at: &'m Ident },
    /// A sink, by its index.
    Sink { sink: usize, at: &'m Ident },
}

/// Whether a stream has event time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Time {
    Known,
    /// The sources on its path that lack it.
    Missing(Vec<StreamId>),
}

impl Op {
    pub(crate) fn role(&self) -> Role {
        match self.call {
            Call::KeyBy(_) => Role::Keys,
            Call::Reduce { .. } | Call::Fold { .. } | Call::Aggregate { .. } | Call::Window(_) => Role::Stateful,
            _ => catalog::operator(&self.name.to_string()).map_or(Role::Stateless, |row| row.role),
        }
    }
}

impl Stream {
    /// Whether its chain ends in `key_by`: a stream for keyed operators only.
    pub(crate) fn is_keyed(&self) -> bool {
        self.ops.last().is_some_and(|op| op.role() == Role::Keys)
    }

    /// Whether it has late rows as a second output.
    pub(crate) fn has_late(&self) -> bool {
        self.ops.iter().any(|op| matches!(op.call, Call::Window(_)))
    }
}

impl Model {
    /// Sound consumers of an output, in data order, sinks last.
    pub(crate) fn consumers(&self, stream: StreamId, port: Port) -> Vec<Consumer<'_>> {
        let mut all = vec![];
        for id in self.ids().filter(|id| self.stream(*id).sound) {
            let origin = &self.stream(id).origin;
            for used in origin.inputs() {
                if (used.stream, used.port) == (stream, port) {
                    all.push(match origin {
                        Origin::Union(..) => Consumer::Union { stream: id, at: &used.at },
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
            .chain(&self.drops);
        uses.any(|used| (used.stream, used.port) == (stream, port)) || self.mentioned.contains(name)
    }

    /// Whether a stream has event time. Operators keep it; a union has it if all its inputs do.
    pub(crate) fn time(&self, id: StreamId) -> Time {
        let stream = self.stream(id);
        if let Origin::Source(source) = &stream.origin {
            return if source.event_time.is_some() { Time::Known } else { Time::Missing(vec![id]) };
        }
        let mut missing = vec![];
        for input in stream.origin.inputs() {
            if let Time::Missing(sources) = self.time(input.stream) {
                missing.extend(sources);
            }
        }
        missing.sort();
        missing.dedup();
        if missing.is_empty() { Time::Known } else { Time::Missing(missing) }
    }
}
