//! What is stored, by name and type: noted when the job is built and, where there is a lock, held against it while the block is
//! checked.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::ident::{local, named, place};
use crate::lock::{ACCEPT, Lock, Part, State};
use crate::lower::{Edge, Plan};
use crate::model::{Model, Origin};

/// The states' names, and what the lock says of the job.
pub(crate) fn items(plan: &Plan, lock: &Lock) -> TokenStream {
    let model = plan.model;
    let kept: Vec<(Ident, TokenStream)> =
        plan.edges.iter().filter(|edge| edge.producers > 0).filter_map(state).collect();
    let names = kept.iter().map(|(_, item)| item);
    // cargo builds anew when the file changes, or the word that turns the check off
    let watched = lock.there.then(|| {
        let (file, word) = (file(model), ACCEPT);
        quote! {
            const _: &[::core::primitive::u8] = ::core::include_bytes!(#file);
            const _: ::core::option::Option<&::core::primitive::str> = ::core::option_env!(#word);
        }
    });
    let checks = lock.states.as_ref().map(|states| {
        let at = place(model.name.span());
        let locked = states.iter().map(locked);
        let dropped = dropped(model);
        let locked = quote_spanned! {at=>
            const __LOCK: &[__rt::LockedState<'static>] = &[#(#locked),*];
            const __DROPPED: &[&::core::primitive::str] = &[#(#dropped),*];
        };
        // what is left out after a mistake is not lost
        let all = model.is_whole().then(|| {
            let kept = kept.iter().map(|(name, _)| name);
            // what is inside of flows is held against the lock where the job is built, since only there it is known
            let own = states.iter().filter(|state| !in_flow(model, state)).map(self::locked);
            quote_spanned!(at=> const _: () = __rt::nothing_lost(&[#(#own),*], &[#(#kept),*], __DROPPED);)
        });
        quote!(#locked #all)
    });
    quote!(#(#names)* #watched #checks)
}

/// Whether a state is that of an operator inside of a flow that the job uses.
fn in_flow(model: &Model, state: &State) -> bool {
    let Some((place, _)) = state.operator.split_once('/') else { return false };
    let uses = model.streams.iter().filter(|stream| matches!(stream.origin, Origin::Flow(_)));
    uses.flat_map(|stream| stream.was.iter().chain([&stream.name])).any(|name| name == place)
}

/// The path of the lock, for `include_bytes!`.
fn file(model: &Model) -> TokenStream {
    match &model.stored.path {
        Some(path) => quote!(#path),
        None => quote!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/pelton.lock")),
    }
}

/// A state as it was accepted.
fn locked(state: &State) -> TokenStream {
    let State { operator, state, of, key, value } = state;
    let schema = |parts: &[Part]| {
        let nodes = parts.iter().map(|Part { kind, name, number, end }| {
            let kind = local(kind, Span::mixed_site());
            quote!(__rt::Node { kind: __rt::NodeKind::#kind, name: #name, number: #number, end: #end })
        });
        quote!(__rt::LockedSchema::of(&[#(#nodes),*]))
    };
    let (key, value) = (schema(key), schema(value));
    quote!(__rt::LockedState { operator: #operator, state: #state, of: #of, key: #key, value: #value })
}

/// What the job has given up.
pub(crate) fn dropped(model: &Model) -> Vec<String> {
    model.stored.dropped.iter().map(|dropped| dropped.text()).collect()
}

/// Where the binary finds the lock.
pub(crate) fn place_of(model: &Model) -> TokenStream {
    let path = match &model.stored.path {
        Some(path) => quote!(::core::option::Option::Some(#path)),
        None => quote!(::core::option::Option::None),
    };
    let dropped = dropped(model);
    quote! {
        __rt::LockPlace {
            manifest: match ::core::option_env!("CARGO_MANIFEST_DIR") {
                ::core::option::Option::Some(folder) => folder,
                ::core::option::Option::None => ".",
            },
            source: ::core::file!(),
            path: #path,
            dropped: &[#(#dropped),*],
        }
    }
}

/// The names of an operator's state.
fn state(edge: &Edge) -> Option<(Ident, TokenStream)> {
    let state = edge.operator.state()?;
    let name = names_of(edge);
    let operator = edge.stream.to_string();
    let of = edge.operator.windows();
    let (operator, was) = (operator.trim_start_matches("r#"), edge.was.iter().map(|old| old.to_string()));
    let item = quote_spanned! {place(edge.stream.span())=>
        const #name: &'static __rt::StateNames =
            &__rt::StateNames { operator: #operator, was: &[#(#was),*], state: #state, state_was: &[], of: #of };
    };
    Some((name, item))
}

fn names_of(edge: &Edge) -> Ident {
    named("__STATE_", edge.stream, "", edge.stream.span())
}

/// Notes what the operator bound to `op` keeps, and checks it.
pub(crate) fn gate(model: &Model, edge: &Edge, op: &Ident, lock: &Lock) -> TokenStream {
    if edge.operator.state().is_none() {
        return TokenStream::new();
    }
    // what is wrong with the operator is said where it is made, and once; what the lock says, at the name
    let (at, name) = (edge.at.span(), edge.stream.span());
    let (here, there) = (place(at), place(name));
    let (g, names) = (local("g", at), names_of(edge));
    let check = lock.states.is_some().then(|| {
        let (kept, check) = (local("kept", at), local("__Kept", name));
        let (k, v, ok) = (local("K", name), local("V", name), local("OK", name));
        let types = quote_spanned!(here=> let #kept = __rt::states_of(&#op););
        let kept = local("kept", name);
        if !model.generics.is_empty() {
            // what depends on a type parameter is checked when the code is compiled for a type
            return quote_spanned! {there=>
                #types
                #[allow(non_snake_case)]
                fn #check<#k: __rt::Record, #v: __rt::Record>(_: ::core::marker::PhantomData<(#k, #v)>) {
                    const { __rt::restores::<#k, #v>(__LOCK, #names, __DROPPED) };
                }
                #check(#kept);
            };
        }
        quote_spanned! {there=>
            #types
            struct #check<#k, #v>(::core::marker::PhantomData<(#k, #v)>);
            impl<#k: __rt::Record, #v: __rt::Record> #check<#k, #v> {
                const #ok: ::core::marker::PhantomData<(#k, #v)> = __rt::restores::<#k, #v>(__LOCK, #names, __DROPPED);
            }
            let #check::<_, _>::#ok = #kept;
        }
    });
    quote_spanned! {here=>
        #check
        __rt::keeps(#g, #names, &#op);
    }
}
