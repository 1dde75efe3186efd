//! What a chain does with one row, as a tree: steps, and at its end every consumer. A consumer that only looks at the row
//! comes first; of those that take it, each but the last gets a copy, as late as possible.

use proc_macro2::{Ident, TokenStream};

use crate::syntax::{Aggregate, Arm, Call, Code, Exchange, Op, Split};

pub(crate) struct Flow<'m> {
    pub(crate) steps: Vec<Step<'m>>,
    pub(crate) ends: Vec<Branch<'m>>,
}

pub(crate) enum Step<'m> {
    /// An operator that works a row at a time.
    Op {
        op: &'m Op,
        code: &'m Code,
        /// Index among the chain's operators.
        index: usize,
        /// Index among its counters, if it changes the number of rows.
        counter: Option<usize>,
        /// The declared type of what comes out of it.
        ty: Option<&'m TokenStream>,
    },
    /// A declared type that belongs to no step.
    Declared(&'m TokenStream),
}

pub(crate) enum Branch<'m> {
    /// Another `let` goes on in the same chain.
    Flow {
        at: &'m Ident,
        flow: Flow<'m>,
    },
    /// A key, and the keyed operators that use it.
    Keyed {
        op: &'m Op,
        /// `None` behind `global`: all rows have one key.
        code: Option<&'m Code>,
        index: usize,
        sends: Vec<Send<'m>>,
    },
    /// Rows of a keyed stream that the flow takes: the key has come with them.
    Came {
        at: &'m Ident,
        sends: Vec<Send<'m>>,
    },
    Union {
        at: &'m Ident,
        out: usize,
    },
    Sink {
        at: &'m Ident,
        out: usize,
    },
    /// Into a flow, or out of the one that is written.
    Enter {
        at: &'m Ident,
        out: usize,
    },
    /// A row goes to a worker that the operator says.
    Exchange {
        op: &'m Op,
        exchange: &'m Exchange,
        index: usize,
        out: usize,
    },
    /// A row goes one of several ways.
    Split {
        op: &'m Op,
        split: &'m Split,
        index: usize,
        ways: Vec<Way<'m>>,
    },
}

/// One output of a split, and what happens to its rows.
pub(crate) struct Way<'m> {
    pub(crate) arm: &'m Arm,
    pub(crate) counter: usize,
    pub(crate) flow: Flow<'m>,
}

/// A row that goes somewhere with its key.
pub(crate) struct Send<'m> {
    /// The name of the operator, or of the stream where it is used.
    pub(crate) at: &'m Ident,
    /// Index among the chain's outs.
    pub(crate) out: usize,
    pub(crate) into: Into<'m>,
}

/// Where that is.
#[derive(Clone, Copy)]
pub(crate) enum Into<'m> {
    /// Over an edge, by its index.
    Edge {
        edge: usize,
        /// Values of an aggregate, with the index of its closures' operator; without one, the row itself.
        words: Option<(&'m Aggregate, Option<usize>)>,
    },
    /// Into a flow that is used.
    Flow,
}

impl Step<'_> {
    /// Whether it takes the row rather than looking at it.
    pub(crate) fn takes(&self) -> bool {
        match self {
            Step::Op { op, .. } => matches!(op.call, Call::Map(_) | Call::FilterMap(_) | Call::FlatMap(_)),
            Step::Declared(_) => false,
        }
    }

    /// Whether it may leave the block that it stands in.
    pub(crate) fn leaves(&self) -> bool {
        matches!(self, Step::Op { op: Op { call: Call::Filter(_) | Call::FilterMap(_), .. }, .. })
    }

    /// Whether what follows runs inside a loop of it.
    pub(crate) fn loops(&self) -> bool {
        matches!(self, Step::Op { op: Op { call: Call::FlatMap(_), .. }, .. })
    }
}

impl Flow<'_> {
    /// Whether it takes the row rather than looking at it.
    pub(crate) fn takes(&self) -> bool {
        self.steps.iter().any(Step::takes) || self.ends.iter().any(Branch::takes)
    }

    /// All of the user's code in it.
    pub(crate) fn code<'a>(&'a self, to: &mut Vec<&'a Code>) {
        for step in &self.steps {
            if let Step::Op { code, .. } = step {
                to.push(code);
            }
        }
        for end in &self.ends {
            match end {
                Branch::Flow { flow, .. } => flow.code(to),
                Branch::Exchange { exchange, .. } => to.extend(exchange.code()),
                Branch::Keyed { code, sends, .. } => {
                    to.extend(*code);
                    to.extend(sends.iter().filter_map(Send::words).flat_map(Aggregate::words));
                }
                Branch::Came { sends, .. } => {
                    to.extend(sends.iter().filter_map(Send::words).flat_map(Aggregate::words));
                }
                Branch::Split { ways, .. } => ways.iter().for_each(|way| {
                    to.extend(way.arm.code());
                    way.flow.code(to);
                }),
                Branch::Union { .. } | Branch::Sink { .. } | Branch::Enter { .. } => {}
            }
        }
    }
}

/// A flow cut behind its first filter: the steps before it, it, and what stands behind it.
pub(crate) struct Cut<'f, 'm> {
    pub(crate) front: &'f [Step<'m>],
    pub(crate) filter: &'f Step<'m>,
    pub(crate) rest: &'f [Step<'m>],
    pub(crate) ends: &'f [Branch<'m>],
}

impl<'m> Flow<'m> {
    /// Cuts the flow behind its first filter, if the way to it is straight and a row stays a row on it.
    pub(crate) fn cut(&self) -> Option<Cut<'_, 'm>> {
        if let ([], [Branch::Flow { flow, .. }]) = (&self.steps[..], &self.ends[..]) {
            return flow.cut();
        }
        let at = self.steps.iter().position(Step::leaves)?;
        let straight = self.steps[..at].iter().all(|step| !step.loops());
        let plain = matches!(self.steps[at], Step::Op { op: Op { call: Call::Filter(_), .. }, .. });
        let (front, behind) = self.steps.split_at(at);
        let (filter, rest) = behind.split_first()?;
        (straight && plain).then_some(Cut { front, filter, rest, ends: &self.ends })
    }

    /// The steps in front of the flow that all rows go straight into, and its place among the chain's outs.
    pub(crate) fn through(&self) -> Option<(&[Step<'m>], &'m Ident, usize)> {
        match (&self.steps[..], &self.ends[..]) {
            ([], [Branch::Flow { flow, .. }]) => flow.through(),
            (steps, [Branch::Enter { at, out }]) if !steps.iter().any(|step| step.leaves() || step.loops()) => {
                Some((steps, at, *out))
            }
            _ => None,
        }
    }
}

impl Branch<'_> {
    /// Whether rows end in a sink on some way behind it.
    pub(crate) fn sinks(&self) -> bool {
        match self {
            Branch::Flow { flow, .. } => flow.ends.iter().any(Branch::sinks),
            Branch::Split { ways, .. } => ways.iter().flat_map(|way| &way.flow.ends).any(Branch::sinks),
            Branch::Sink { .. } => true,
            // what is in a flow is not known here; most have an exchange in them
            Branch::Enter { .. } => false,
            Branch::Keyed { .. } | Branch::Came { .. } | Branch::Union { .. } | Branch::Exchange { .. } => false,
        }
    }

    pub(crate) fn takes(&self) -> bool {
        match self {
            Branch::Flow { flow, .. } => flow.takes(),
            Branch::Split { split, ways, .. } => split.matches() || ways.iter().any(|way| way.flow.takes()),
            Branch::Keyed { sends, .. } | Branch::Came { sends, .. } => sends.iter().any(Send::takes),
            Branch::Union { .. } | Branch::Sink { .. } | Branch::Enter { .. } | Branch::Exchange { .. } => true,
        }
    }
}

impl<'m> Send<'m> {
    /// Whether it takes the row rather than looking at it.
    pub(crate) fn takes(&self) -> bool {
        self.words().is_none_or(Aggregate::keeps_rows)
    }

    /// The aggregate whose values go rather than the row.
    pub(crate) fn words(&self) -> Option<&'m Aggregate> {
        match self.into {
            Into::Edge { words, .. } => words.map(|(how, _)| how),
            Into::Flow => None,
        }
    }
}

/// Those that look first, then those that take, each in the order of the block.
pub(crate) fn in_order<T>(all: &[T], takes: impl Fn(&T) -> bool) -> Vec<&T> {
    let (takers, readers): (Vec<&T>, Vec<&T>) = all.iter().partition(|one| takes(one));
    readers.into_iter().chain(takers).collect()
}
