//! What the engine and the plan know of sources, chains, edges and sinks, as statics.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{quote, quote_spanned};

use super::code::{constant, span};
use super::ident::{first, local, named, place};
use crate::lower::{Chain, Edge, Head, Meta, Operator, Plan, SinkPlan};
use crate::model::Model;
use crate::syntax::checkpoint::{Checkpoint, Count};
use crate::syntax::restart::How;
use crate::syntax::{Length, OnError, Source};

/// All statics of a job or a flow.
pub(crate) fn statics(plan: &Plan) -> TokenStream {
    let mut all = if plan.model.flow.is_none() { job(plan) } else { TokenStream::new() };
    all.extend(plan.edges.iter().map(edge));
    all.extend(plan.chains.iter().map(|it| chain(plan, it)));
    all.extend(plan.sinks.iter().map(sink));
    all
}

pub(crate) fn edge_name(edge: &Edge) -> Ident {
    named("__EDGE_", edge.stream, &edge.suffix, edge.at.span())
}

pub(crate) fn chain_name(plan: &Plan, chain: &Chain) -> Ident {
    match chain.head {
        Head::Source(..) => named("__SOURCE_", chain.stream, "", chain.stream.span()),
        Head::Input(_) => named("__ENTRY_", chain.stream, "", chain.stream.span()),
        Head::Output(id, output) => {
            let output = output.map_or("main".to_string(), |n| plan.output(id, n));
            named("__NEXT_", chain.stream, &format!("_{output}"), chain.stream.span())
        }
        Head::Edge(edge) => named("__CHAIN_", chain.stream, &plan.edges[edge].suffix, chain.stream.span()),
    }
}

pub(crate) fn sink_name(sink: &SinkPlan) -> Ident {
    named("__SINK_", sink.name, "", sink.name.span())
}

fn job(plan: &Plan) -> TokenStream {
    let model = plan.model;
    let (name, backend) = (model.name.to_string(), model.backend.to_string());
    let dropped = model.drops.iter().map(|drop| model.written(drop));
    let given_up = super::lock::dropped(model);
    let defaults = defaults(model);
    quote! {
        const __DEFAULTS: __rt::Defaults = #defaults;
        static __JOB: __rt::JobMeta = __rt::JobMeta {
            name: #name,
            backend: #backend,
            dropped: &[#(#dropped),*],
            given_up: &[#(#given_up),*],
            defaults: __DEFAULTS,
        };
    }
}

/// What the block says of checkpoints and restarts, so far as it is written out.
fn defaults(model: &Model) -> TokenStream {
    let every = match model.checkpoint.as_ref().and_then(|it| it.every.as_ref()) {
        Some((_, Length::Param(name))) => {
            let name = name.to_string();
            quote!(::core::option::Option::Some(#name))
        }
        _ => quote!(::core::option::Option::None),
    };
    said(model, every, &|_, length| match length {
        Length::Literal { micros, .. } => {
            let micros = micros.unsigned_abs();
            Some(quote!(::core::time::Duration::from_micros(#micros)))
        }
        Length::Param(_) => None,
    })
}

/// The same with what params say, if some do: an expression that gives an error if one of them is wrong.
pub(crate) fn run_defaults(model: &Model) -> Option<TokenStream> {
    let params = std::cell::Cell::new(false);
    let all = said(model, quote!(::core::option::Option::None), &|of, length| match length {
        Length::Literal { micros, .. } => {
            let micros = micros.unsigned_abs();
            Some(quote!(::core::time::Duration::from_micros(#micros)))
        }
        Length::Param(name) => {
            params.set(true);
            let (at, text) = (place(name.span()), name.to_string());
            let text = text.trim_start_matches("r#");
            let span = span(name);
            Some(quote_spanned!(at=> __rt::period(#text, #of, #span)?))
        }
    });
    params.get().then_some(all)
}

fn said(
    model: &Model,
    every_param: TokenStream,
    duration: &dyn Fn(&str, &Length) -> Option<TokenStream>,
) -> TokenStream {
    let none = quote!(::core::option::Option::None);
    let some = |value: TokenStream| quote!(::core::option::Option::Some(#value));
    let length = |of: &str, given: fn(&Checkpoint) -> &Option<(Ident, Length)>| {
        let given = model.checkpoint.as_ref().and_then(|it| given(it).as_ref());
        given.and_then(|(_, length)| duration(of, length)).map_or(none.clone(), some)
    };
    let count = |given: fn(&Checkpoint) -> &Option<Count>| {
        let given = model.checkpoint.as_ref().and_then(|it| given(it).as_ref());
        given.map(|count| Literal::u32_unsuffixed(count.number)).map_or(none.clone(), |number| some(quote!(#number)))
    };
    let every = length("checkpoint every", |it| &it.every);
    let (timeout, pause) = (length("timeout", |it| &it.timeout), length("pause", |it| &it.pause));
    let (keep, tolerate) = (count(|it| &it.keep), count(|it| &it.tolerate));
    let restart = match model.restart.as_ref().and_then(|it| it.how.as_ref()) {
        None => None,
        Some(How::None) => Some(quote!(__rt::Restart::Never)),
        Some(How::Exponential { first, longest }) => {
            let of = "restart exponential";
            duration(of, first).zip(duration(of, longest)).map(|(one, other)| match (first, longest) {
                (Length::Literal { .. }, Length::Literal { .. }) => {
                    quote!(__rt::Restart::Exponential { first: #one, longest: #other })
                }
                _ => quote!(__rt::exponential(#one, #other)?),
            })
        }
        Some(How::Fixed { pause, at_most: Count { number, .. } }) => duration("restart fixed", pause)
            .map(|pause| quote!(__rt::Restart::Fixed { pause: #pause, at_most: #number })),
        Some(How::FailureRate { at_most: Count { number, .. }, per }) => {
            duration("per", per).map(|per| quote!(__rt::Restart::FailureRate { at_most: #number, per: #per }))
        }
    };
    let restart = restart.unwrap_or_else(|| quote!(__rt::Restart::Usual));
    quote! {
        __rt::Defaults {
            every: #every, every_param: #every_param, timeout: #timeout, pause: #pause, keep: #keep, tolerate: #tolerate,
            restart: #restart,
        }
    }
}

/// Why a chain is cut in front of an edge, and what kind the edge is of.
pub(super) fn cut(edge: &Edge) -> (String, &'static str) {
    match &edge.operator {
        Operator::Union => ("union".to_string(), "Local"),
        Operator::Exchange(exchange) => (edge.at.to_string(), exchange.kind()),
        _ if edge.global => ("global".to_string(), "Global"),
        _ => ("key_by".to_string(), "ByKey"),
    }
}

fn edge(edge: &Edge) -> TokenStream {
    let (of, name) = (edge_name(edge), edge.stream.to_string());
    let (because, kind) = cut(edge);
    let kind = local(kind, edge.at.span());
    quote!(static #of: __rt::EdgeMeta = __rt::EdgeMeta { name: #name, because: #because, kind: __rt::EdgeKind::#kind };)
}

fn sink(sink: &SinkPlan) -> TokenStream {
    let (of, name) = (sink_name(sink), sink.name.to_string());
    quote!(static #of: __rt::SinkMeta = __rt::SinkMeta { name: #name };)
}

fn chain(plan: &Plan, chain: &Chain) -> TokenStream {
    let of = chain_name(plan, chain);
    let operators = chain.operators.iter().map(operator);
    match chain.head {
        Head::Edge(_) => quote! {
            static #of: __rt::ChainMeta = __rt::ChainMeta { operators: &[#(#operators),*] };
        },
        Head::Input(_) | Head::Output(..) => quote! {
            static #of: &[__rt::OperatorMeta] = &[#(#operators),*];
        },
        Head::Source(_, source) => {
            let (name, late_by, on_error) = (source.name.to_string(), late_by(source), on_error(source));
            let idle_after = idle_after(source);
            let ordered = source.ordered_splits.is_some() && source.event_time.is_some();
            quote! {
                static #of: __rt::SourceMeta = __rt::SourceMeta {
                    name: #name, late_by: #late_by, ordered: #ordered, idle_after: #idle_after, on_error: #on_error,
                    operators: &[#(#operators),*]
                };
            }
        }
    }
}

fn late_by(source: &Source) -> TokenStream {
    let Some((word, code)) = &source.event_time else { return quote!(::core::option::Option::None) };
    let at = match &source.late_by {
        Some((_, Length::Literal { micros, token })) => constant(*micros, token.span()),
        // its lack is reported; that of a param is told when the source is made
        _ => constant(0, first(&code.tokens, word.span())),
    };
    quote!(::core::option::Option::Some(#at))
}

fn on_error(source: &Source) -> TokenStream {
    match source.on_error {
        OnError::Fail => quote!(__rt::OnError::Fail),
        OnError::Skip => quote!(__rt::OnError::Skip),
        OnError::Divert(_) => quote!(__rt::OnError::Divert),
    }
}

fn idle_after(source: &Source) -> TokenStream {
    let after = match &source.idle_after {
        _ if source.never_idle.is_some() => return quote!(::core::option::Option::None),
        Some((_, Length::Literal { micros, token })) => constant(*micros, token.span()),
        _ => quote!(__rt::IDLE_AFTER),
    };
    quote!(::core::option::Option::Some(#after))
}

fn operator(meta: &Meta) -> TokenStream {
    let Meta { what, name, at, arrival_ordered, stateful, counted, input } = meta;
    let counted = match counted {
        Some(index) => quote!(::core::option::Option::Some(#index)),
        None => quote!(::core::option::Option::None),
    };
    // with the user's own span, not just its place, `line!` gives the operator's line and not that of the whole block
    let at = *at;
    let (line, column) = (quote_spanned!(at=> ::core::line!()), quote_spanned!(at=> ::core::column!()));
    quote_spanned! {place(at)=>
        __rt::OperatorMeta {
            what: #what, name: #name, line: #line, column: #column,
            arrival_ordered: #arrival_ordered, stateful: #stateful, counted: #counted, input: #input
        }
    }
}
