//! The order of operators in a chain: what needs a key stands behind `key_by`, what does not stands in front of it, and
//! there is one stateful operator per `let`.

use crate::catalog::Role;
use crate::diag::Diagnostics;
use crate::model::{Model, Origin, StreamId};
use crate::syntax::{Call, Op};

pub(crate) fn check(model: &mut Model, diag: &mut Diagnostics) {
    for id in model.ids() {
        // a mistake in front of it says all there is to say
        model.spread_taint();
        if !model.stream(id).sound {
            continue;
        }
        let mark = diag.mark();
        chain(model, id, diag);
        if diag.spoiled_since(mark) {
            model.streams[id.0].sound = false;
        }
    }
}

/// Where in a chain one is.
enum At<'m> {
    /// Rows without key.
    Rows,
    /// Behind `key_by`, here or in the `let` of that name.
    Keyed(Option<&'m proc_macro2::Ident>),
    /// Behind `window`.
    Window(&'m Op),
    /// Behind an operator that moves rows.
    Moved(&'m Op),
    /// Behind `global`.
    Global,
}

fn chain(model: &Model, id: StreamId, diag: &mut Diagnostics) {
    let stream = model.stream(id);
    let mut at = At::Rows;
    for input in stream.origin.inputs() {
        let from = model.stream(input.stream);
        if from.is_global()
            && input.port == crate::model::Port::Rows
            && !matches!(stream.origin, Origin::Union(..) | Origin::Flow(_))
        {
            at = At::Global;
        }
        if !from.is_keyed() || input.port != crate::model::Port::Rows {
            continue;
        }
        match &stream.origin {
            Origin::Union(..) => {
                diag.report(
                    &input.at,
                    format!("`{}` is keyed, and a `union` takes rows", input.at),
                    "take the union first and `key_by` behind it",
                );
                return;
            }
            // what it gives are rows again
            Origin::Flow(_) => {}
            _ => at = At::Keyed(Some(&from.name)),
        }
    }
    if let (At::Keyed(Some(name)), []) = (&at, &stream.ops[..]) {
        let help = format!("write a keyed operator behind it: `{name}.aggregate(count(), ttl 24h)`");
        diag.report(
            &stream.name,
            format!("`{}` is just another name for the keyed stream `{name}`", stream.name),
            help,
        );
        return;
    }
    let mut stateful: Option<&Op> = None;
    for op in &stream.ops {
        let name = &op.name;
        at = match (at, op.role()) {
            (At::Window(_), _) if matches!(op.call, Call::Aggregate { .. }) => At::Rows,
            (At::Window(window), _) => {
                lacks_aggregate(window, diag);
                return;
            }
            (At::Rows | At::Moved(_) | At::Global, Role::Stateless) => At::Rows,
            (At::Moved(first), Role::Keys | Role::Moves) if first.name != "broadcast" => {
                diag.report(
                    &first.name,
                    format!("`{}` has no effect in front of `{name}`, which moves the rows again", first.name),
                    format!("remove `{}`", first.name),
                );
                return;
            }
            (At::Global, Role::Keys | Role::Moves) => {
                diag.report(
                    name,
                    format!("`{name}` moves the rows away from the one worker that `global` has brought them to"),
                    "remove one of the two",
                );
                return;
            }
            (At::Rows | At::Moved(_), Role::Moves) => {
                if op.is_global() {
                    At::Global
                } else {
                    At::Moved(op)
                }
            }
            (At::Rows | At::Moved(_), Role::Keys) => At::Keyed(None),
            (At::Rows | At::Moved(_), Role::Stateful) => {
                match stateful {
                    Some(first) => second(first, op, diag),
                    None => {
                        let help = "write `.key_by(|r| ..)` in front of it, or `.global()` if all rows belong together";
                        diag.report(name, format!("`{name}` needs a key"), help)
                    }
                }
                return;
            }
            (At::Keyed(from), Role::Stateless | Role::Moves) => {
                let keyed = match from {
                    Some(from) => format!("`{name}` takes rows, and `{from}` is keyed"),
                    None => format!("`{name}` cannot follow `key_by`"),
                };
                diag.report(name, keyed, format!("a keyed operator comes next: `aggregate`, `reduce`, `fold`, `window` or `process`; `{name}` goes in front of `key_by` or behind that operator"));
                return;
            }
            (At::Keyed(from), Role::Keys) => {
                let what = from.map_or("the stream".to_string(), |from| format!("`{from}`"));
                diag.report(
                    name,
                    format!("{what} is keyed already"),
                    "key by both at once: `.key_by(|r| (r.a, r.b))`, or remove one `key_by`",
                );
                return;
            }
            (At::Keyed(_) | At::Global, Role::Stateful) => {
                if let Some(first) = stateful {
                    second(first, op, diag);
                    return;
                }
                stateful = Some(op);
                if matches!(op.call, Call::Window(_)) { At::Window(op) } else { At::Rows }
            }
        };
    }
    match at {
        At::Window(window) => lacks_aggregate(window, diag),
        At::Keyed(_) => {
            if let Some(ty) = &stream.declared {
                let help = "declare the stream in front of `key_by`, or the one behind the keyed operator";
                diag.report_mild(ty, format!("`{}` is keyed and has no rows of its own to declare", stream.name), help);
            }
        }
        At::Rows | At::Moved(_) | At::Global => {}
    }
}

fn lacks_aggregate(window: &Op, diag: &mut Diagnostics) {
    diag.report(
        &window.name,
        "`window` lacks its `.aggregate(..)`",
        "say what is computed of a window, right behind it: `.window(tumbling 1h).aggregate(count())`",
    );
}

fn second(first: &Op, op: &Op, diag: &mut Diagnostics) {
    let how = match first.call {
        Call::Process(_) => "give the first the item `as name;`",
        _ => "give the first the option `as name`",
    };
    diag.report(
        &op.name,
        format!("`{}` is the second stateful operator of this `let`, behind `{}`", op.name, first.name),
        format!("state is kept under a name: {how}, or begin a `let` of its own with `{}`", op.name),
    );
}
