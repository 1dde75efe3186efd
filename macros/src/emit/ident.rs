//! Generated names. Locals are hygienic and sit at the user's token they stand for: rustc blames the whole range of an
//! expression, and one token elsewhere would underline the block.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};

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

/// Tokens with their own hygiene at a place of the user's.
pub(crate) fn located(tokens: &TokenStream, to: Span) -> TokenStream {
    let one = |mut token: TokenTree| {
        token.set_span(token.span().located_at(to));
        token
    };
    tokens.clone().into_iter().map(one).collect()
}

/// Tokens of the user's at another place of the user's.
pub(crate) fn moved(tokens: &TokenStream, to: Span) -> TokenStream {
    let one = |token| match token {
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), moved(&group.stream(), to));
            inner.set_span(to);
            TokenTree::Group(inner)
        }
        mut other => {
            other.set_span(to);
            other
        }
    };
    tokens.clone().into_iter().map(one).collect()
}
