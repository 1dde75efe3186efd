//! Flows: what one gives and what goes into one are rows; and none uses itself, however far around.

use crate::diag::Diagnostics;
use crate::model::graph::Time;
use crate::model::{Handed, Model, Origin, Port, Use};

pub(crate) fn check(model: &mut Model, diag: &mut Diagnostics) {
    for id in model.ids() {
        let stream = model.stream(id);
        let Origin::Flow(used) = &stream.origin else { continue };
        if !stream.sound {
            continue;
        }
        // of a flow that is not known here rustc says it
        let wanted = used.inputs.iter().zip(&used.keyed);
        let wrong: Vec<&Use> = wanted
            .filter(|(input, wanted)| wanted.is_some_and(|wanted| wanted != is_keyed(model, input)))
            .map(|(input, _)| input)
            .collect();
        for input in &wrong {
            let (at, flow) = (&input.at, &used.call.name);
            match is_keyed(model, input) {
                true => {
                    let help = "give it the stream in front of `key_by`, or write `Keyed<K, T>` for what it takes";
                    diag.report(at, format!("`{at}` is keyed, and `{flow}` takes rows"), help);
                }
                false => {
                    let help = format!("give it a keyed one: `let keyed = {at}.key_by(|r| ..);`");
                    diag.report(at, format!("`{flow}` takes a keyed stream, and `{at}` is not"), help);
                }
            }
        }
        if !wrong.is_empty() {
            model.streams[id.0].sound = false;
        }
    }
    model.spread_taint();
    let returns = model.flow.as_ref().map_or(vec![], |flow| flow.returns.clone());
    let keyed: Vec<bool> = returns.iter().map(|it| it.as_ref().is_some_and(|used| is_keyed(model, used))).collect();
    for (n, used) in returns.iter().enumerate().filter(|(n, _)| keyed[*n]) {
        let Some(used) = used else { continue };
        let help = "return the rows in front of `key_by`, or those of a keyed operator behind it";
        diag.report_mild(&used.at, format!("`{}` is keyed, and a flow gives rows", used.at), help);
        if let Some(Some(used)) = model.flow.as_mut().and_then(|flow| flow.returns.get_mut(n)) {
            used.sound = false;
        }
    }
}

fn is_keyed(model: &Model, used: &Use) -> bool {
    used.sound && used.port == Port::Rows && model.stream(used.stream).is_keyed()
}

/// What a flow hands to another one of the block, which goes by event time, has to have it.
pub(crate) fn timed(models: &mut [Model]) {
    loop {
        let mut found = vec![];
        for (at, model) in models.iter().enumerate().filter(|(_, model)| model.flow.is_some()) {
            for stream in model.streams.iter().filter(|stream| stream.sound) {
                let Origin::Flow(used) = &stream.origin else { continue };
                let other = models.iter().find(|other| used.known.is_some() && other.name == used.call.name);
                let Some(other) = other.and_then(|other| other.flow.as_ref()) else { continue };
                for input in other.timed.iter().filter_map(|input| used.inputs.get(*input)) {
                    if let Time::Missing(sources) = model.time(input.stream) {
                        found.extend(sources.into_iter().map(|source| (at, source.0)));
                    }
                }
            }
        }
        if found.is_empty() {
            return;
        }
        for (at, input) in found {
            if let Some(flow) = &mut models[at].flow {
                flow.timed.push(input);
            }
        }
    }
}

/// What a flow hands on to one that is not known here, perhaps by way of another one of the block.
pub(crate) fn handed(models: &mut [Model]) {
    loop {
        let mut found = vec![];
        for (at, model) in models.iter().enumerate() {
            let Some(flow) = &model.flow else { continue };
            for by in model.ids().filter(|id| model.stream(*id).sound) {
                let Origin::Flow(used) = &model.stream(by).origin else { continue };
                let other = models.iter().find(|other| used.known.is_some() && other.name == used.call.name);
                let other = other.and_then(|other| other.flow.as_ref());
                for (parameter, stream) in used.streams.iter().enumerate() {
                    let Some((n, input)) = stream.and_then(|n| Some((n, used.inputs.get(n)?))) else { continue };
                    if used.known.is_some() && !other.is_some_and(|other| other.hands_on(n)) {
                        continue;
                    }
                    let Time::Missing(sources) = model.time(input.stream) else { continue };
                    let all = sources.into_iter().map(|source| Handed { input: source.0, by, parameter });
                    found.extend(all.filter(|it| !flow.handed.contains(it)).map(|it| (at, it)));
                }
            }
        }
        if found.is_empty() {
            return;
        }
        for (at, it) in found {
            if let Some(flow) = &mut models[at].flow {
                flow.handed.push(it);
            }
        }
    }
}

/// A flow that uses itself has no end: its code would contain itself.
pub(crate) fn recursion(models: &mut [Model], diag: &mut Diagnostics) {
    let named = |models: &[Model], name: &proc_macro2::Ident| {
        models.iter().position(|model| model.flow.is_some() && model.name == *name)
    };
    let uses = |models: &[Model], at: usize| -> Vec<usize> {
        // a use that was reported is cut: one ring is one mistake
        let used = models[at].streams.iter().filter(|stream| stream.sound).filter_map(|stream| match &stream.origin {
            Origin::Flow(used) if used.known.is_some() => named(models, &used.call.name),
            _ => None,
        });
        used.collect()
    };
    for at in (0..models.len()).filter(|at| models[*at].flow.is_some()).collect::<Vec<_>>() {
        for id in models[at].ids() {
            let Origin::Flow(used) = &models[at].stream(id).origin else { continue };
            if !models[at].stream(id).sound {
                continue;
            }
            let Some(first) = used.known.and_then(|_| named(models, &used.call.name)) else { continue };
            let (mut seen, mut next) = (vec![], vec![first]);
            while let Some(flow) = next.pop() {
                if !seen.contains(&flow) {
                    seen.push(flow);
                    next.extend(uses(models, flow));
                }
            }
            if seen.contains(&at) {
                let (name, own) = (&used.call.name, &models[at].name);
                let fact = match name == own {
                    true => format!("the flow `{own}` uses itself"),
                    false => format!("the flow `{own}` uses itself: it is in `{name}`"),
                };
                diag.report(name, fact, "a flow is written out where it is used: take one use out of the ring, and keep what goes round in the state of a `process`");
                models[at].streams[id.0].sound = false;
            }
        }
        models[at].spread_taint();
    }
}
