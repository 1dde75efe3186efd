//! The use of a flow: its function is called with the arguments, what follows its outputs is given as a literal of its struct, and
//! its part of the chain in front goes where that has left a place.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::body::Body;
use super::chain::{closure, counters, lets, outs};
use super::code::{number, paste_moved, scoped};
use super::ident::{local, named, place};
use super::meta::chain_name;
use super::timing::{term, timing};
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
            let import = used.used.known.is_none().then(|| {
                // a path that leads nowhere is one mistake, though a flow is a function and a struct
                let (path, name) = (&used.used.call.path, path(used));
                let at = place(used.used.call.name.span());
                quote_spanned!(at=> use #path as #name;)
            });
            let call = (!takes_closure(used)).then(|| call(plan, used));
            quote!(#import #(#links)* #call)
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

/// How a flow that is used is called: one of the block by its name, another one by the name under which it is imported.
fn path(used: &UsePlan) -> Ident {
    let call = &used.used.call;
    match used.used.known {
        Some(_) => call.name.clone(),
        None => Ident::new(&named("__flow_", &used.stream.name, "", call.name.span()).to_string(), call.name.span()),
    }
}

/// A closure among the arguments is checked when the rows are known that it may be about.
fn takes_closure(used: &UsePlan) -> bool {
    let arguments = used.used.call.arguments.iter().zip(&used.used.streams);
    arguments.filter(|(_, stream)| stream.is_none()).any(|(argument, _)| argument.value.is_closure())
}

/// `let u_t = totals(l_t_0.stream::<__rt::Timed, _>(), 5);`
fn call(plan: &Plan, used: &UsePlan) -> TokenStream {
    let at = used.used.call.name.span();
    let bound = named("u_", &used.stream.name, "", at);
    let mut values: Vec<&Code> = vec![];
    let arguments = used.used.call.arguments.iter().zip(&used.used.streams).map(|(argument, stream)| match stream {
        None => {
            values.push(&argument.value);
            paste_moved(&argument.value)
        }
        Some(n) => {
            let at = used.used.inputs[*n].at.span();
            let (link, mut time) = (link_name(&used.stream.name, *n, at), term(used.times[*n].as_ref(), at));
            if let (Some(Term::Inputs(_)), None) = (&used.times[*n], used.used.known) {
                // the same, and no type parameter: else rustc would have it restricted
                time = quote_spanned!(place(at)=> <#time as __rt::When>::And<__rt::Timed>);
            }
            quote_spanned!(place(at)=> #link.stream::<#time, _>())
        }
    });
    let arguments: Vec<TokenStream> = arguments.collect();
    let path = path(used);
    let mut list = Group::new(Delimiter::Parenthesis, quote_spanned!(place(at)=> #(#arguments),*));
    list.set_span(place(used.used.call.parentheses));
    let call = scoped(&plan.model.seen(), values, quote!(#path #list));
    quote_spanned!(place(at)=> let #bound = #call;)
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
    let (g, on, path) = (local("g", at), local("on", at), path(used));
    let name = used.stream.name.to_string();
    let name = name.trim_start_matches("r#");
    let was = used.stream.was.iter().map(|old| old.to_string().trim_start_matches("r#").to_string());
    // what a row lacks that the flow asks for is said at the stream, and once
    let blamed = used.used.inputs.first().map_or(at, |input| input.at.span());
    let (bound, build) = (local(&bound.to_string(), blamed), local("__build", blamed));
    let call = takes_closure(used).then(|| call(plan, used));
    let binds = (0..used.used.inputs.len()).map(|n| {
        let at = used.used.inputs[n].at.span();
        let link = link_name(&used.stream.name, n, at);
        let (built, zero) = (local(&built.to_string(), at), number(0, at));
        let mut piece = quote!(#built);
        for _ in 0..n {
            let one = number(1, at);
            piece = quote_spanned!(place(at)=> #piece.#one);
        }
        let fits = local("it", at);
        quote_spanned!(place(at)=> let #fits = #link.fits(#piece.#zero); #link.bind(#fits);)
    });
    // at the user's own place: else rustc does not name the outputs that there are
    let mut literal = Group::new(Delimiter::Brace, quote_spanned!(here=> #(#outputs),*));
    literal.set_span(at);
    quote_spanned! {here=>
        #call
        let #built = #bound.#build(#path #literal, #name, &[#(#was),*], #on, #g);
        #(#binds)*
    }
}

/// What follows an output: a field of the literal.
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
    let time = timing(&chain.needs, at);
    let body = closure(at, Body::new(plan, chain).write(&chain.body));
    let then = if lets.is_empty() { body } else { quote!({ #lets #body }) };
    quote_spanned! {place(at)=>
        #field: __rt::Next {
            operators: #meta,
            within: __rt::Graph::here(#g),
            time: ::core::marker::PhantomData::<#time>,
            counters: #counters,
            outs: #outs,
            row: ::core::marker::PhantomData,
            then: #then,
        }
    }
}
