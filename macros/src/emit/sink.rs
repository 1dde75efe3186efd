//! Sinks: made once, used by every chain that writes to them.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use super::code::{length, paste, scoped, through, through_with};
use super::ident::{first, local, named, place};
use super::meta::sink_name;
use super::{connector, words};
use crate::diag::near;
use crate::lower::{Plan, SinkPlan};
use crate::syntax::{Code, Generics, Roll};

/// `let s_board = __rt::sink(g, &__SINK_board, csv(out));`
pub(crate) fn sinks(plan: &Plan) -> TokenStream {
    plan.sinks.iter().map(|it| sink(plan, it)).collect()
}

fn sink(plan: &Plan, sink: &SinkPlan) -> TokenStream {
    let at = sink.name.span();
    let (meta, g) = (sink_name(sink), local("g", at));
    let one = handle(sink, 0, at);
    let mut first_of_all = TokenStream::new();
    let connector = match sink.connector {
        Some(code) => {
            let connector = scoped(&plan.model.seen(), [code], paste(code));
            let word = nearly_collect(code);
            let connector = if word.is_empty() { connector } else { quote_spanned!(place(at)=> { #word #connector }) };
            let from = first(&code.tokens, at);
            let connector = through("IsSink::checked", connector, from);
            match sink.roll {
                None => connector,
                Some(roll) => {
                    let every = named("r_", sink.name, "", at);
                    first_of_all = roll_every(roll, &every);
                    rolled(roll, &connector, &every, from)
                }
            }
        }
        None => {
            let rows = named("c_", sink.name, "", at);
            quote_spanned!(place(at)=> __rt::collect(#rows))
        }
    };
    let connector = connector::sink(plan.model, sink.name, connector);
    let mut tokens = quote_spanned!(place(at)=> #first_of_all let #one = __rt::sink(#g, &#meta, #connector););
    for producer in 1..sink.producers {
        let more = handle(sink, producer, at);
        tokens.extend(quote_spanned!(place(at)=> let #more = #one.again();));
    }
    tokens
}

/// `use __rt::words::collect;` where a connector nearly calls that word, so that rustc can name it.
fn nearly_collect(code: &Code) -> TokenStream {
    let called = first_ident(code).filter(|word| !near(&word.to_string(), ["collect"]).is_empty() && word != "collect");
    called.map_or(TokenStream::new(), |word| words::import("collect", word.span()))
}

fn first_ident(code: &Code) -> Option<Ident> {
    match code.tokens.clone().into_iter().next() {
        Some(TokenTree::Ident(word)) => Some(word),
        _ => None,
    }
}

/// How long a file is written to; in front of the sink, since both need the graph.
fn roll_every(roll: &Roll, every: &Ident) -> TokenStream {
    let here = place(roll.word.span());
    let span = match &roll.every {
        Some(span) => {
            let span = length(span, "roll every", 1, false);
            quote_spanned!(here=> ::core::option::Option::Some(#span))
        }
        None => quote_spanned!(here=> ::core::option::Option::None),
    };
    quote_spanned!(here=> let #every = #span;)
}

/// A sink that begins a new file now and then.
fn rolled(roll: &Roll, connector: &TokenStream, every: &Ident, from: Span) -> TokenStream {
    let here = place(roll.word.span());
    let at = match &roll.at {
        Some((bytes, _)) => quote_spanned!(here=> ::core::option::Option::Some(#bytes)),
        None => quote_spanned!(here=> ::core::option::Option::None),
    };
    through_with("CanRoll::rolled", connector, &quote_spanned!(here=> , #every, #at), from)
}

/// The sink as one of its producers holds it.
pub(crate) fn handle(sink: &SinkPlan, producer: usize, at: Span) -> Ident {
    let behind = if producer == 0 { String::new() } else { format!("__{producer}") };
    named("s_", sink.name, &behind, at)
}

/// The check that a sink can hold its rows: while the body is checked; where a row may be of any type, when it is compiled for one.
pub(crate) fn check(generics: &Generics, out: &TokenStream, row: &Ident, at: Span) -> TokenStream {
    let here = place(at);
    if !generics.is_empty() {
        return quote_spanned!(here=> __rt::holds_as_built(&#out, &#row););
    }
    let holds = local("__Holds", at);
    let (w, x) = (local("W", at), local("X", at));
    let ok = local("OK", at);
    quote_spanned! {here=>
        struct #holds<#w, #x>(::core::marker::PhantomData<(#w, #x)>);
        impl<#w: __rt::Accepts<#x>, #x> #holds<#w, #x> {
            const #ok: ::core::marker::PhantomData<(#w, #x)> = __rt::can_hold::<#w, #x>();
        }
        let #holds::<_, _>::#ok = __rt::holds(&#out, &#row);
    }
}
