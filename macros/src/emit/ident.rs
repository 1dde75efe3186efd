//! Generated names. Locals are hygienic and sit at the user's token they stand for: rustc blames the whole range of an
//! expression, and one token elsewhere would underline the block.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};

/// Our hygiene, the user's place.
pub(crate) fn place(at: Span) -> Span {
    Span::mixed_site().located_at(at)
}

/// A local.
pub(crate) fn local(name: &str, at: Span) -> Ident {
    Ident::new(name, place(at))
}

/// A name of ours with the user's in it: `e_hourly_out`. Items have no hygiene, so theirs begin with `__`.
pub(crate) fn named(before: &str, user: &Ident, behind: &str, at: Span) -> Ident {
    let user = user.to_string();
    local(&format!("{before}{}{behind}", user.trim_start_matches("r#")), at)
}

/// The span of the first token, or another one if there is none.
pub(crate) fn first(tokens: &TokenStream, otherwise: Span) -> Span {
    tokens.clone().into_iter().next().map_or(otherwise, |token: TokenTree| token.span())
}
