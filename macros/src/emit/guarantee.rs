//! `exactly_once` and `at_least_once`: each connector is asked what it promises, by its type, at its place in the block.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

use super::ident::{first, local, place};
use crate::model::Model;

/// A source of these rows, held against what the job says.
pub(crate) fn of_source(model: &Model, name: &Ident, row: &TokenStream, connector: TokenStream) -> TokenStream {
    held(model, name, "source_keeps", Some(row), connector)
}

/// A sink, held against what the job says.
pub(crate) fn of_sink(model: &Model, name: &Ident, connector: TokenStream) -> TokenStream {
    held(model, name, "sink_keeps", None, connector)
}

fn held(model: &Model, name: &Ident, gate: &str, row: Option<&TokenStream>, connector: TokenStream) -> TokenStream {
    let Some(word) = model.checkpoint.as_ref().and_then(|it| it.guarantee.as_ref()) else { return connector };
    let at = first(&connector, name.span());
    let (here, text) = (place(at), name.to_string());
    let (it, keeps, s, ok) = (local("it", at), local("__Keeps", at), local("S", at), local("OK", at));
    let wanted = local(if word == "exactly_once" { "ExactlyOnce" } else { "AtLeastOnce" }, at);
    let gate = local(gate, at);
    let (text, wanted) = (text.trim_start_matches("r#"), quote_spanned!(here=> __rt::Wanted::#wanted));
    let (bound, call) = match row {
        Some(row) => (quote_spanned!(here=> __rt::Source<#row>), quote_spanned!(here=> __rt::#gate::<#row, #s>)),
        None => (quote_spanned!(here=> __rt::Sink), quote_spanned!(here=> __rt::#gate::<#s>)),
    };
    let check = if model.generics.is_empty() {
        quote_spanned! {here=>
            struct #keeps<#s>(::core::marker::PhantomData<#s>);
            impl<#s: #bound> #keeps<#s> {
                const #ok: ::core::marker::PhantomData<#s> = #call(#text, #wanted);
            }
            let #keeps::<_>::#ok = __rt::connector(&#it);
        }
    } else {
        // what depends on a type parameter is checked when the code is compiled for a type
        let declared = model.generics.declared(&quote!(__rt));
        let given = model.generics.given();
        quote_spanned! {here=>
            #[allow(non_snake_case)]
            fn #keeps<#declared #s: #bound>(_: &#s) {
                const { #call(#text, #wanted) };
            }
            #keeps::<#given _>(&#it);
        }
    };
    quote_spanned!(here=> { let #it = #connector; #check #it })
}
