//! What a `process` must be: names that are unique, handlers for what they are called for, states with a bound, and nothing
//! that is declared and never used.

use std::collections::BTreeMap;

use proc_macro2::Ident;

use super::life;
use crate::catalog;
use crate::diag::{Diagnostics, list, near, near_or, perhaps};
use crate::model::graph::Time;
use crate::model::{Model, Port, Stream, StreamId};
use crate::syntax::process::{On, Process};
use crate::syntax::{Call, Op, code};

/// The most states and timers, each: what the runtime's row can hold.
const MOST: usize = 30;

/// Gives the streams that cannot be emitted.
pub(super) fn check(model: &Model, diag: &mut Diagnostics) -> Vec<StreamId> {
    let mut wrong = vec![];
    for id in model.ids() {
        let stream = model.stream(id);
        if !stream.sound {
            continue;
        }
        let mark = diag.mark();
        for op in &stream.ops {
            if let Call::Process(process) = &op.call {
                let timed = model.time(id) == Time::Known;
                names(model, process, diag);
                handlers(op, process, diag);
                process.states.iter().for_each(|state| {
                    let what = format!("the state `{}`", state.name);
                    life::check(&state.life, &what, &state.name, timed, diag);
                });
                unused(process, diag);
                silent(model, id, stream, op, process, diag);
            }
        }
        if diag.spoiled_since(mark) {
            wrong.push(id);
        }
    }
    wrong
}

/// Every name once; and no argument of a handler hides one.
fn names(model: &Model, process: &Process, diag: &mut Diagnostics) {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for param in &model.params {
        known.insert(param.name.to_string(), "param");
    }
    for resource in &model.resources {
        known.insert(resource.name.to_string(), "resource");
    }
    let states = process.states.iter().map(|state| (&state.name, "state"));
    let timers = process.timers.iter().map(|timer| (&timer.name, "timer"));
    let outputs = process.outputs.iter().map(|output| (&output.name, "output"));
    for (name, kind) in states.chain(timers).chain(outputs) {
        let text = name.to_string();
        if kind == "output" && catalog::OUTPUTS.contains(&&*text) {
            let fact = format!("`{name}` is the name of an output of the language");
            diag.report(name, fact, "give it another name");
        } else if text == "in_order" {
            // rows that wait are kept under it
            diag.report(name, "`in_order` is a word of the language", "give it another name");
        } else if let Some(first) = known.insert(text, kind) {
            let help = "handlers see states, timers, outputs and params by their names; rename one of the two";
            diag.report(name, format!("`{name}` is the name of a {first} already"), help);
        }
    }
    for handler in &process.handlers {
        for name in handler.names() {
            if let Some(kind) = known.get(&name.to_string()).filter(|kind| !["param", "resource"].contains(*kind)) {
                let help = "give the argument another name: the handler would not see it";
                diag.report(&name, format!("`{name}` is the name of a {kind} already"), help);
            }
        }
    }
    for (count, what, more) in [
        (process.states.len(), "states", process.states.get(MOST).map(|state| &state.name)),
        (process.timers.len(), "timers", process.timers.get(MOST).map(|timer| &timer.name)),
    ] {
        if let Some(more) = more {
            let help = "put several values into one struct with `#[derive(Record)]`";
            diag.report(more, format!("{count} {what}, and {MOST} are the most"), help);
        }
    }
}

/// One `on event`, one `on timer` for each timer, one `on end` at most.
fn handlers(op: &Op, process: &Process, diag: &mut Diagnostics) {
    let (mut seen, mut meant): (Vec<&On>, Vec<String>) = (vec![], vec![]);
    for handler in &process.handlers {
        if seen.contains(&&handler.what) {
            let text = match &handler.what {
                On::Timer(timer) => format!("on timer {timer}"),
                _ => format!("on {}", handler.word),
            };
            diag.report(&handler.word, format!("`{text}` is there twice"), "put both into one handler");
            continue;
        }
        seen.push(&handler.what);
        let On::Timer(name) = &handler.what else { continue };
        if process.timers.iter().any(|timer| timer.name == *name) {
            continue;
        }
        let timers = || process.timers.iter().map(|timer| timer.name.to_string());
        let all = match process.timers.len() {
            0 => format!("declare it: `timer {name}: event_time;`"),
            _ => format!("the timers are {}", list(timers(), "and")),
        };
        let (text, timers) = (name.to_string(), timers().collect::<Vec<_>>());
        meant.extend(near(&text, timers.iter().map(String::as_str)).into_iter().map(str::to_owned));
        let help = near_or(&text, timers.iter().map(String::as_str), all);
        diag.report(name, format!("there is no timer `{name}`"), help);
    }
    if !seen.contains(&&On::Event) {
        diag.report(&op.name, "this `process` does nothing with its rows", "write `on event(r, cx) { .. }`");
    }
    for timer in &process.timers {
        let name = &timer.name;
        let has_handler = seen.iter().any(|what| matches!(what, On::Timer(of) if of == name));
        // one that is misspelled is reported
        if !has_handler && !meant.contains(&name.to_string()) {
            let help = format!("write `on timer {name}(at, cx) {{ .. }}`, or remove the timer");
            diag.report(name, format!("nothing happens when the timer `{name}` fires"), help);
        }
    }
}

/// What is declared is used.
fn unused(process: &Process, diag: &mut Diagnostics) {
    let states = process.states.iter().map(|state| (&state.name, "reads or writes the state"));
    let timers = process.timers.iter().map(|timer| (&timer.name, "sets the timer"));
    let outputs = process.outputs.iter().map(|output| (&output.name, "writes to the output"));
    let mut words = vec![];
    process.handlers.iter().for_each(|handler| code::values(handler.body.tokens.clone(), &mut words));
    let names = states.clone().chain(timers.clone()).chain(outputs.clone()).map(|(name, _)| name);
    words.retain(|word| !names.clone().any(|name| name == word));
    for (name, what) in states.chain(timers).chain(outputs) {
        if !process.mentions(name) {
            let help = perhaps(&name.to_string(), &words, "use it in a handler, or remove it");
            diag.report_mild(name, format!("no handler {what} `{name}`"), help);
        }
    }
}

/// A process that never emits has no rows of its own.
fn silent(model: &Model, id: StreamId, stream: &Stream, op: &Op, process: &Process, diag: &mut Diagnostics) {
    if process.emits() || !process.handlers.iter().any(|handler| handler.what == On::Event) {
        return;
    }
    if process.outputs.is_empty() {
        let help = "write `cx.emit(..)` in a handler, or declare `output name: Type;` and write `name.emit(..)`";
        diag.report(&op.name, "no handler of this `process` emits anything", help);
        return;
    }
    let used: Vec<Ident> = model.consumers(id, Port::Rows).iter().map(|consumer| consumer.at().clone()).collect();
    let behind = stream.ops.iter().skip_while(|it| it.name != op.name).nth(1).map(|op| &op.name);
    if let Some(at) = behind.or(used.first()) {
        let fact = format!("`{}` has no rows: none of its handlers calls `cx.emit`", stream.name);
        diag.report(at, fact, "write `cx.emit(..)` in a handler, or take one of its outputs");
    }
}
