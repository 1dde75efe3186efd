//! How many flows follow in a row. What runs has a type with all of them in it, several times each, and rustc would take minutes for
//! the sixth: the runtime is told where another one follows, and puts a pointer there.

use super::{Chain, Head, Out, Plan};

/// What follows an output of a flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Behind {
    /// No flow.
    None,
    /// One, or the callers of the flow that is written: they may go on with one.
    One,
    /// More.
    More,
}

pub(super) fn mark(plan: &mut Plan) {
    for at in (0..plan.chains.len()).rev() {
        let follows = |out: &Out| match out {
            Out::Flow { id, .. } => {
                let of_it = |chain: &&Chain| matches!(chain.head, Head::Output(of, _) if of == *id);
                let outputs = plan.chains.iter().filter(of_it).map(|chain| chain.behind).max();
                // behind more than one there is a pointer, and nothing counts that follows
                match outputs {
                    Some(Behind::One) => Behind::More,
                    _ => Behind::One,
                }
            }
            Out::Return { .. } => Behind::One,
            Out::Edge { .. } | Out::Sink { .. } => Behind::None,
        };
        let behind = plan.chains[at].outs.iter().map(follows).max();
        plan.chains[at].behind = behind.unwrap_or(Behind::None);
    }
}
