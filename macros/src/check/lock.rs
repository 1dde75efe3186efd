//! Old names: they belong to operators that keep state, and lead to one place.

use proc_macro2::Ident;

use crate::catalog::Role;
use crate::diag::Diagnostics;
use crate::model::{Model, Origin, Stream};
use crate::syntax::Call;
use crate::syntax::process::Process;

pub(crate) fn check(model: &Model, diag: &mut Diagnostics) {
    for dropped in &model.stored.dropped {
        let Some(state) = dropped.state.as_ref().filter(|_| dropped.inside.is_empty()) else { continue };
        let of_this = model.streams.iter().filter(|stream| stream.name == dropped.operator);
        if of_this.flat_map(processes).flat_map(kept).any(|(name, _)| name == state) {
            let fact = format!("`{}` is said to be dropped, and the process has it", dropped.text());
            diag.report_mild(state, fact, "take it out of `#[dropped(..)]`");
        }
    }
    for process in model.streams.iter().flat_map(processes) {
        let mut claimed: Vec<&Ident> = vec![];
        for old in kept(process).flat_map(|(_, was)| was) {
            if kept(process).any(|(name, _)| name == old) {
                let fact = format!("`{old}` is the name of a state or timer here");
                diag.report_mild(old, fact, "remove it: an old name is one that nothing has any more");
            } else if claimed.contains(&old) {
                let fact = format!("`{old}` is the old name of another state or timer");
                diag.report_mild(old, fact, "remove one of the two");
            }
            claimed.push(old);
        }
    }
    let mut claimed: Vec<&Ident> = vec![];
    for stream in model.streams.iter().filter(|stream| stream.sound) {
        // what a flow keeps is inside of it
        let flow = matches!(stream.origin, Origin::Flow(_));
        let keeps = flow || stream.ops.iter().any(|op| op.role() == Role::Stateful);
        for old in &stream.was {
            if !keeps {
                let help = format!("remove `was`: it is for what is stored of `{}`", stream.name);
                diag.report_mild(old, format!("`{}` keeps no state, so it needs no old name", stream.name), help);
            } else if model.streams.iter().any(|it| it.name == *old) {
                diag.report_mild(
                    old,
                    format!("`{old}` is the name of a stream here"),
                    "remove it: an old name is one that nothing has any more",
                );
            } else if claimed.contains(&old) {
                diag.report_mild(old, format!("`{old}` is the old name of another stream"), "remove one of the two");
            }
            claimed.push(old);
        }
    }
}

fn processes(stream: &Stream) -> impl Iterator<Item = &Process> {
    stream.ops.iter().filter_map(|op| match &op.call {
        Call::Process(process) => Some(&**process),
        _ => None,
    })
}

/// What a process keeps under names: its states and timers, with the names that they had.
fn kept(process: &Process) -> impl Iterator<Item = (&Ident, &[Ident])> {
    let states = process.states.iter().map(|state| (&state.name, &state.was[..]));
    states.chain(process.timers.iter().map(|timer| (&timer.name, &timer.was[..])))
}
