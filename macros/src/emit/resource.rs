//! Resources: made in front of everything else, by each worker, in the order of the block.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::code::{paste, scoped};
use super::ident::{first, local, place};
use crate::lower::Plan;

/// `let http = __rt::resource::<Client>(g, "http", move || Ok(Client::new()?));`
pub(crate) fn resources(plan: &Plan) -> TokenStream {
    let model = plan.model;
    let mut tokens = TokenStream::new();
    for (n, it) in model.resources.iter().enumerate() {
        let (name, ty, text) = (&it.name, &it.ty, it.name.to_string());
        let text = text.trim_start_matches("r#");
        let (at, g) = (place(name.span()), local("g", name.span()));
        let from = place(first(&it.made.tokens, name.span()));
        let made = paste(&it.made);
        let made = match it.may_fail() {
            true => quote_spanned!(from=> ::core::result::Result::Ok(#made)),
            false => quote_spanned!(from=> { let made: #ty = #made; ::core::result::Result::Ok(made) }),
        };
        let make = quote_spanned!(from=> move || -> ::core::result::Result<#ty, __rt::Failed> { #made });
        // what it may look at: params, and the resources in front of it
        let seen = &model.seen()[..model.params.len() + n];
        let make = scoped(seen, [&it.made], make);
        let call = Span::mixed_site().located_at(first(ty, name.span()));
        let call = quote_spanned!(call=> __rt::resource::<#ty>);
        tokens.extend(quote_spanned!(at=> let #name = #call(#g, #text, #make); let _ = &#name;));
    }
    tokens
}
