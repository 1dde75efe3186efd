//! What stands around a connector, at its place in the block: who it is, for the case that its expression panics; and, with `exactly_once` or
//! `at_least_once`, the question what it promises, which is asked by its type.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

use super::ident::{first, local, place};
use crate::model::Model;

/// A source of these rows.
pub(crate) fn source(model: &Model, name: &Ident, row: &TokenStream, connector: TokenStream) -> TokenStream {
    around(model, name, "source", Some(row), connector)
}

/// A sink.
pub(crate) fn sink(model: &Model, name: &Ident, connector: TokenStream) -> TokenStream {
    around(model, name, "sink", None, connector)
}

fn around(model: &Model, name: &Ident, what: &str, row: Option<&TokenStream>, connector: TokenStream) -> TokenStream {
    let at = first(&connector, name.span());
    let (here, it, text) = (place(at), local("it", at), name.to_string());
    let text = text.trim_start_matches("r#");
    let makes = local(&format!("makes_{what}"), at);
    let check = check(model, what, text, row, &it);
    quote_spanned!(here=> { __rt::#makes(#text); let #it = #connector; __rt::has_made(); #check #it })
}

fn check(model: &Model, what: &str, name: &str, row: Option<&TokenStream>, it: &Ident) -> TokenStream {
    let Some(word) = model.checkpoint.as_ref().and_then(|it| it.guarantee.as_ref()) else { return TokenStream::new() };
    let at = it.span();
    let here = place(at);
    let (keeps, s, ok) = (local("__Keeps", at), local("S", at), local("OK", at));
    let wanted = local(if word == "exactly_once" { "ExactlyOnce" } else { "AtLeastOnce" }, at);
    let (gate, wanted) = (local(&format!("{what}_keeps"), at), quote_spanned!(here=> __rt::Wanted::#wanted));
    let (bound, call) = match row {
        Some(row) => (quote_spanned!(here=> __rt::Source<#row>), quote_spanned!(here=> __rt::#gate::<#row, #s>)),
        None => (quote_spanned!(here=> __rt::Sink), quote_spanned!(here=> __rt::#gate::<#s>)),
    };
    if model.generics.is_empty() {
        return quote_spanned! {here=>
            struct #keeps<#s>(::core::marker::PhantomData<#s>);
            impl<#s: #bound> #keeps<#s> {
                const #ok: ::core::marker::PhantomData<#s> = #call(#name, #wanted);
            }
            let #keeps::<_>::#ok = __rt::connector(&#it);
        };
    }
    // what depends on a type parameter is checked when the code is compiled for a type
    let declared = model.generics.declared(&quote!(__rt));
    let given = model.generics.given();
    quote_spanned! {here=>
        #[allow(non_snake_case)]
        fn #keeps<#declared #s: #bound>(_: &#s) {
            const { #call(#name, #wanted) };
        }
        #keeps::<#given _>(&#it);
    }
}
