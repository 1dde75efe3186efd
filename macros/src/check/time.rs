//! Windows, rows in order and some timers go by event time: every source on their path must have it.

use crate::diag::{Diagnostics, list};
use crate::model::graph::Time;
use crate::model::{Model, StreamId};
use crate::syntax::{Call, Op};
use proc_macro2::Ident;

pub(crate) fn check(model: &mut Model, diag: &mut Diagnostics) {
    // one source without event time is one mistake, however many windows stand behind it
    let mut blamed: Vec<StreamId> = vec![];
    let mut needed: Vec<usize> = vec![];
    for id in model.ids() {
        model.spread_taint();
        let stream = model.stream(id);
        let Some((word, what)) = stream.ops.iter().find_map(needs) else { continue };
        if !stream.sound {
            continue;
        }
        let Time::Missing(sources) = model.time(id) else { continue };
        if model.flow.is_some() {
            // who uses the flow has to bring it; its streams are the first
            needed.extend(sources.iter().map(|source| source.0));
            continue;
        }
        if let Some(source) = model.unread(id) {
            let errors = format!("{}.errors", model.stream(source).name);
            diag.report(
                word,
                format!("{what} needs event time, and what could not be read has none: `{errors}`"),
                "count them without a window: `.aggregate(count(), emit every 1min, unbounded(\"..\"))`",
            );
        } else if sources.iter().any(|source| !blamed.contains(source)) {
            let names = || sources.iter().map(|source| &model.stream(*source).name);
            let (has, on) = if sources.len() == 1 { ("has none", "source") } else { ("have none", "sources") };
            diag.report(
                word,
                format!("{what} needs event time, and {} {has}", list(names(), "and")),
                format!("write `event_time |r| r.at, late_by 1min` on the {on} {}", list(names(), "and")),
            );
            blamed.extend(sources);
        }
        model.streams[id.0].sound = false;
    }
    if let Some(flow) = &mut model.flow {
        flow.timed = needed;
    }
    model.spread_taint();
}

/// What of an operator goes by event time, and what it is called.
fn needs(op: &Op) -> Option<(&Ident, String)> {
    match &op.call {
        Call::Window(_) => Some((&op.name, "`window`".to_string())),
        Call::Process(process) => {
            let timer = || process.timers.iter().find(|timer| timer.by == "event_time");
            let order = process.in_order.as_ref().map(|word| (word, "`in_order`".to_string()));
            order.or_else(|| timer().map(|timer| (&timer.name, format!("the timer `{}`", timer.name))))
        }
        _ => None,
    }
}
