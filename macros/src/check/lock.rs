//! Old names: they belong to operators that keep state, and lead to one place.

use crate::catalog::Role;
use crate::diag::Diagnostics;
use crate::model::{Model, Origin};
use crate::syntax::Call;

pub(crate) fn check(model: &Model, diag: &mut Diagnostics) {
    for dropped in &model.stored.dropped {
        let Some(state) = dropped.state.as_ref().filter(|_| dropped.inside.is_empty()) else { continue };
        let of_this = model.streams.iter().filter(|stream| stream.name == dropped.operator);
        let processes = of_this.flat_map(|stream| &stream.ops).filter_map(|op| match &op.call {
            Call::Process(process) => Some(process),
            _ => None,
        });
        let mut has =
            processes.flat_map(|it| it.states.iter().map(|s| &s.name).chain(it.timers.iter().map(|t| &t.name)));
        if has.any(|name| name == state) {
            let fact = format!("`{}` is said to be dropped, and the process has it", dropped.text());
            diag.report_mild(state, fact, "take it out of `#[dropped(..)]`");
        }
    }
    let mut claimed: Vec<&proc_macro2::Ident> = vec![];
    for stream in model.streams.iter().filter(|stream| stream.sound) {
        // what a flow keeps is inside of it
        let flow = matches!(stream.origin, Origin::Flow(_));
        let keeps = flow || stream.ops.iter().any(|op| op.role() == Role::Stateful);
        for old in &stream.was {
            if !keeps {
                let help = "remove it: names are looked up in what is stored";
                diag.report_mild(old, format!("`{}` keeps no state, so it needs no old name", stream.name), help);
            } else if model.streams.iter().any(|it| it.name == *old) {
                diag.report_mild(
                    old,
                    format!("`{old}` is the name of a stream here"),
                    "an old name is free now; remove it",
                );
            } else if claimed.contains(&old) {
                diag.report_mild(old, format!("`{old}` is the old name of another stream"), "remove one of the two");
            }
            claimed.push(old);
        }
    }
}
