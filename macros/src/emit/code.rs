//! The user's code as it is pasted: untouched but for numbers with units, and with the params that it mentions in scope.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};

use super::ident::{local, place};
use crate::diag::near;
use crate::model::Seen;
use crate::syntax::code::{Places, names};
use crate::syntax::split::arguments;
use crate::syntax::units::{self, Amount};
use crate::syntax::{Code, Length};

/// The code, once: it is never pasted twice.
pub(crate) fn paste(code: &Code) -> TokenStream {
    amounts(code.tokens.clone())
}

/// A closure that will outlive the block it stands in.
pub(crate) fn paste_moved(code: &Code) -> TokenStream {
    let tokens = paste(code);
    match tokens.clone().into_iter().next() {
        Some(TokenTree::Punct(bar)) if bar.as_char() == '|' => {
            let word = Ident::new("move", bar.span());
            quote!(#word #tokens)
        }
        _ => tokens,
    }
}

/// A closure that is asked for something to look at: a single place is borrowed.
pub(crate) fn paste_lent(code: &Code) -> TokenStream {
    if *code.places() != Places::Whole {
        return paste(code);
    }
    let (head, body) = code.parts();
    let (head, body) = (amounts(head), borrowed(amounts(body)));
    quote!(#head #body)
}

/// A `key_by` closure: a single place is borrowed, and so is each of a tuple.
pub(crate) fn paste_key(code: &Code) -> TokenStream {
    let Places::Parts(places) = code.places() else { return paste_lent(code) };
    let (head, body) = code.parts();
    let mut body = body.into_iter();
    let (Some(TokenTree::Group(tuple)), None) = (body.next(), body.next()) else { return paste(code) };
    let parts = arguments(tuple.stream());
    if parts.len() != places.len() {
        return paste(code);
    }
    let parts = parts.into_iter().zip(places).map(|(part, place)| if *place { borrowed(part) } else { part });
    let mut comma = Punct::new(',', Spacing::Alone);
    comma.set_span(tuple.span());
    let parts: TokenStream = parts.flat_map(|part| part.into_iter().chain([TokenTree::Punct(comma.clone())])).collect();
    let mut tuple_of = Group::new(Delimiter::Parenthesis, amounts(parts));
    tuple_of.set_span(tuple.span());
    let head = amounts(head);
    quote!(#head #tuple_of)
}

/// A place with `&` in front, in the user's own hygiene: a closure's body must not mix two.
fn borrowed(place: TokenStream) -> TokenStream {
    let mut and = Punct::new('&', Spacing::Alone);
    and.set_span(super::ident::first(&place, Span::mixed_site()));
    quote!(#and #place)
}

/// Where the type errors of a closure's result belong: its body.
pub(crate) fn body_span(code: &Code, otherwise: Span) -> Span {
    super::ident::first(&code.parts().1, otherwise)
}

/// `10min` becomes a call that gives the span, and `64KiB` a number, at every depth, at the literal's place and in its hygiene.
fn amounts(tokens: TokenStream) -> TokenStream {
    let mut out = TokenStream::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), amounts(group.stream()));
                inner.set_span(group.span());
                out.extend([TokenTree::Group(inner)]);
            }
            TokenTree::Literal(literal) => match units::read(&literal.to_string()) {
                Some(Amount::Micros(micros)) => out.extend(span_of(micros, literal.span())),
                Some(Amount::Bytes(bytes)) => {
                    let mut number = Literal::u64_unsuffixed(bytes);
                    number.set_span(literal.span());
                    out.extend([TokenTree::Literal(number)]);
                }
                _ => out.extend([TokenTree::Literal(literal)]),
            },
            other => out.extend([other]),
        }
    }
    out
}

/// `__micros(600_000_000)`: a function of the block's own, since a path with the user's hygiene and a name that the user
/// may have imported would be an unnecessary qualification.
fn span_of(micros: i64, at: Span) -> TokenStream {
    let (call, mut number) = (Ident::new("__micros", at), Literal::i64_suffixed(micros));
    number.set_span(at);
    quote_spanned!(at=> #call(#number))
}

/// A duration as an expression. One of a param is checked when a run starts: `of` is what it is of, `least` in microseconds is how long it
/// must be; `whole`: in whole milliseconds.
pub(crate) fn length(length: &Length, of: &str, least: i64, whole: bool) -> TokenStream {
    match length {
        Length::Literal { micros, token } => span_of(*micros, place(token.span())),
        Length::Param(name) => {
            let (at, g, text) = (place(name.span()), local("g", name.span()), name.to_string());
            let text = text.trim_start_matches("r#");
            let span = span(name);
            quote_spanned!(at=> __rt::length(#g, #text, #of, #least, #whole, #span))
        }
    }
}

/// What a param says how long something is, behind its gate.
pub(crate) fn span(name: &Ident) -> TokenStream {
    let at = place(name.span());
    through("IsSpan::span", quote_spanned!(at=> &self.#name), name.span())
}

/// A duration that is known, or none, in a constant.
pub(crate) fn constant(micros: i64, at: Span) -> TokenStream {
    span_of(micros, place(at))
}

/// Lets with a clone of each param and resource that the code mentions. A param that it nearly mentions is in scope as it is: whatever
/// rustc does not find, it can then name.
pub(crate) fn params<'a>(seen: &[Seen], code: impl IntoIterator<Item = &'a Code>) -> TokenStream {
    let code: Vec<&Code> = code.into_iter().collect();
    let mut lets = TokenStream::new();
    let mut words = vec![];
    code.iter().for_each(|code| names(code.tokens.clone(), &mut words));
    let words: Vec<String> = words.iter().map(Ident::to_string).collect();
    for Seen { name, resource } in seen {
        let (text, at) = (name.to_string(), place(name.span()));
        if code.iter().any(|code| code.mentions(text.trim_start_matches("r#"))) {
            let from = if *resource { quote!(#name) } else { quote_spanned!(at=> self.#name) };
            // a mention may turn out to be a field or a word in a text
            lets.extend(quote_spanned!(at=> let #name = ::core::clone::Clone::clone(&#from); let _ = &#name;));
        } else if !resource && words.iter().any(|word| !near(word, [&*text]).is_empty()) {
            lets.extend(quote_spanned!(at=> let #name = &self.#name; let _ = #name;));
        }
    }
    lets
}

/// An expression with its params in scope.
pub(crate) fn scoped<'a>(
    seen: &[Seen],
    code: impl IntoIterator<Item = &'a Code>,
    expression: TokenStream,
) -> TokenStream {
    let lets = params(seen, code);
    if lets.is_empty() { expression } else { quote!({ #lets #expression }) }
}

/// A number without a suffix, as an index of a tuple must be.
pub(crate) fn number(n: usize, at: Span) -> TokenTree {
    let mut number = Literal::usize_unsuffixed(n);
    number.set_span(place(at));
    TokenTree::Literal(number)
}

/// A value through a gate, `CanSum::checked`: what does not pass is blamed on this place. The call is in the user's own hygiene: of a
/// token with ours rustc says that it comes out of a macro.
pub(crate) fn through(gate: &str, value: impl ToTokens, at: Span) -> TokenStream {
    through_with(gate, value, &TokenStream::new(), at)
}

/// The same, with what else the gate takes.
pub(crate) fn through_with(gate: &str, value: impl ToTokens, more: &TokenStream, at: Span) -> TokenStream {
    let (of, gate) = gate.split_once("::").unwrap_or(("", gate));
    let (of, gate, gated) = (Ident::new(of, at), Ident::new(gate, at), Ident::new("__gated", at));
    let call = quote_spanned!(at=> __rt::#of::#gate(#gated #more));
    // Its type is said, if only as `_`: else rustc asks the user to write it behind this name.
    quote_spanned!(place(at)=> { let #gated: _ = #value; #call })
}

/// A value through a gate that asks whether it can be copied. In our own hygiene: a reference would pass, and rustc would tell the
/// user to write one into what is his.
pub(crate) fn copied(gate: &str, value: impl ToTokens, at: Span) -> TokenStream {
    let (of, gate) = gate.split_once("::").unwrap_or(("", gate));
    let (of, gate, gated) = (local(of, at), local(gate, at), local("gated", at));
    quote_spanned!(place(at)=> { let #gated = #value; __rt::#of::#gate(#gated) })
}

/// A type through a gate: `<T as __rt::CanKeep<_>>::kept()`.
pub(crate) fn through_type(of: &str, gate: &str, ty: &TokenStream, at: Span) -> TokenStream {
    let (of, gate) = (Ident::new(of, at), Ident::new(gate, at));
    quote_spanned!(at=> <#ty as __rt::#of<_>>::#gate())
}
