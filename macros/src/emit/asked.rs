//! Of which of its streams a flow asks event time: a type beside its function, with the same name, says it to the flows of other
//! modules that hand their rows on to it. So the path that calls a flow finds both, however it was imported.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::ident::{local, located, named, place};
use crate::model::{Flow, FlowUse, Model, Origin, StreamId};
use crate::syntax::Takes;

/// The type itself: `__asks_of_totals`. Types of associated types must be as public as can be.
fn type_name(flow: &Ident, at: Span) -> Ident {
    named("__asks_of_", flow, "", at)
}

/// The type, and the name that others know it by.
pub(super) fn items(model: &Model) -> TokenStream {
    let Model { name, visibility, .. } = model;
    let ty = type_name(name, name.span());
    let about = format!("What [`{name}`](fn@{name}) asks of its streams.");
    quote! {
        #[doc(hidden)]
        #[doc = #about]
        #[allow(non_camel_case_types, dead_code, missing_debug_implementations, unreachable_pub)]
        pub enum #ty {}
        #[doc(hidden)]
        #[doc = #about]
        #[allow(non_camel_case_types, dead_code)]
        #visibility type #name = #ty;
    }
}

/// `__rt::There<__rt::Here>`
fn place_of(parameter: usize, rt: &TokenStream, at: Span) -> TokenStream {
    let here = place(at);
    (0..parameter).fold(quote_spanned!(here=> #rt::Here), |before, _| quote_spanned!(here=> #rt::There<#before>))
}

/// Whether the flow that is written asks for event time of one of its streams, as a type.
pub(super) fn own(model: &Model, input: usize, rt: &TokenStream, at: Span) -> TokenStream {
    let parameter = model.flow.as_ref().and_then(|flow| flow.parameter(input)).unwrap_or_default();
    let (ty, parameter) = (type_name(&model.name, at), place_of(parameter, rt, at));
    quote_spanned!(place(at)=> #rt::Asked<#ty, #parameter>)
}

/// The flows that this one uses.
fn uses(model: &Model) -> impl Iterator<Item = (StreamId, &FlowUse)> {
    model.ids().filter_map(|id| match &model.stream(id).origin {
        Origin::Flow(used) if model.stream(id).sound => Some((id, &**used)),
        _ => None,
    })
}

/// Those of other modules.
fn elsewhere(model: &Model) -> impl Iterator<Item = (StreamId, &FlowUse)> {
    uses(model).filter(|(_, used)| used.known.is_none())
}

/// A flow that is used, as a type.
fn other(model: &Model, by: StreamId, used: &FlowUse) -> Ident {
    match used.known {
        Some(_) => type_name(&used.call.name, used.call.name.span()),
        None if used.is_name() => used.call.name.clone(),
        None => alias(model, by, used),
    }
}

/// How deep the flow that is written is, as a type.
pub(super) fn depth(model: &Model) -> TokenStream {
    let ty = type_name(&model.name, model.name.span());
    quote!(<#ty as __rt::Asks>::Depth)
}

/// What the flow that is written calls one of another module which it has imported: `____flow_t`. No flow has a name that begins with
/// `__`, so no item of one has this name.
fn alias(model: &Model, by: StreamId, used: &FlowUse) -> Ident {
    named("____flow_", &model.stream(by).name, "", used.call.name.span())
}

/// How a flow is called where it is used. One that is imported, too, must not be looked for twice: were it not there, that would be two
/// messages.
pub(super) fn path(model: &Model, by: StreamId, used: &FlowUse) -> TokenStream {
    let imported = model.flow.is_some() && elsewhere(model).any(|(id, _)| id == by);
    match imported && !used.is_name() {
        true => {
            let alias = alias(model, by, used);
            quote!(#alias)
        }
        false => used.call.path.clone(),
    }
}

/// What the type says: `impl __rt::Asks for __asks_of_totals { type Parameters = (__rt::Timed, (__rt::Untimed, ())); }`
///
/// A name that is called and is no flow, or is not there, is told where it is called. So behind each there is a type of ours that asks
/// nothing, which an import of everything makes and anything else hides.
pub(super) fn impls(model: &Model, root: &TokenStream) -> TokenStream {
    let Some(flow) = &model.flow else { return TokenStream::new() };
    let (paths, names): (Vec<_>, Vec<_>) = elsewhere(model).partition(|(_, used)| !used.is_name());
    let asks = asks(model, flow);
    let no_flows = |names: Vec<Ident>| {
        let behind = names.iter().map(|name| {
            let root = located(root, name.span());
            quote_spanned!(place(name.span())=> pub use #root::__private::NoFlow as #name;)
        });
        quote! {
            #[allow(unused_imports)]
            mod __no_flows { #(#behind)* }
            #[allow(unused_imports, clippy::wildcard_imports)]
            use __no_flows::*;
        }
    };
    let imports = (!paths.is_empty()).then(|| {
        let aliases: Vec<Ident> = paths.iter().map(|(id, used)| alias(model, *id, used)).collect();
        let found = paths.iter().map(|(_, used)| &used.call.path);
        let imports = found.zip(&aliases).map(|(path, alias)| quote!(#[allow(unused_imports)] use #path as #alias;));
        let imports: TokenStream = imports.collect();
        let behind = no_flows(aliases);
        quote!(#imports #behind)
    });
    if names.is_empty() {
        return quote!(#imports #asks);
    }
    let mut behind: Vec<Ident> = vec![];
    for (_, used) in names {
        if !behind.contains(&used.call.name) {
            behind.push(used.call.name.clone());
        }
    }
    let behind = no_flows(behind);
    quote! {
        #imports
        const _: () = {
            #behind
            const _: () = {
                #[allow(unused_imports, clippy::wildcard_imports)]
                use self::*;
                #asks
            };
        };
    }
}

fn asks(model: &Model, flow: &Flow) -> TokenStream {
    let mut streams = 0..;
    let parameters = flow.takes.iter().map(|it| match it {
        Takes::Value(_) => quote!(__rt::Untimed),
        Takes::Stream { name, .. } => {
            let input = streams.next().unwrap_or_default();
            of_input(model, flow, input, name.span())
        }
    });
    let parameters: Vec<TokenStream> = parameters.collect();
    let parameters = parameters.into_iter().rev().fold(quote!(()), |rest, one| quote!((#one, #rest)));
    let ty = type_name(&model.name, model.name.span());
    let depths = uses(model).map(|(by, used)| {
        let other = other(model, by, used);
        let (here, rt) = (place(other.span()), local("__rt", other.span()));
        quote_spanned!(here=> <#other as #rt::Asks>::Depth)
    });
    let deepest = depths.reduce(|all, one| quote!(<#all as __rt::Depth>::Or<#one>));
    let depth = match deepest {
        None => quote!(__rt::Plain),
        Some(deepest) => quote!(<#deepest as __rt::Depth>::Around),
    };
    quote!(impl __rt::Asks for #ty { type Parameters = #parameters; type Depth = #depth; })
}

/// What is asked of one of its streams.
fn of_input(model: &Model, flow: &Flow, input: usize, at: Span) -> TokenStream {
    if flow.timed.contains(&input) {
        return quote_spanned!(place(at)=> __rt::Timed);
    }
    let asked = flow.handed.iter().filter(|it| it.input == input).filter_map(|it| {
        let Origin::Flow(used) = &model.stream(it.by).origin else { return None };
        let at = used.call.name.span();
        let (here, rt) = (place(at), local("__rt", at));
        let parameter = place_of(it.parameter, &quote!(#rt), at);
        let other = other(model, it.by, used);
        Some(quote_spanned!(here=> __rt::Asked<#other, #parameter>))
    });
    let joined = asked.reduce(|all, one| quote_spanned!(place(at)=> <#all as __rt::When>::Or<#one>));
    joined.unwrap_or_else(|| quote_spanned!(place(at)=> __rt::Untimed))
}
