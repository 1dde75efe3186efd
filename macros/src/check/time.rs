//! A window goes by event time: every source on its path must have it.

use crate::diag::{Diagnostics, list};
use crate::model::graph::Time;
use crate::model::{Model, StreamId};
use crate::syntax::Call;

pub(crate) fn check(model: &mut Model, diag: &mut Diagnostics) {
    // one source without event time is one mistake, however many windows stand behind it
    let mut blamed: Vec<StreamId> = vec![];
    for id in model.ids() {
        model.spread_taint();
        let stream = model.stream(id);
        let Some(window) = stream.ops.iter().find(|op| matches!(op.call, Call::Window(_))) else { continue };
        if !stream.sound {
            continue;
        }
        let Time::Missing(sources) = model.time(id) else { continue };
        if sources.iter().any(|source| !blamed.contains(source)) {
            let names = || sources.iter().map(|source| &model.stream(*source).name);
            let (has, on) = if sources.len() == 1 { ("has none", "source") } else { ("have none", "sources") };
            diag.report(
                &window.name,
                format!("`window` needs event time, and {} {has}", list(names(), "and")),
                format!("write `event_time |r| r.at, late_by 1min` on the {on} {}", list(names(), "and")),
            );
            blamed.extend(sources);
        }
        model.streams[id.0].sound = false;
    }
    model.spread_taint();
}
