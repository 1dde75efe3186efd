//! The use of a flow: its function is called with the arguments, what follows each of its outputs is put into the list of them, and
//! its part of the chain in front goes where that has left a place.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::asked;
use super::body::Body;
use super::chain::{closure, counters, lets, outs};
use super::code::{number, paste_moved, scoped};
use super::ident::{first, local, named, place};
use super::meta::chain_name;
use super::timing::{term, timing};
use super::words;
use crate::diag::near;
use crate::lower::{Chain, Head, Plan, Term, UsePlan};
use crate::model::{Model, Port, StreamId, Use};
use crate::syntax::Code;

/// `l_t_0.after(3)`: a flow that is used, as an output of a chain.
pub(super) fn out(plan: &Plan, id: StreamId, input: usize, after: usize, at: Span) -> TokenStream {
    let (link, after) = (link_name(&plan.model.stream(id).name, input, at), number(after, at));
    quote_spanned!(place(at)=> #link.after(#after))
}

fn link_name(stream: &Ident, input: usize, at: Span) -> Ident {
    named("l_", stream, &format!("_{input}"), at)
}

/// The links of the flows that are used, and their calls.
pub(super) fn uses(plan: &Plan) -> TokenStream {
    plan.uses
        .iter()
        .map(|used| {
            let links = (0..used.used.inputs.len()).map(|n| {
                let link = link_name(&used.stream.name, n, used.used.inputs[n].at.span());
                let make = local(if is_keyed(plan, &used.used.inputs[n]) { "keyed_link" } else { "link" }, link.span());
                quote_spanned!(place(link.span())=> let #link = __rt::#make();)
            });
            let call = (!takes_closure(used)).then(|| call(plan, used));
            quote!(#(#links)* #call)
        })
        .collect()
}

/// Whether a flow is given a stream with its key.
fn is_keyed(plan: &Plan, input: &Use) -> bool {
    input.port == Port::Rows && plan.model.stream(input.stream).is_keyed()
}

/// The flows of statements that are left out over a mistake: so that their imports are not called unused too.
pub(super) fn lost(model: &Model) -> TokenStream {
    let all = model.lost.iter().map(|path| quote!(#[allow(unused_imports)] use #path as _;));
    all.collect()
}

/// A closure among the arguments is checked when the rows are known that it may be about.
fn takes_closure(used: &UsePlan) -> bool {
    let arguments = used.used.call.arguments.iter().zip(&used.used.streams);
    arguments.filter(|(_, stream)| stream.is_none()).any(|(argument, _)| argument.value.is_closure())
}

/// `let u_t = { let used = __rt::used(|(a0,)| totals(a0, 5)); used.flow(totals(used.stream(l_t_0.stream::<__rt::Timed, _>()), 5)) };`
///
/// The closure finds what the call gives, whatever the parameters are: what is no flow is told of at its name, and neither at its
/// arguments nor at each method that it lacks. What else is wrong with the call is so twice, and at the same places, so that rustc says
/// it once: an argument too many has its type in that message, so those at the end stand in the closure, too, where they can.
fn call(plan: &Plan, used: &UsePlan) -> TokenStream {
    let at = used.used.call.name.span();
    let bound = named("u_", &used.stream.name, "", at);
    let (path, word) = (asked::path(plan.model, used.id, used.used), nearly_union(used));
    let (mut values, mut said): (Vec<&Code>, Vec<&Code>) = (vec![], vec![]);
    let last = used.used.streams.iter().rposition(Option::is_some);
    let (mut open, mut first_call, mut second_call) = (vec![], vec![], vec![]);
    for (nth, (argument, stream)) in used.used.call.arguments.iter().zip(&used.used.streams).enumerate() {
        let value = &argument.value;
        let at = stream.map_or(first(&value.tokens, at), |n| used.used.inputs[n].at.span());
        let name = local(&format!("a{nth}"), at);
        match stream {
            None => {
                values.push(value);
                second_call.push(paste_moved(value));
            }
            Some(n) => {
                let link = link_name(&used.stream.name, *n, at);
                let mut time = term(plan.model, used.times[*n].as_ref(), at);
                if let (Some(Term::Inputs(_)), None) = (&used.times[*n], used.used.known) {
                    // the same, and no type parameter: else rustc would have it restricted
                    time = quote_spanned!(place(at)=> __rt::BothTimed<#time, __rt::Timed>);
                }
                let gate = local("used", at);
                second_call.push(quote_spanned!(place(at)=> #gate.stream(#link.stream::<#time, _>())));
            }
        }
        if Some(nth) > last && value.is_simple() {
            said.push(value);
            first_call.push(paste_moved(value));
        } else {
            first_call.push(quote!(#name));
            open.push(name);
        }
    }
    let list = |arguments: Vec<TokenStream>| {
        let mut list = Group::new(Delimiter::Parenthesis, quote_spanned!(place(at)=> #(#arguments),*));
        list.set_span(place(used.used.call.parentheses));
        list
    };
    let (first_call, second_call) = (list(first_call), list(second_call));
    let seen = plan.model.seen();
    let first_call = scoped(&seen, said, quote!(#path #first_call));
    let second_call = scoped(&seen, values, quote!(#path #second_call));
    let (asks, gate, flow) = (Ident::new("used", at), local("used", at), local("flow", at));
    let asks = quote_spanned!(at=> __rt::#asks(|(#(#open,)*)| #first_call));
    quote_spanned! {place(at)=>
        #[allow(unused_qualifications)]
        let #bound = {
            #word
            let #gate = #asks;
            #gate.#flow(#second_call)
        };
    }
}

/// `use __rt::words::union;` where a flow is nearly called as that word, so that rustc can name it.
fn nearly_union(used: &UsePlan) -> TokenStream {
    let call = &used.used.call;
    let is = used.used.known.is_none() && !near(&call.name.to_string(), ["union"]).is_empty();
    if is { words::import("union", call.name.span()) } else { TokenStream::new() }
}

/// Builds a flow that is used, with what follows its outputs; emitted at the first of them.
pub(super) fn used(plan: &Plan, chain: &Chain, id: StreamId) -> TokenStream {
    let of_this = |chain: &&Chain| matches!(chain.head, Head::Output(of, _) if of == id);
    let Some(used) = plan.uses.iter().find(|used| used.id == id) else { return TokenStream::new() };
    if !plan.chains.iter().find(of_this).is_some_and(|first| std::ptr::eq(first, chain)) {
        return TokenStream::new();
    }
    let at = used.used.call.name.span();
    let here = place(at);
    let outputs = plan.chains.iter().filter(of_this).map(|chain| output(plan, chain, used));
    let (bound, built) = (named("u_", &used.stream.name, "", at), named("b_", &used.stream.name, "", at));
    let (g, on) = (local("g", at), local("on", at));
    let (places, list) = (named("o_", &used.stream.name, "", at), named("n_", &used.stream.name, "", at));
    let name = used.stream.name.to_string();
    let name = name.trim_start_matches("r#");
    let was = used.stream.was.iter().map(|old| old.to_string().trim_start_matches("r#").to_string());
    // what a row lacks that the flow asks for is said at the stream, and once
    let blamed = used.used.inputs.first().map_or(at, |input| input.at.span());
    let (bound, build) = (local(&bound.to_string(), blamed), local("__build", blamed));
    let call = takes_closure(used).then(|| call(plan, used));
    let depth = depth_name(used);
    let binds = (0..used.used.inputs.len()).map(|n| {
        let (at, depth) = (used.used.inputs[n].at.span(), &depth);
        let link = link_name(&used.stream.name, n, at);
        let (built, zero) = (local(&built.to_string(), at), number(0, at));
        let mut piece = quote!(#built);
        for _ in 0..n {
            let one = number(1, at);
            piece = quote_spanned!(place(at)=> #piece.#one);
        }
        let fits = local("it", at);
        quote_spanned!(place(at)=> let #fits = #link.fits(#piece.#zero); #link.bind(#fits, #depth);)
    });
    quote_spanned! {here=>
        #call
        let (#places, #list, #depth) = #bound.__outputs();
        #(#outputs)*
        let #list = #places.__whole(#list);
        let #built = #bound.#build(#list, #name, &[#(#was),*], #on, #g);
        #(#binds)*
    }
}

/// How deep the flow is.
fn depth_name(used: &UsePlan) -> Ident {
    named("d_", &used.stream.name, "", used.used.call.name.span())
}

/// What follows an output, at its place in the list.
fn output(plan: &Plan, chain: &Chain, used: &UsePlan) -> TokenStream {
    let at = match chain.head {
        Head::Output(_, Some(n)) => used.used.outputs.get(n).map_or(used.stream.name.span(), Ident::span),
        _ => used.stream.name.span(),
    };
    let field = match chain.head {
        Head::Output(_, Some(n)) => used.used.outputs.get(n).cloned(),
        _ => None,
    };
    // the flow's own place for one that it gives, where it is known only here
    let field = field.unwrap_or_else(|| Ident::new("main", used.used.call.name.span()));
    let (g, meta) = (local("g", at), chain_name(plan, chain));
    let mut mentioned: Vec<&Code> = vec![];
    chain.body.code(&mut mentioned);
    let lets = lets(plan, [&chain.body], mentioned);
    let (counters, outs) = (counters(chain), outs(plan, chain));
    let time = timing(plan.model, &chain.needs, at);
    let body = closure(at, Body::new(plan, chain).write(&chain.body));
    let then = if lets.is_empty() { body } else { quote!({ #lets #body }) };
    let (places, list) = (named("o_", &used.stream.name, "", at), named("n_", &used.stream.name, "", at));
    let (depth, behind) = (depth_name(used), local(&format!("Then{:?}", chain.behind), at));
    quote_spanned! {place(at)=>
        let #list = __rt::followed(#list, #places.#field, (#depth, __rt::#behind), __rt::Next {
            operators: #meta,
            within: __rt::Graph::here(#g),
            time: ::core::marker::PhantomData::<#time>,
            counters: #counters,
            outs: #outs,
            row: ::core::marker::PhantomData,
            then: #then,
        });
    }
}
