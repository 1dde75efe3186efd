//! A row that goes to keyed operators, and into flows that take a keyed stream. That is two steps, since the key may borrow from the
//! row: first the key with all that only looks at the row, then what takes it. In front of a flow the two are written where the key is
//! made; in the flow each is a closure of its own.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::body::{Body, Hold};
use super::code::{body_span, copied, paste_key, through};
use super::edge::{Taken, fits, how_name, part_span, tuple, word_value};
use super::ident::{local, place};
use crate::lower::flow::{Into, Send, in_order};
use crate::lower::{Edge, Operator};
use crate::syntax::{Aggregate, Code, Op, Part};

/// Where the key of a row comes from.
#[derive(Clone, Copy)]
enum Key {
    /// It was made here; several may use it.
    Here { shared: bool },
    /// It came into the flow, with a row that is lent.
    Came,
}

/// The two closures of a flow's part behind a keyed stream.
pub(super) struct Steps {
    pub(super) key: TokenStream,
    pub(super) value: TokenStream,
}

impl Body<'_> {
    /// A key that is made here, and all who use it.
    pub(super) fn keyed(
        &mut self,
        op: &Op,
        code: Option<&Code>,
        index: usize,
        sends: &[Send],
        x: usize,
        hold: Hold,
    ) -> TokenStream {
        let at = op.name.span();
        let mut tokens = self.at(index, at);
        let (row, key) = (self.row(x, at), local("k", at));
        match code {
            Some(code) => {
                let (body, closure) = (body_span(code, at), paste_key(code));
                tokens.extend(quote_spanned!(place(at)=> let #key = __rt::call(&#row, #closure);));
                let gated = through("IsKey::checked", local("k", body), body);
                tokens.extend(quote_spanned!(place(at)=> let #key = #gated;));
            }
            None => tokens.extend(quote_spanned!(place(at)=> let #key = ();)),
        }
        let ordered = in_order(sends, Send::takes);
        for (n, send) in ordered.iter().enumerate() {
            let last = n + 1 == ordered.len();
            let hold = if last { hold } else { Hold::Lent(send.at.span()) };
            tokens.extend(self.first(send, n, x, Key::Here { shared: sends.len() > 1 }));
            tokens.extend(self.second(send, n, x, hold));
        }
        tokens
    }

    /// The same for a key that came into the flow.
    pub(super) fn write_keyed(mut self, at: &Ident, sends: &[Send]) -> Steps {
        let ordered = in_order(sends, Send::takes);
        let (mut key, mut value) = (TokenStream::new(), TokenStream::new());
        let mut begun = quote!(());
        for (n, send) in ordered.iter().enumerate() {
            key.extend(self.first(send, n, 0, Key::Came));
            let last = n + 1 == ordered.len();
            let hold = if last { Hold::Own } else { Hold::Lent(send.at.span()) };
            value.extend(self.second(send, n, 0, hold));
        }
        for (n, send) in ordered.iter().enumerate().rev().filter(|(_, send)| send.takes()) {
            let slot = slot(n, send.at.span());
            begun = quote!((#slot, #begun));
        }
        let at = local("at", at.span());
        Steps { key: quote!(#key #begun), value: quote!(let #begun = #at; #value) }
    }

    /// The key, and the row as far as one only looks at it.
    fn first(&mut self, send: &Send, n: usize, x: usize, from: Key) -> TokenStream {
        let at = send.at.span();
        let here = place(at);
        let (key, cx, when, out) = (local("k", at), local("cx", at), self.time(at), self.out(send.out, at));
        let row = self.row(x, at);
        let (key, look, viewed) = match from {
            Key::Here { shared } => {
                let key = if shared { quote_spanned!(here=> &#key) } else { quote!(#key) };
                (key, quote_spanned!(here=> &#row), "")
            }
            Key::Came => (quote!(#key), quote!(#row), "viewed_"),
        };
        let method = |name: &str| local(&format!("{viewed}{name}"), at);
        if send.takes() {
            let (slot, method) = (slot(n, at), method("key"));
            let look = matches!(send.into, Into::Flow).then(|| quote_spanned!(here=> #look,));
            return quote_spanned!(here=> let #slot = #out.#method(#key, #look #when, #cx););
        }
        let Into::Edge { edge, words: Some((how, index)) } = send.into else { return TokenStream::new() };
        let edge = &self.plan.edges[edge];
        let (value, method) = (local("p", at), method("row"));
        let values = self.values(how, edge, x, Hold::Own, from);
        let blamed = index.map(|index| self.at(index, edge.at.span()));
        quote_spanned!(here=> #blamed let #value = #values; #out.#method(#key, #value, #when, #cx);)
    }

    /// What takes the row.
    fn second(&mut self, send: &Send, n: usize, x: usize, hold: Hold) -> TokenStream {
        if !send.takes() {
            return TokenStream::new();
        }
        let at = send.at.span();
        let here = place(at);
        let (slot, cx, when, out) = (slot(n, at), local("cx", at), self.time(at), self.out(send.out, at));
        match send.into {
            Into::Edge { edge, words: Some((how, index)) } => {
                let edge = &self.plan.edges[edge];
                let value = local("p", at);
                let blamed = index.map(|index| self.at(index, edge.at.span()));
                let values = self.values(how, edge, x, hold, Key::Here { shared: false });
                quote_spanned!(here=> #blamed let #value = #values; #out.value(#slot, #value, #cx);)
            }
            Into::Edge { edge, words: None } => {
                let (mut tokens, x, _) = self.own(x, hold);
                let row = self.row(x, at);
                let stored = through("CanStore::store", row, at);
                let stored = match &self.plan.edges[edge].operator {
                    Operator::Reduce { .. } => copied("GivenOut::checked", stored, at),
                    _ => stored,
                };
                tokens.extend(quote_spanned!(here=> #out.value(#slot, #stored, #cx);));
                tokens
            }
            Into::Flow => {
                let (mut tokens, x, _) = self.own(x, hold);
                let row = self.row(x, at);
                tokens.extend(quote_spanned!(here=> #out.value(#slot, #row, #when, #cx);));
                tokens
            }
        }
    }

    /// What each part of an aggregate needs of the row. The last part that uses it may take it.
    fn values(&self, how: &Aggregate, edge: &Edge, x: usize, hold: Hold, from: Key) -> TokenStream {
        let parts = how.parts.iter().enumerate().map(|(n, part)| {
            let at = part_span(part, Span::mixed_site());
            let (row, name) = (self.row(x, at), how_name(edge, at));
            let last = !how.parts[n + 1..].iter().any(Part::looks);
            let kept = match hold {
                Hold::Own if last => through("CanStore::store", &row, at),
                Hold::Lent(blamed) => through("CanStore::store", copy(&self.row(x, blamed), blamed), at),
                Hold::Own => through("CanStore::store", copy(&row, at), at),
            };
            match part {
                Part::Word(ready) => {
                    let look = match from {
                        Key::Here { .. } => quote_spanned!(place(at)=> &#row),
                        Key::Came => row.into_token_stream(),
                    };
                    word_value(ready, Taken { look, kept, time: self.time(at) })
                }
                Part::Own(_) => fits(how, n, kept, quote!(#name), at),
            }
        });
        tuple(how, parts)
    }
}

/// A copy of a row that somebody behind needs too.
fn copy(row: &Ident, at: Span) -> TokenStream {
    copied("Share::share", quote_spanned!(place(at)=> &#row), at)
}

/// What is known of a row between the two steps.
fn slot(n: usize, at: Span) -> Ident {
    local(&format!("at{n}"), at)
}
