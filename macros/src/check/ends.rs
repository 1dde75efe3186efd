//! Where streams end: sinks take rows, and what `collect()` takes is declared.

use proc_macro2::{TokenStream, TokenTree};

use crate::diag::Diagnostics;
use crate::model::{Model, Origin, Port, Use};
use crate::syntax::Connector;

pub(crate) fn check(model: &mut Model, diag: &mut Diagnostics) {
    for at in 0..model.sinks.len() {
        let sink = &model.sinks[at];
        let sound: Vec<bool> = (0..sink.inputs.len()).map(|input| takes(model, at, input, diag)).collect();
        for (input, sound) in model.sinks[at].inputs.iter_mut().zip(sound) {
            input.sound = sound;
        }
    }
    unions(model, diag);
}

/// Whether a sink can take one of its inputs.
fn takes(model: &Model, sink: usize, input: usize, diag: &mut Diagnostics) -> bool {
    let sink = &model.sinks[sink];
    let (before, input) = (&sink.inputs[..input], &sink.inputs[input]);
    let stream = model.stream(input.stream);
    // which outputs something broken has is not known
    if !stream.sound {
        return false;
    }
    if before.iter().any(|first| (first.stream, first.port) == (input.stream, input.port)) {
        diag.report_mild(&input.at, format!("`{}` goes into `{}` twice", input.at, sink.name), "write it once");
        return false;
    }
    if stream.is_keyed() && input.port == Port::Rows {
        diag.report_mild(
            &input.at,
            format!("`{}` is keyed, and a sink takes rows", input.at),
            format!(
                "write a keyed operator in between: `let totals = {}.aggregate(count(), ttl 24h);`, or give the sink the stream in \
                 front of `key_by`",
                input.at
            ),
        );
        return false;
    }
    if matches!(sink.connector, Connector::Collect)
        && let Err((fact, help)) = collected(model, input)
    {
        diag.report_mild(&input.at, fact, help);
        return false;
    }
    true
}

/// Whether the rows of an input can be collected.
fn collected(model: &Model, input: &Use) -> Result<(), (String, String)> {
    let stream = model.stream(input.stream);
    let name = &stream.name;
    let declare = "what leaves to Rust code is declared with its type";
    if let Some(output) = stream.output(input.port) {
        let ty = if input.port == Port::Errors { "BadRecord" } else { "Type" };
        return Err((
            format!("the type of `{name}.{output}` is not declared"),
            format!("{declare}: `let {output}: {ty} = {name}.{output};`, and collect `{output}`"),
        ));
    }
    match (&stream.declared, &stream.origin) {
        (None, _) => {
            Err((format!("the type of `{name}` is not declared"), format!("{declare}: `let {name}: Type = ..;`")))
        }
        (Some(ty), Origin::Source(_)) if borrows(ty.clone()) => Err((
            format!("the rows of `{name}` borrow from the source"),
            format!("own them first: `let owned: Type = {name}.map(|r| ..);`, and collect `owned`"),
        )),
        (Some(_), _) => Ok(()),
    }
}

fn borrows(ty: TokenStream) -> bool {
    ty.into_iter().any(|token| match token {
        TokenTree::Punct(p) => p.as_char() == '&' || p.as_char() == '\'',
        TokenTree::Group(group) => borrows(group.stream()),
        _ => false,
    })
}

/// The same stream twice in a union doubles its rows, which nobody means.
fn unions(model: &mut Model, diag: &mut Diagnostics) {
    for at in 0..model.streams.len() {
        let stream = &model.streams[at];
        let Origin::Union(_, inputs) = &stream.origin else { continue };
        let doubled = inputs.iter().enumerate().find(|(n, input)| {
            inputs[..*n].iter().any(|first| (first.stream, first.port) == (input.stream, input.port))
        });
        if let (true, Some((_, input))) = (stream.sound, doubled) {
            diag.report(
                &input.at,
                format!("`{}` stands twice in this `union`", input.at),
                "write it once, or a `flat_map` that gives each row twice",
            );
            model.streams[at].sound = false;
        }
    }
    model.spread_taint();
}
