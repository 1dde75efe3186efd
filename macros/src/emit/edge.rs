//! What both sides of an edge share, and the operator behind it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::code::{body_span, length, number, paste, paste_moved, scoped, through};
use super::ident::{first, local, named, place};
use super::meta::edge_name;
use super::process;
use crate::catalog::{Need, Word};
use crate::lower::{Edge, Operator, Plan};
use crate::syntax::code::mentions;
use crate::syntax::{Aggregate, Code, Emit, Life, Part};

/// The lets in front of the chains: windows, aggregators, edges.
pub(crate) fn shared(plan: &Plan) -> TokenStream {
    plan.edges.iter().filter(|edge| edge.producers > 0).map(|edge| one(plan, edge)).collect()
}

fn one(plan: &Plan, edge: &Edge) -> TokenStream {
    let at = edge.at.span();
    let here = place(at);
    let mut tokens = TokenStream::new();
    let (window, g) = (named("w_", edge.stream, "", at), local("g", at));
    if let Operator::Window { window: it, .. } = &edge.operator {
        let zero = || quote_spanned!(here=> __rt::TimeSpan::ZERO);
        let size = length(&it.size);
        let offset = it.offset.as_ref().map_or_else(zero, length);
        let allow_late = it.allow_late.as_ref().map_or_else(zero, |(_, late)| length(late));
        let refire = it.refire.is_some();
        tokens.extend(quote_spanned!(here=> let #window = __rt::tumbling(#g, #size, #offset, #allow_late, #refire);));
    }
    let how = how_name(edge, at);
    if let Some(aggregate) = edge.operator.front() {
        let types = how_types(plan, aggregate);
        tokens.extend(quote_spanned!(here=> let #how = __rt::shared(#types);));
    }
    let (out, inside, meta) = (out_name(edge, 0, at), in_name(edge, at), edge_name(edge));
    let time = local(if edge.timed { "Timed" } else { "Untimed" }, at);
    tokens.extend(match (&edge.operator, edge.combined) {
        (Operator::Union, _) => {
            quote_spanned!(here=> let (#out, #inside) = __rt::local_edge::<_, __rt::#time>(#g, &#meta);)
        }
        (operator, true) => {
            let combine = match operator {
                Operator::Window { .. } => quote_spanned!(here=> __rt::combine_windows(&#window, &#how)),
                _ => quote_spanned!(here=> __rt::combine_totals(&#how)),
            };
            quote_spanned!(here=> let (#out, #inside) = __rt::combined_edge::<_, _, __rt::#time, _>(#g, &#meta, #combine);)
        }
        (_, false) => {
            quote_spanned!(here=> let (#out, #inside) = __rt::keyed_edge::<_, _, __rt::#time, _>(#g, &#meta);)
        }
    });
    for producer in 1..edge.producers {
        let more = out_name(edge, producer, at);
        tokens.extend(quote_spanned!(here=> let #more = #out.again();));
    }
    tokens
}

pub(crate) fn how_name(edge: &Edge, at: Span) -> Ident {
    named("how_", edge.stream, "", at)
}

/// The sending end as one of its producers holds it.
pub(crate) fn out_name(edge: &Edge, producer: usize, at: Span) -> Ident {
    let behind = if producer == 0 { String::new() } else { format!("__{producer}") };
    named("e_", edge.stream, &format!("{}_out{behind}", edge.suffix), at)
}

pub(crate) fn in_name(edge: &Edge, at: Span) -> Ident {
    named("e_", edge.stream, &format!("{}_in", edge.suffix), at)
}

/// `(__rt::Count, __rt::Sum, TheirOwn)`.
pub(crate) fn how_types(plan: &Plan, how: &Aggregate) -> TokenStream {
    let parts = how.parts.iter().map(|part| match part {
        Part::Word { name, word, .. } => {
            let ty = local(word.runtime, name.span());
            quote_spanned!(place(name.span())=> __rt::#ty)
        }
        Part::Own(code) => {
            let at = place(first(&code.tokens, Span::mixed_site()));
            let own = scoped(&plan.model.params, [code], paste(code));
            quote_spanned!(at=> __rt::own(#own))
        }
    });
    tuple(how, parts)
}

/// Parts as they are written: one alone is no tuple.
pub(crate) fn tuple(how: &Aggregate, parts: impl Iterator<Item = TokenStream>) -> TokenStream {
    if !how.tuple {
        return parts.collect();
    }
    let at = first(&how.at, Span::mixed_site());
    quote_spanned!(place(at)=> (#(#parts,)*))
}

/// The operator behind the edge: lets, and the name it is bound to.
pub(crate) fn operator(plan: &Plan, edge: &Edge) -> (TokenStream, Ident) {
    let at = edge.at.span();
    let here = place(at);
    let (inside, op) = (in_name(edge, at), local("op", at));
    let code = |code: &Code| scoped(&plan.model.params, [code], paste_moved(code));
    let bind = |call: &str, arguments: TokenStream, life: &Life, emit: &Emit| {
        let (ending, every) = match emit {
            Emit::Each => ("each", None),
            Emit::Every(span) => ("every", Some(length(span))),
            Emit::AtEnd => ("at_end", None),
        };
        let (call, life) = (local(&format!("{call}_{ending}"), at), process::life(life, at));
        let on = local("on", at);
        let every = every.map(|span| quote_spanned!(here=> , #span));
        quote_spanned!(here=> let #op = __rt::#call(#on, #arguments, #life #every);)
    };
    let tokens = match &edge.operator {
        Operator::Union => quote_spanned!(here=> let #op = __rt::relay();),
        Operator::Reduce { with, emit, life } => {
            let with = code(with);
            bind("reduce", quote_spanned!(here=> &#inside, #with), life, emit)
        }
        Operator::Fold { start, with, emit, life } => {
            let (start, with) = (fold_start(plan, start, at), code(with));
            bind("fold", quote_spanned!(here=> &#inside, #start, #with), life, emit)
        }
        Operator::Aggregate { emit, life, .. } => {
            let how = how_name(edge, at);
            bind("aggregate", quote_spanned!(here=> #how), life, emit)
        }
        Operator::Process { process, .. } => process::operator(plan, edge, process, &op),
        Operator::Window { how, .. } => {
            let window = named("w_", edge.stream, "", at);
            let name = how_name(edge, at);
            let behind = edge.operator.front().is_none().then(|| behind(plan, how, &inside, &name));
            let on = local("on", at);
            quote_spanned!(here=> #behind let #op = __rt::window(#on, #window, #name);)
        }
    };
    (tokens, op)
}

/// A fold's start is made anew for each key.
fn fold_start(plan: &Plan, start: &Code, at: Span) -> TokenStream {
    let params = super::code::params(&plan.model.params, [start]);
    let here = place(first(&start.tokens, at));
    let start = paste(start);
    let start = quote_spanned!(here=> __rt::given_out(#start));
    if params.is_empty() {
        return quote_spanned!(here=> move || #start);
    }
    // the closure is called more than once and must not give its params away
    let again: TokenStream = plan
        .model
        .params
        .iter()
        .filter(|param| mentions(start.clone(), param.name.to_string().trim_start_matches("r#")))
        .map(|param| {
            let name = &param.name;
            quote_spanned!(place(name.span())=> let #name = ::core::clone::Clone::clone(&#name); let _ = &#name;)
        })
        .collect();
    quote_spanned!(here=> { #params move || { #again #start } })
}

/// An aggregate of whole rows: its closures are applied behind the edge.
fn behind(plan: &Plan, how: &Aggregate, inside: &Ident, name: &Ident) -> TokenStream {
    let at = first(&how.at, name.span());
    let (types, part) = over(plan, how, at);
    let (inside, name) = (local(&inside.to_string(), at), local(&name.to_string(), at));
    let lets = super::code::params(&plan.model.params, how.words());
    quote_spanned!(place(at)=> let #name = { #lets __rt::over(&#inside, #types, #part) };)
}

/// The words of an aggregate of whole rows, and the closure that takes of a row what they need.
pub(crate) fn over(plan: &Plan, how: &Aggregate, at: Span) -> (TokenStream, TokenStream) {
    let here = place(at);
    let types = how_types(plan, how);
    let x = local("x", at);
    let parts = how.parts.iter().enumerate().map(|(n, part)| {
        let at = part_span(part, at);
        let (x, words) = (local("x", at), local("words", at));
        let kept = quote_spanned!(place(at)=> __rt::store(__rt::share(#x)));
        match part {
            Part::Word { word, of, .. } => word_value(word, at, of.as_ref(), quote!(#x), kept),
            Part::Own(_) => fits(how, n, kept, quote!(#words), at),
        }
    });
    let (value, words) = (tuple(how, parts), local("words", at));
    (types, quote_spanned!(here=> move |#words, #x| { let _ = #words; #value }))
}

/// Where a part of an aggregate stands.
pub(crate) fn part_span(part: &Part, otherwise: Span) -> Span {
    match part {
        Part::Word { name, .. } => name.span(),
        Part::Own(code) => first(&code.tokens, otherwise),
    }
}

/// What a ready-made word needs of a row: `look` is the row as its closure sees it, `kept` the row to keep.
pub(crate) fn word_value(
    word: &Word,
    at: Span,
    closure: Option<&Code>,
    look: TokenStream,
    kept: TokenStream,
) -> TokenStream {
    let here = place(at);
    let Some(closure) = closure else { return quote_spanned!(here=> ()) };
    let body = body_span(closure, at);
    let (gate, value, closure) = (through(word.gate, body), local("v", at), paste(closure));
    let made = quote_spanned!(here=> let #value = __rt::call(#look, #closure););
    let value = local("v", body);
    let value = quote_spanned!(place(body)=> #gate(#value));
    match word.need {
        Need::ValueAndRow => quote_spanned!(here=> ({ #made #value }, __rt::given_out(#kept))),
        _ => quote_spanned!(here=> { #made #value }),
    }
}

/// A row for an aggregator of the user's, through the gate that asks whether it fits; `how` is what all parts are in.
pub(crate) fn fits(how: &Aggregate, part: usize, row: TokenStream, whole: TokenStream, at: Span) -> TokenStream {
    let part = how.tuple.then(|| {
        let part = number(part, at);
        quote_spanned!(place(at)=> .#part)
    });
    quote_spanned!(place(at)=> __rt::fits(#row, &#whole #part))
}
