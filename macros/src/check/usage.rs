//! Nothing is lost in silence: every stream and every late output goes somewhere or is dropped aloud, and what is dropped
//! is not used elsewhere.

use crate::diag::Diagnostics;
use crate::model::{Model, Origin, Port, Use};

pub(crate) fn check(model: &Model, diag: &mut Diagnostics) {
    dropped(model, diag);
    let before = diag.count();
    let flow = model.flow.is_some();
    for id in model.ids() {
        let stream = model.stream(id);
        let name = &stream.name;
        // a statement with a mistake is put right first, and so is a use of what is not there: it may have been of this
        if !stream.sound || model.there.lost_use {
            continue;
        }
        let no_rows = matches!(&stream.origin, Origin::Flow(used) if stream.ops.is_empty() && used.known != Some(true));
        let silent = no_rows || stream.process().is_some_and(|process| !process.emits()) && stream.ops.len() == 1;
        if !silent && stream.split().is_none() && !model.is_used(id, Port::Rows) {
            let use_it = match stream.is_keyed() {
                true => format!("write a keyed operator: `let totals = {name}.aggregate(count(), ttl 24h);`"),
                false if flow => format!("return it: `return {name};`"),
                false => format!("write `sink name({name}) = ..;`"),
            };
            let help = format!("{use_it}, or say that it goes: `drop {name};`");
            diag.report_mild(name, format!("nothing uses `{name}`"), help);
        }
        for (port, output, at) in stream.others() {
            if model.is_used(id, port) {
                continue;
            }
            let use_it = match flow {
                true => format!("return it: `return name = {name}.{output};`"),
                false => format!("write `sink name({name}.{output}) = ..;`"),
            };
            let (what, go) = match port {
                Port::Late => (format!("the late rows of `{name}`"), "they go"),
                Port::Errors => (format!("the records of `{name}` that are no rows"), "they go"),
                _ => (format!("`{name}.{output}`"), "it goes"),
            };
            diag.report_mild(
                at,
                format!("nothing uses {what}"),
                format!("{use_it}, or say that {go}: `drop {name}.{output};`"),
            );
        }
    }
    // that nothing uses a stream says already that there is no sink
    missing(model, diag.count() > before || model.there.lost_use, diag);
}

fn missing(model: &Model, unused: bool, diag: &mut Diagnostics) {
    let there = &model.there;
    if there.unknown || model.flow.is_some() {
        return;
    }
    let name = &model.name;
    match (there.source, there.sink) {
        (false, false) => diag.report_mild(
            name,
            format!("`{name}` has no source and no sink"),
            "write `source name: Type = connector;` and `sink name(stream) = connector;`",
        ),
        (false, true) => {
            // a sink without a source names a stream that is not there, which is reported already
            if !model.streams.is_empty() || model.sinks.iter().any(|sink| !sink.inputs.is_empty()) {
                diag.report_mild(name, format!("`{name}` has no source"), "write `source name: Type = connector;`");
            }
        }
        (true, false) if !unused => {
            diag.report_mild(name, format!("`{name}` has no sink"), "write `sink name(stream) = connector;`");
        }
        (true, _) => {}
    }
}

fn dropped(model: &Model, diag: &mut Diagnostics) {
    let text = |used: &Use| model.written(used);
    // which outputs something broken has is not known
    for (n, drop) in model.drops.iter().enumerate().filter(|(_, drop)| model.stream(drop.stream).sound) {
        let same = |used: &&Use| (used.stream, used.port) == (drop.stream, drop.port);
        if model.drops[..n].iter().any(|first| same(&first)) {
            diag.report_mild(&drop.at, format!("`{}` is dropped twice", text(drop)), "drop it once");
            continue;
        }
        let by_stream =
            model.streams.iter().filter(|s| s.origin.inputs().iter().any(|used| same(&used))).map(|s| &s.name);
        let by_sink = model.sinks.iter().filter(|s| s.inputs.iter().any(|used| same(&used))).map(|s| &s.name);
        let returned = model.flow.iter().filter(|flow| flow.returns.iter().flatten().any(|used| same(&used)));
        let by_return = returned.map(|_| &model.name);
        if let Some(user) = by_stream.chain(by_sink).chain(by_return).next() {
            let what = text(drop);
            diag.report_mild(
                &drop.at,
                format!("`{what}` is dropped, and `{user}` uses it"),
                format!("remove `{what}` from `drop`"),
            );
        }
    }
}
