//! What the engine and the plan know of sources, chains, edges and sinks, as statics.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{quote, quote_spanned};

use super::code::constant;
use super::ident::{first, named, place};
use crate::lower::{Chain, Edge, Head, Meta, Operator, Plan, SinkPlan};
use crate::model::Model;
use crate::syntax::checkpoint::{Checkpoint, Count};
use crate::syntax::restart::How;
use crate::syntax::{Length, OnError, Source};

/// All statics of a job.
pub(crate) fn statics(plan: &Plan) -> TokenStream {
    let mut all = job(plan);
    all.extend(plan.edges.iter().map(edge));
    all.extend(plan.chains.iter().map(|it| chain(plan, it)));
    all.extend(plan.sinks.iter().map(sink));
    all
}

pub(crate) fn edge_name(edge: &Edge) -> Ident {
    named("__EDGE_", edge.stream, edge.suffix, edge.at.span())
}

pub(crate) fn chain_name(plan: &Plan, chain: &Chain) -> Ident {
    match chain.head {
        Head::Source(..) => named("__SOURCE_", chain.stream, "", chain.stream.span()),
        Head::Edge(edge) => named("__CHAIN_", chain.stream, plan.edges[edge].suffix, chain.stream.span()),
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

/// What the block says of checkpoints and restarts.
fn defaults(model: &Model) -> TokenStream {
    let none = quote!(::core::option::Option::None);
    let some = |value: TokenStream| quote!(::core::option::Option::Some(#value));
    let length = |given: fn(&Checkpoint) -> &Option<(Ident, Length)>| {
        let given = model.checkpoint.as_ref().and_then(|it| given(it).as_ref());
        given.map_or(none.clone(), |(_, length)| some(duration(length)))
    };
    let count = |given: fn(&Checkpoint) -> &Option<Count>| {
        let given = model.checkpoint.as_ref().and_then(|it| given(it).as_ref());
        given.map(|count| Literal::u32_unsuffixed(count.number)).map_or(none.clone(), |number| some(quote!(#number)))
    };
    let (every, timeout, pause) = (length(|it| &it.every), length(|it| &it.timeout), length(|it| &it.pause));
    let (keep, tolerate) = (count(|it| &it.keep), count(|it| &it.tolerate));
    let restart = match model.restart.as_ref().and_then(|it| it.how.as_ref()) {
        None => quote!(Usual),
        Some(How::None) => quote!(Never),
        Some(How::Exponential { first, longest }) => {
            let (first, longest) = (duration(first), duration(longest));
            quote!(Exponential { first: #first, longest: #longest })
        }
        Some(How::Fixed { pause, at_most: Count { number, .. } }) => {
            let pause = duration(pause);
            quote!(Fixed { pause: #pause, at_most: #number })
        }
        Some(How::FailureRate { at_most: Count { number, .. }, per }) => {
            let per = duration(per);
            quote!(FailureRate { at_most: #number, per: #per })
        }
    };
    quote! {
        __rt::Defaults {
            every: #every, timeout: #timeout, pause: #pause, keep: #keep, tolerate: #tolerate,
            restart: __rt::Restart::#restart,
        }
    }
}

/// A length that was checked to be written out; others have been reported.
fn duration(length: &Length) -> TokenStream {
    let micros = match length {
        Length::Literal { micros, .. } => micros.unsigned_abs(),
        Length::Param(_) => 1,
    };
    quote!(::core::time::Duration::from_micros(#micros))
}

fn edge(edge: &Edge) -> TokenStream {
    let (of, name) = (edge_name(edge), edge.stream.to_string());
    let because = if matches!(edge.operator, Operator::Union) { "union" } else { "key_by" };
    quote!(static #of: __rt::EdgeMeta = __rt::EdgeMeta { name: #name, because: #because };)
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
        // its lack is reported
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
