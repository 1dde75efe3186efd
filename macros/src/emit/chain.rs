//! One call per chain, in data order: a source or a stage, with the body that is its loop.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::body::{Body, Parts};
use super::code::{body_span, length, number, params, paste, scoped, through};
use super::edge::{build, how_name, in_name, operator, out_name};
use super::ident::{first, local, named, place};
use super::meta::chain_name;
use super::row::borrows;
use super::sink::handle;
use super::{connector, flow, lock, uses};
use crate::lock::Lock;
use crate::lower::flow::{Branch, Flow, Into};
use crate::lower::{Chain, Head, Operator, Out, Plan};
use crate::model::Stream;
use crate::syntax::{Code, Length, Source};

/// The calls.
pub(crate) fn chains(plan: &Plan, locked: &Lock) -> TokenStream {
    let calls = plan.chains.iter().map(|chain| match chain.head {
        Head::Source(stream, it) => source(plan, chain, stream, it),
        Head::Edge(edge) => stage(plan, chain, edge, locked),
        Head::Input(input) => flow::entry(plan, chain, input),
        Head::Output(id, _) => uses::used(plan, chain, id),
    });
    calls.collect()
}

fn source(plan: &Plan, chain: &Chain, stream: &Stream, source: &Source) -> TokenStream {
    let at = source.name.span();
    let (g, meta, row) = (local("g", at), chain_name(plan, chain), named("__Row_", &stream.name, "", at));
    let row = {
        let angles = plan.model.generics.angles();
        quote_spanned!(place(at)=> #row #angles)
    };
    let (x, cx, n, o) = (local("x0", at), local("cx", at), local("n", at), local("o", at));
    let connector = match &source.rate {
        None => scoped(&plan.model.seen(), [&source.connector], paste(&source.connector)),
        Some(rate) => {
            let (from, limit) = (paste(&source.connector), paste(rate));
            let rated = quote_spanned!(place(first(&rate.tokens, at))=> __rt::rated(#from, #limit));
            scoped(&plan.model.seen(), [&source.connector, rate], rated)
        }
    };
    let mut mentioned: Vec<&Code> = vec![];
    let time = source.event_time.as_ref().map(|(word, code)| {
        mentioned.push(code);
        let (at, body) = (word.span(), body_span(code, word.span()));
        let (x, cx, t) = (local("x0", at), local("cx", at), local("t0", at));
        let closure = paste(code);
        let call = quote_spanned!(place(at)=> #cx.at(0); let #t = __rt::call(&#x, #closure););
        let gated = through("IsTime::time", local("t0", body), body);
        quote_spanned!(place(at)=> #call let #t = #gated; let #t = #cx.time(#t);)
    });
    chain.body.code(&mut mentioned);
    let lets = lets(plan, [&chain.body], mentioned);
    let (counters, outs, errors) = (counters(chain), outs(plan, chain), errors(plan, chain));
    let (times, meta) = times(source, &meta, at);
    // a connector that is no source of these rows is blamed, not the name
    let from = first(&source.connector.tokens, at);
    let connector = {
        let gated = Ident::new("__gated", from);
        // a user may have imported this trait, so the path to it is not in his hygiene
        let rows = quote_spanned!(place(from)=> <#row as __rt::RowType>::Row<'static>);
        let call = quote_spanned!(from=> <_ as __rt::SourceOf<#row, #rows, _>>::checked(#gated));
        quote_spanned!(place(from)=> { let #gated: _ = #connector; #call })
    };
    let connector = connector::source(plan.model, &source.name, &row, connector);
    if let (None, Some((kind, parts))) = (&time, parts(plan, chain, &source.ty)) {
        let call = local(&format!("source_{kind}"), from);
        let call = quote_spanned!(place(from)=> __rt::#call::<#row, _, _, _, _, _, _>);
        let (again, Parts { front, row: row_behind, rest }) = (lets.clone(), parts);
        return quote_spanned! {place(at)=> {
            #times
            #call(
                #g, #meta, #connector, #counters, #outs,
                { #again move |#x, #cx, #n, #o| { #front } },
                { #lets move |#row_behind, #cx, #n, #o| { #rest } },
                #errors,
            );
        }};
    }
    let body = Body::new(plan, chain).write(&chain.body);
    let call = quote_spanned!(place(from)=> __rt::source::<#row, _, _, _, _>);
    quote_spanned! {place(at)=> {
        #lets
        #times
        #call(#g, #meta, #connector, #counters, #outs, move |#x, #cx, #n, #o| {
            #time
            #body
        }, #errors);
    }}
}

/// A chain over rows of this type as two closures, if it is cut at a filter, and where that is: `filtered`, or `through` to the flow that it leads into.
///
/// A filter in front of an exchange needs no branch: the runtime takes the chain in two parts. In front of a sink the loop
/// stays one, since there it may vectorize as it is.
pub(super) fn parts(plan: &Plan, chain: &Chain, row: &TokenStream) -> Option<(&'static str, Parts)> {
    if borrows(row) {
        return None;
    }
    if let Some(into) = chain.body.through() {
        let enters = matches!(chain.outs.get(into.2), Some(Out::Flow { .. }));
        return enters.then(|| ("through", Body::new(plan, chain).write_through(into)));
    }
    let cut = chain.body.cut().filter(|cut| !cut.ends.iter().any(Branch::sinks))?;
    Some(("filtered", Body::new(plan, chain).write_cut(&cut)))
}

/// What the engine knows of a source, with the durations that params say.
fn times(source: &Source, meta: &Ident, at: Span) -> (TokenStream, TokenStream) {
    let param = |given: &Option<(Ident, Length)>, of: &str, least| match given {
        Some((_, it @ Length::Param(_))) => Some(length(it, of, least, true)),
        _ => None,
    };
    let late_by = param(&source.late_by, "late_by", 0);
    let idle_after = param(&source.idle_after, "idle_after", 1000);
    if late_by.is_none() && idle_after.is_none() {
        return (TokenStream::new(), meta.to_token_stream());
    }
    let (here, known) = (place(at), local("meta", at));
    let field = |name: &str, value: Option<TokenStream>| {
        value.map(|value| {
            let name = local(name, at);
            quote_spanned!(here=> #name: ::core::option::Option::Some(#value),)
        })
    };
    let (late_by, idle_after) = (field("late_by", late_by), field("idle_after", idle_after));
    (quote_spanned!(here=> let #known = __rt::SourceMeta { #late_by #idle_after ..#meta };), quote!(#known))
}

/// What happens to records that the source could not read.
fn errors(plan: &Plan, chain: &Chain) -> TokenStream {
    let at = chain.stream.span();
    let Some((flow, counter)) = &chain.errors else { return quote_spanned!(place(at)=> __rt::no_errors()) };
    let (x, cx, n, o) = (local("x0", at), local("cx", at), local("n", at), local("o", at));
    let mut mentioned: Vec<&Code> = vec![];
    flow.code(&mut mentioned);
    let lets = lets(plan, [flow], mentioned);
    let (body, counter, one) = (Body::untimed(plan, chain).write(flow), number(*counter, at), number(1, at));
    quote_spanned! {place(at)=> { #lets move |#x, #cx, #n, #o| {
        #n[#counter] += #one;
        let _ = (&#x, &#cx, &#o);
        #body
    }}}
}

fn stage(plan: &Plan, chain: &Chain, edge: usize, locked: &Lock) -> TokenStream {
    let edge = &plan.edges[edge];
    if edge.producers == 0 {
        return TokenStream::new();
    }
    let at = edge.at.span();
    let (g, meta, inside) = (local("g", at), chain_name(plan, chain), in_name(edge, at));
    let (bind, op) = operator(plan, edge);
    let mut mentioned: Vec<&Code> = vec![];
    chain.body.code(&mut mentioned);
    chain.sides.iter().for_each(|(side, _)| side.code(&mut mentioned));
    let flows = || std::iter::once(&chain.body).chain(chain.sides.iter().map(|(side, _)| side));
    let lets = lets(plan, flows(), mentioned);
    let body = match &edge.operator {
        Operator::Process { .. } => outputs(plan, chain, at),
        // results that have names are put into their struct first
        operator => {
            let body = Body::new(plan, chain).write(&chain.body);
            match operator.how().and_then(|how| how.fields.as_ref()) {
                Some(fields) => {
                    let at = first(&fields.path, at);
                    let (x, build) = (local("x0", at), build(fields));
                    let put = quote_spanned!(place(at)=> let #x = __rt::valued(#x, #build););
                    quote!(#put #body)
                }
                None => body,
            }
        }
    };
    let body = closure(at, body);
    let late = match &chain.late {
        None => quote_spanned!(place(at)=> __rt::no_late()),
        Some(flow) => {
            let mut mentioned: Vec<&Code> = vec![];
            flow.code(&mut mentioned);
            let lets = self::lets(plan, [flow], mentioned);
            let late = closure(at, Body::new(plan, chain).write(flow));
            if lets.is_empty() { late } else { quote!({ #lets #late }) }
        }
    };
    let (counters, outs) = (counters(chain), outs(plan, chain));
    let state = lock::gate(plan.model, edge, &op, locked);
    quote_spanned! {place(at)=> {
        #bind
        #state
        #lets
        __rt::stage(#g, &#meta, #inside, #op, #counters, #outs, #body, #late);
    }}
}

/// A process gives the rows of all its outputs as one type, which is taken apart here.
fn outputs(plan: &Plan, chain: &Chain, at: Span) -> TokenStream {
    let x = local("x0", at);
    let here = place(at);
    let count = |counter: usize| {
        let (n, counter, one) = (local("n", at), number(counter, at), number(1, at));
        quote_spanned!(here=> #n[#counter] += #one;)
    };
    let sides = chain.sides.iter().rev().fold(quote_spanned!(here=> match #x {}), |rest, (side, counter)| {
        let (count, body) = (count(*counter), Body::new(plan, chain).write(side));
        quote_spanned! {here=> match #x {
            __rt::Either::This(#x) => { #count let _ = &#x; #body }
            __rt::Either::Rest(#x) => #rest
        }}
    });
    let (count, body) = (chain.operators[0].counted.map(count), Body::new(plan, chain).write(&chain.body));
    quote_spanned! {here=> match #x {
        __rt::Emitted::Main(#x) => { #count let _ = &#x; #body }
        __rt::Emitted::Side(#x) => #sides
    }}
}

pub(super) fn closure(at: Span, body: TokenStream) -> TokenStream {
    let (x, t, cx, n, o) = (local("x0", at), local("t0", at), local("cx", at), local("n", at), local("o", at));
    quote_spanned! {place(at)=> move |#x, #t, #cx, #n, #o| {
        #body
    }}
}

pub(super) fn counters(chain: &Chain) -> TokenStream {
    let (at, many) = (place(chain.stream.span()), chain.counters);
    quote_spanned!(at=> [0u64; #many])
}

/// `(a, (b, (c, ())))`.
pub(super) fn outs(plan: &Plan, chain: &Chain) -> TokenStream {
    let at = chain.stream.span();
    chain.outs.iter().rev().fold(quote_spanned!(place(at)=> ()), |rest, out| {
        let one = match *out {
            // each at its own place: what is wrong with it is not wrong with the chain
            Out::Edge { edge, producer } => {
                out_name(&plan.edges[edge], producer, plan.edges[edge].at.span()).into_token_stream()
            }
            Out::Flow { id, input, after } => uses::out(plan, id, input, after, at),
            Out::Return { output, after } => flow::returned(plan, output, after, at),
            Out::Sink { sink, producer, input } => {
                let at = plan.sinks[sink].name.span();
                let sink = handle(&plan.sinks[sink], producer, at);
                quote_spanned!(place(at)=> #sink.after(#input))
            }
        };
        quote_spanned!(place(at)=> (#one, #rest))
    })
}

/// Clones of what a body captures: the params that its code mentions, and the aggregators that its values must fit.
pub(super) fn lets<'f, 'm: 'f>(
    plan: &Plan,
    flows: impl IntoIterator<Item = &'f Flow<'m>>,
    code: Vec<&Code>,
) -> TokenStream {
    let mut tokens = params(&plan.model.seen(), code);
    let mut edges = vec![];
    flows.into_iter().for_each(|flow| fronts(flow, &mut edges));
    for edge in edges {
        let edge = &plan.edges[edge];
        let at = edge.at.span();
        let how = how_name(edge, at);
        tokens.extend(quote_spanned!(place(at)=> let #how = __rt::again(&#how);));
    }
    tokens
}

/// Edges whose aggregator is needed in front of them, for the gates of its own parts.
fn fronts(flow: &Flow, to: &mut Vec<usize>) {
    for end in &flow.ends {
        match end {
            Branch::Flow { flow, .. } => fronts(flow, to),
            Branch::Split { ways, .. } => ways.iter().for_each(|way| fronts(&way.flow, to)),
            Branch::Keyed { sends, .. } | Branch::Came { sends, .. } => {
                to.extend(sends.iter().filter_map(|send| match send.into {
                    Into::Edge { edge, words: Some((how, _)) } if how.has_own() => Some(edge),
                    _ => None,
                }));
            }
            Branch::Union { .. } | Branch::Sink { .. } | Branch::Enter { .. } | Branch::Exchange { .. } => {}
        }
    }
}
