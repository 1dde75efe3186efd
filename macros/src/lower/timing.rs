//! Where rows carry their event time: in front of what needs it. In a flow that depends on who uses it: whether the streams that it
//! takes have event time, and whether what follows its outputs needs it. So it is an expression, which is emitted as a type.

use super::{Edge, Head, Operator, Out, Plan};
use crate::model::graph::Time;
use crate::model::{Model, Origin, Port, StreamId, Use};
use crate::syntax::Aggregate;

/// Where one of these holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timing(pub(crate) Vec<Term>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Term {
    Always,
    /// All of these streams that the flow takes have event time.
    Inputs(Vec<usize>),
    /// What follows this output of the flow needs it.
    Output(usize),
}

impl Timing {
    fn add(&mut self, term: Term) {
        if !self.0.contains(&term) {
            self.0.push(term);
        }
    }

    /// For tests.
    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        let terms = self.0.iter().map(|term| match term {
            Term::Always => " timed".to_string(),
            Term::Inputs(inputs) => format!(" timed if {inputs:?}"),
            Term::Output(output) => format!(" timed for {output}"),
        });
        terms.collect()
    }
}

/// Whether the rows of a stream have event time.
pub(crate) fn of_stream(model: &Model, id: StreamId) -> Option<Term> {
    let Time::Missing(sources) = model.time(id) else { return Some(Term::Always) };
    let inputs = sources.iter().map(|source| match model.stream(*source).origin {
        Origin::Input { input, .. } => Some(input),
        _ => None,
    });
    inputs.collect::<Option<Vec<usize>>>().map(Term::Inputs)
}

/// Whether the rows of a stream have it where they are used: what a source could not read has none.
pub(super) fn of_use(model: &Model, used: &Use) -> Option<Term> {
    if used.port == Port::Errors { None } else { of_stream(model, used.stream) }
}

/// An edge needs time if its operator does, or what its chain writes to, or what its chain takes of a row.
pub(super) fn mark(plan: &mut Plan) {
    for at in (0..plan.chains.len()).rev() {
        let chain = &plan.chains[at];
        let mut needs = Timing::default();
        for out in &chain.outs {
            match out {
                Out::Edge { edge, .. } => {
                    let Edge { timing, operator, .. } = &plan.edges[*edge];
                    timing.0.iter().cloned().for_each(|term| needs.add(term));
                    if operator.front().is_some_and(Aggregate::goes_by_order) {
                        chain.time.iter().cloned().for_each(|term| needs.add(term));
                    }
                }
                Out::Flow { .. } => chain.time.iter().cloned().for_each(|term| needs.add(term)),
                Out::Return { output, .. } => needs.add(Term::Output(*output)),
                Out::Sink { .. } => {}
            }
        }
        plan.chains[at].needs = needs.clone();
        let (chain, Head::Edge(edge)) = (&plan.chains[at], plan.chains[at].head) else { continue };
        match &plan.edges[edge].operator {
            Operator::Window { .. } => needs.add(Term::Always),
            Operator::Process { .. } => chain.time.iter().cloned().for_each(|term| needs.add(term)),
            Operator::Reduce { life, .. } | Operator::Fold { life, .. } | Operator::Aggregate { life, .. } => {
                if life.ttl.is_some() {
                    chain.time.iter().cloned().for_each(|term| needs.add(term));
                }
            }
            Operator::Union | Operator::Exchange(_) => {}
        }
        plan.edges[edge].timing = needs;
    }
}
