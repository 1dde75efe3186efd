//! Flows. One is a function with the parameters that its author wrote, a struct with a field for each output, which says its place, and
//! what the function gives back, which builds the flow when it is known what follows each output. A use calls the function, so that
//! rustc holds the arguments against the parameters; names the outputs as fields of the struct, so that it holds these against each
//! other; and finds the type parameters in the rows that come in.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::body::{Body, Parts};
use super::chain::{closure, counters, lets, outs, parts};
use super::code::number;
use super::ident::{first, local, located, named, place};
use super::keyed::Steps;
use super::meta::chain_name;
use super::row::{lifetime, with_lifetimes};
use super::{asked, chain, edge, lock, meta, resource, uses};
use crate::lock::Lock;
use crate::lower::flow::Branch;
use crate::lower::{Chain, Plan};
use crate::model::{Flow, Model};
use crate::syntax::flow::Gives;
use crate::syntax::{Code, Takes};

/// All items of a flow.
pub(crate) fn flow(plan: &Plan, root: &TokenStream) -> TokenStream {
    let model = plan.model;
    let Some(flow) = &model.flow else { return TokenStream::new() };
    let Model { name, lints, .. } = model;
    let (function, outputs) = (function(model, flow, root), outputs(model, flow, root));
    let whole = whole(model, flow);
    let rows = rows(model, flow);
    let (statics, states) = (meta::statics(plan), lock::items(plan, &Lock::default()));
    let build = build(plan, flow);
    let (owned, given) = (model.generics.owned(), model.generics.given());
    let (used, inputs) = (used_name(name), inputs(flow));
    let (lost, (asks, asked)) = (uses::lost(model), (asked::items(model), asked::impls(model, root)));
    quote! {
        #function
        #outputs
        #asks
        #lints
        #[allow(clippy::unused_unit, clippy::type_complexity, clippy::too_many_arguments)]
        const _: () = {
            use #root::__private as __rt;
            #lost
            #asked
            const fn __micros(us: i64) -> __rt::TimeSpan {
                __rt::TimeSpan::from_micros(us)
            }
            #rows
            #statics
            #states
            #whole
            impl<#owned #(#inputs: __rt::When),*> #used<#given #(#inputs),*> { #build }
            impl<#owned #(#inputs),*> __rt::IsFlow for #used<#given #(#inputs),*> {
                type Use = __rt::Used<Self>;
                fn used() -> __rt::Used<Self> { __rt::Used::found() }
            }
        };
    }
}

/// What calling a flow gives: `__totals`.
fn used_name(flow: &Ident) -> Ident {
    named("__", flow, "", flow.span())
}

/// The struct of its outputs: `__outputs_of_totals`.
fn outputs_name(flow: &Ident) -> Ident {
    named("__outputs_of_", flow, "", flow.span())
}

/// The type of a row that comes in or goes out: `__totals_in_trades`, `__totals_out_sums`.
fn row_name(flow: &Ident, way: &str, name: Option<&Ident>) -> Ident {
    let name = name.map_or("main".to_string(), Ident::to_string);
    named("__", flow, &format!("_{way}_{}", name.trim_start_matches("r#")), flow.span())
}

/// Whether a stream that comes in has event time: `__I0`.
fn input(n: usize) -> Ident {
    local(&format!("__I{n}"), Span::mixed_site())
}

/// The same inside of the flow. What it hands on has event time where that is asked for, since it could not be called else.
pub(super) fn brought(model: &Model, n: usize, at: Span) -> TokenStream {
    let (here, input) = (place(at), local(&format!("__I{n}"), at));
    match model.flow.as_ref().is_some_and(|flow| flow.hands_on(n)) {
        true => {
            let asked = asked::own(model, n, &quote_spanned!(here=> __rt), at);
            quote_spanned!(here=> <#asked as __rt::When>::Or<#input>)
        }
        false => quote_spanned!(here=> #input),
    }
}

/// All of them. What a call gives has each in its type, also where the answer is known: so the type says all of the call.
fn inputs(flow: &Flow) -> Vec<Ident> {
    (0..flow.streams().count()).map(input).collect()
}

/// The field of an output.
fn field(gives: &Gives, at: Span) -> Ident {
    gives.name.clone().unwrap_or_else(|| Ident::new("main", at))
}

/// The function that its users call, and what it gives.
fn function(model: &Model, flow: &Flow, root: &TokenStream) -> TokenStream {
    let Model { name, visibility, attributes, generics, .. } = model;
    let (used, inputs) = (used_name(name), inputs(flow));
    let rt = quote!(#root::__private);
    let (declared, given) = (generics.declared(&rt), generics.given());
    let all = 0..flow.streams().count();
    let names: Vec<&Ident> = flow.streams().map(|(name, _)| name).collect();
    let bounds = all.clone().map(|n| {
        let input = input(n);
        let at = names[n].span();
        let rt = located(&rt, at);
        let bound = match flow.timed.contains(&n) {
            true => quote_spanned!(place(at)=> EventTimed),
            false if flow.hands_on(n) => {
                let asked = asked::own(model, n, &rt, at);
                quote_spanned!(place(at)=> Brings<#asked>)
            }
            false => quote_spanned!(place(at)=> When),
        };
        quote_spanned!(place(at)=> #input: #rt::#bound)
    });
    let mut streams = all.map(input);
    let parameters = flow.takes.iter().filter_map(|it| match it {
        Takes::Stream { name: stream, key, .. } => {
            let (row, input) = (row_name(name, "in", Some(stream)), streams.next()?);
            let (rows, given) = (local(if key.is_some() { "Keyed" } else { "Stream" }, stream.span()), &given);
            let key = key.as_ref().map(|key| quote!(#key,));
            Some(quote!(#stream: #rt::#rows<#key #row<#given>, #input>))
        }
        Takes::Value(param) => {
            let (name, ty) = (&param.name, &param.ty);
            Some(quote!(#name: #ty))
        }
    });
    let streams = flow.streams().map(|(name, _)| name);
    let values: Vec<&Ident> = model.params.iter().map(|param| &param.name).collect();
    let types = model.params.iter().map(|param| &param.ty);
    let text = format!("```text\nflow {}\n```", flow.text);
    let hidden = local("__types", Span::mixed_site());
    let about = format!("What [`{name}`] was given.");
    let rows = flow.streams().map(|(stream, _)| row_name(name, "in", Some(stream)));
    let rows = rows.chain(flow.gives.iter().map(|gives| row_name(name, "out", gives.name.as_ref())));
    let rows = rows.map(|row| {
        let holds = generics.given();
        let all = generics.angles();
        quote! {
            #[doc(hidden)]
            #[allow(non_camel_case_types, dead_code, missing_debug_implementations)]
            #visibility struct #row #all(::core::marker::PhantomData<fn() -> (#holds)>);
        }
    });
    quote! {
        #attributes
        #[doc = ""]
        #[doc = #text]
        #[allow(clippy::too_many_arguments)]
        #visibility fn #name<#declared #(#bounds),*>(#(#parameters),*) -> #used<#given #(#inputs),*> {
            #(let _ = #streams;)*
            #used { #(#values,)* #hidden: ::core::marker::PhantomData }
        }
        #[doc(hidden)]
        #[doc = #about]
        #[allow(non_camel_case_types, missing_debug_implementations)]
        #visibility struct #used<#given #(#inputs),*> {
            #(#values: #types,)*
            #hidden: ::core::marker::PhantomData<fn() -> (#given #(#inputs,)*)>,
        }
        #(#rows)*
    }
}

/// The struct of its outputs, each with its place.
fn outputs(model: &Model, flow: &Flow, root: &TokenStream) -> TokenStream {
    let Model { name, visibility, .. } = model;
    let rt = quote!(#root::__private);
    let mut at = quote!(#rt::Here);
    let fields = flow.gives.iter().map(|gives| {
        let field = field(gives, name.span());
        let behind = quote!(#rt::There<#at>);
        let at = std::mem::replace(&mut at, behind);
        quote!(pub #field: #rt::Output<#at>)
    });
    let (about, outputs) = (format!("The outputs of [`{name}`]."), outputs_name(name));
    quote! {
        #[doc(hidden)]
        #[doc = #about]
        #[allow(non_camel_case_types, missing_docs, missing_debug_implementations, clippy::type_complexity)]
        #visibility struct #outputs { #(#fields),* }
    }
}

/// `(a, (b, ()))`.
fn pairs(all: impl DoubleEndedIterator<Item = TokenStream>) -> TokenStream {
    all.rev().fold(quote!(()), |rest, one| quote!((#one, #rest)))
}

/// A type for each output, whose name a message says, and the method of the outputs that asks for what follows each of them.
fn whole(model: &Model, flow: &Flow) -> TokenStream {
    let Model { name, visibility, .. } = model;
    let of = format!("_of_{}", name.to_string().trim_start_matches("r#"));
    let taken = |gives: &Gives| named("__", &field(gives, name.span()), &of, name.span());
    let outputs_of = flow.gives.iter().map(|gives| {
        let output = taken(gives);
        quote! {
            #[allow(non_camel_case_types, dead_code, missing_debug_implementations)]
            #visibility struct #output {}
        }
    });
    let names = |what: &str| -> Vec<Ident> {
        (0..flow.gives.len()).map(|n| local(&format!("{what}{n}"), Span::mixed_site())).collect()
    };
    let (types, marks, held) = (names("__P"), names("__K"), names("p"));
    let bounds = flow.gives.iter().map(taken).zip(&marks).map(|(of, mark)| quote!(__rt::Taken<#of, #mark>));
    let (given, list) = (pairs(types.iter().map(|ty| quote!(#ty))), pairs(held.iter().map(|it| quote!(#it))));
    let gives = flow.gives.iter().map(taken).zip(&types).zip(&marks);
    let gives = pairs(
        gives
            .map(|((taken, ty), mark)| quote!(<#ty as __rt::Taken<#taken, #mark>>::Next))
            .collect::<Vec<_>>()
            .into_iter(),
    );
    let next = flow.gives.iter().map(taken).zip(&held).zip(&marks);
    let next = next.map(|((of, it), mark)| quote!(__rt::Taken::<#of, #mark>::next(#it)));
    let next = pairs(next.collect::<Vec<_>>().into_iter());
    let outputs = outputs_name(name);
    quote! {
        #(#outputs_of)*
        impl #outputs {
            #[doc(hidden)]
            #[allow(clippy::type_complexity)]
            pub fn __whole<#(#types: #bounds,)* #(#marks),*>(&self, #list: #given) -> #gives { #next }
        }
    }
}

fn lifetime_g() -> syn::Lifetime {
    syn::Lifetime::new("'__g", Span::mixed_site())
}

/// What is open of what follows an output: whether it needs event time, and what takes the rows.
fn next_of(n: usize) -> [Ident; 2] {
    ["M", "L"].map(|what| local(&format!("__{what}{n}"), Span::mixed_site()))
}

/// Without a lifetime: an opaque type with one in it is another type wherever rustc meets it.
fn next_parameters(model: &Model, flow: &Flow) -> Vec<TokenStream> {
    let given = model.generics.given();
    let each = flow.gives.iter().enumerate().map(|(n, gives)| {
        let ([time, live], row) = (next_of(n), row_name(&model.name, "out", gives.name.as_ref()));
        quote!(#time: __rt::When, #live: __rt::Entered<#row<#given>>)
    });
    each.collect()
}

/// `impl __rt::RowType for __totals_in_trades { type Row<'a> = Trade; }`
fn rows(model: &Model, flow: &Flow) -> TokenStream {
    // what the flow asks of its types is asked where it is called, and nowhere else
    let (declared, given) = (model.generics.owned(), model.generics.given());
    let takes = flow.streams().map(|(name, ty)| (row_name(&model.name, "in", Some(name)), ty));
    let gives = flow.gives.iter().map(|it| (row_name(&model.name, "out", it.name.as_ref()), &it.ty));
    let all = takes.chain(gives).map(|(row, ty)| {
        // one that could not be read
        let ty = if ty.is_empty() { &quote!(()) } else { ty };
        let at = first(ty, model.name.span());
        let (a, ty) = (lifetime(at), with_lifetimes(ty.clone()));
        let of = quote_spanned!(place(at)=> __rt::RowType);
        let row_is = quote_spanned!(place(at)=> type Row<#a> = #ty;);
        quote!(impl<#declared> #of for #row<#given> { #row_is })
    });
    all.collect()
}

/// The method that builds it.
fn build(plan: &Plan, flow: &Flow) -> TokenStream {
    let model = plan.model;
    let Model { name, generics, .. } = model;
    let parameters = next_parameters(model, flow);
    let held_by: Vec<Ident> = (0..flow.gives.len()).flat_map(next_of).collect();
    let (given, lifetime) = (generics.given(), lifetime_g());
    let (g, on, me) =
        (local("g", Span::mixed_site()), local("on", Span::mixed_site()), local("self", Span::mixed_site()));
    let inputs = inputs(flow);
    let ends = flow.streams().enumerate().map(|(n, (stream, _))| {
        let row = row_name(name, "in", Some(stream));
        let key = flow.key(n).map(|key| quote!(#key,));
        let rows = match flow.key(n) {
            Some(key) => quote!(__rt::ByKey<#key, #row<#given>>),
            None => quote!(#row<#given>),
        };
        let entered = local(if key.is_some() { "EnteredKeyed" } else { "Entered" }, stream.span());
        let live = quote!(impl __rt::#entered<#key #row<#given>> + use<#given #(#inputs,)* __B, #(#held_by),*>);
        quote!(__rt::Piece<#lifetime, #rows, #live>)
    });
    let ends = pairs(ends.collect::<Vec<_>>().into_iter());
    let entries = flow.streams().map(|(stream, _)| named("i_", stream, "", stream.span()));
    let entries = pairs(entries.map(|entry| quote!(#entry)).collect::<Vec<_>>().into_iter());
    let held = || flow.gives.iter().map(|gives| next_name(gives, name.span()));
    let names = held();
    let list = pairs(held().map(|held| quote!(#held)));
    let types = pairs(flow.gives.iter().enumerate().map(|(n, gives)| {
        let (row, [time, live]) = (row_name(name, "out", gives.name.as_ref()), next_of(n));
        quote!(__rt::Behind<#lifetime, #row<#given>, #time, #live>)
    }));
    let open = flow.gives.iter().map(|gives| row_name(name, "out", gives.name.as_ref()));
    let (open, opened): (Vec<TokenStream>, Vec<TokenStream>) =
        open.map(|row| (quote!(__rt::Open<#row<#given>>), quote!(__rt::Open::new()))).unzip();
    let (open, opened) = (pairs(open.into_iter()), pairs(opened.into_iter()));
    let places = flow.gives.iter().map(|gives| {
        let field = field(gives, name.span());
        quote!(#field: __rt::Output::new())
    });
    let (outputs, depth) = (outputs_name(name), asked::depth(model));
    let resources = resource::resources(plan);
    let (shared, uses) = (edge::shared(plan), uses::uses(plan));
    let chains = chain::chains(plan, &Lock::default());
    let values = model.params.iter().map(|param| &param.name);
    let asked = generics.declared(&quote!(__rt));
    // a stream that could not be read has nothing behind it
    let unread = flow.streams().enumerate().filter(|(_, (_, ty))| ty.is_empty()).map(|(n, (stream, _))| {
        let (entry, row) = (named("i_", stream, "", stream.span()), row_name(name, "in", Some(stream)));
        match flow.key(n) {
            None => quote! {
                let #entry = __rt::entry::<#row<#given>, _, _, _>(#g, &[], [0u64; 0], (), |_, _, _, _, _| ());
            },
            Some(key) => quote! {
                let #entry = __rt::entry_keyed::<#key, #row<#given>, _, _, _, _, _>(
                    #g, &[], [0u64; 0], (), |_, _, _, _, _| (), |_, _, _, _, _| (),
                );
            },
        }
    });
    quote! {
        #[doc(hidden)]
        pub fn __outputs(&self) -> (#outputs, #open, ::core::marker::PhantomData<#depth>) {
            (#outputs { #(#places),* }, #opened, ::core::marker::PhantomData)
        }
        #[doc(hidden)]
        pub fn __build<#lifetime, __B: __rt::Backend, #(#parameters),*>(
            #me,
            #list: #types,
            within: &::core::primitive::str,
            was: &[&::core::primitive::str],
            #on: __rt::On<__B>,
            #g: &mut __rt::Graph<#lifetime>,
        ) -> #ends
        where
            #asked
        {
            #(let _ = &#names;)*
            #(let _ = &#me.#values;)*
            let _ = #on;
            __rt::Graph::within(#g, within, was, move |#g| {
                #(#unread)*
                #resources
                #shared
                #uses
                #chains
                #entries
            })
        }
    }
}

/// What follows an output, inside of the flow.
fn next_name(gives: &Gives, at: Span) -> Ident {
    named("n_", &field(gives, at), "", at)
}

/// `n_sums.after(3)`: an output of the flow that is written, as an output of a chain.
pub(super) fn returned(plan: &Plan, output: usize, after: usize, at: Span) -> TokenStream {
    let Some(gives) = plan.model.flow.as_ref().and_then(|flow| flow.gives.get(output)) else { return quote!(()) };
    let next = local(&next_name(gives, at).to_string(), at);
    let after = number(after, at);
    quote_spanned!(place(at)=> #next.after(#after))
}

/// The part of a chain behind a stream that the flow takes.
pub(super) fn entry(plan: &Plan, chain: &Chain, input: usize) -> TokenStream {
    let Some(flow) = &plan.model.flow else { return TokenStream::new() };
    let Some((stream, ty)) = flow.streams().nth(input) else { return TokenStream::new() };
    let at = stream.span();
    let (g, meta, entry) = (local("g", at), chain_name(plan, chain), named("i_", stream, "", at));
    let (row, given) = (row_name(&plan.model.name, "in", Some(stream)), plan.model.generics.given());
    let mut mentioned: Vec<&Code> = vec![];
    chain.body.code(&mut mentioned);
    let lets = lets(plan, [&chain.body], mentioned);
    let (counters, outs) = (counters(chain), outs(plan, chain));
    if let ([], [Branch::Came { sends, .. }], Some(key_ty)) =
        (&chain.body.steps[..], &chain.body.ends[..], flow.key(input))
    {
        let Steps { key, value } = Body::new(plan, chain).write_keyed(stream, sends);
        let [k, x, t, cx, o] = ["k", "x0", "t0", "cx", "o"].map(|name| local(name, at));
        let (begun, again) = (local("at", at), lets.clone());
        return quote_spanned! {place(at)=>
            let #entry = __rt::entry_keyed::<#key_ty, #row<#given>, _, _, _, _, _>(
                #g, #meta, #counters, #outs,
                { #again move |#k, #x, #t, #cx, #o| { #key } },
                { #lets move |#begun, #x, #t, #cx, #o| { #value } },
            );
        };
    }
    if let Some((kind, Parts { front, row: row_behind, rest })) = parts(plan, chain, ty) {
        let call = local(&format!("entry_{kind}"), at);
        let (x, t, cx, n, o) = (local("x0", at), local("t0", at), local("cx", at), local("n", at), local("o", at));
        let again = lets.clone();
        return quote_spanned! {place(at)=>
            let #entry = __rt::#call::<#row<#given>, _, _, _, _, _>(
                #g, #meta, #counters, #outs,
                { #again move |#x, #t, #cx, #n, #o| { #front } },
                { #lets move |#row_behind, #t, #cx, #n, #o| { #rest } },
            );
        };
    }
    let body = closure(at, Body::new(plan, chain).write(&chain.body));
    quote_spanned! {place(at)=>
        let #entry = {
            #lets
            __rt::entry::<#row<#given>, _, _, _>(#g, #meta, #counters, #outs, #body)
        };
    }
}
