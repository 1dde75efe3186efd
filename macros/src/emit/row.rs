//! The row type of a source: the declared type, with every borrow named.

use proc_macro2::{Group, Ident, Punct, Spacing, TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use super::ident::{first, named, place};
use crate::model::{Model, Origin};
use crate::syntax::code::mentions;

/// Of all sources; and of what is left out over a mistake, so that the import of its type is not called unused too.
pub(crate) fn row_types(model: &Model) -> TokenStream {
    let mut seen: Vec<&Ident> = vec![];
    let mut tokens = TokenStream::new();
    for stream in &model.streams {
        let wanted = matches!(stream.origin, Origin::Source(_) | Origin::Broken);
        let Some(ty) = stream.declared.as_ref().filter(|_| wanted && !seen.contains(&&stream.name)) else { continue };
        if matches!(stream.origin, Origin::Broken) && mentions(ty.clone(), "_") {
            continue;
        }
        seen.push(&stream.name);
        tokens.extend(row_type(model, &stream.name, ty));
    }
    tokens
}

/// `struct __Row_flights; impl __rt::RowType for __Row_flights { type Row<'a> = Departure; }`
fn row_type(model: &Model, name: &Ident, ty: &TokenStream) -> TokenStream {
    let at = first(ty, name.span());
    let row = named("__Row_", name, "", name.span());
    let ty = with_lifetimes(ty.clone());
    let lifetime = lifetime(at);
    let (declared, given) = (model.generics.declared(&quote!(__rt)), model.generics.given());
    let (holder, of) = match model.generics.is_empty() {
        true => (quote!(struct #row;), quote_spanned!(place(at)=> impl __rt::RowType for #row)),
        false => (
            quote!(struct #row<#given>(::core::marker::PhantomData<fn() -> (#given)>);),
            quote_spanned!(place(at)=> impl<#declared> __rt::RowType for #row<#given>),
        ),
    };
    quote! {
        #holder
        #of { type Row<#lifetime> = #ty; }
    }
}

/// Hygienic, so that it is not a lifetime of the user's.
pub(super) fn lifetime(at: proc_macro2::Span) -> TokenStream {
    let mut tick = Punct::new('\'', Spacing::Joint);
    tick.set_span(place(at));
    let name = Ident::new("a", place(at));
    quote!(#tick #name)
}

/// `&str` becomes `&'a str`, `Line<'_>` becomes `Line<'a>`.
pub(super) fn with_lifetimes(ty: TokenStream) -> TokenStream {
    let mut out = TokenStream::new();
    let mut tokens = ty.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), with_lifetimes(group.stream()));
                inner.set_span(group.span());
                out.extend([TokenTree::Group(inner)]);
            }
            TokenTree::Punct(p) if p.as_char() == '&' => {
                out.extend([TokenTree::Punct(p.clone())]);
                if !matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '\'') {
                    out.extend(lifetime(p.span()));
                }
            }
            TokenTree::Punct(p) if p.as_char() == '\'' => match tokens.next() {
                Some(TokenTree::Ident(name)) if name == "_" => out.extend(lifetime(p.span())),
                other => out.extend([TokenTree::Punct(p)].into_iter().chain(other)),
            },
            other => out.extend([other]),
        }
    }
    out
}

/// Whether rows of this type borrow from the source's buffer.
pub(crate) fn borrows(ty: &TokenStream) -> bool {
    ty.clone().into_iter().any(|token| match token {
        TokenTree::Punct(p) => p.as_char() == '&' || p.as_char() == '\'',
        TokenTree::Group(group) => borrows(&group.stream()),
        _ => false,
    })
}
