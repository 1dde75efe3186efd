//! Rows without a key on their way to another worker.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::body::{Body, Hold};
use super::code::{body_span, copied, paste, through};
use super::ident::{local, place};
use crate::syntax::{Exchange, Op, To};

impl Body<'_> {
    pub(super) fn exchange(
        &mut self,
        op: &Op,
        exchange: &Exchange,
        index: usize,
        out: usize,
        x: usize,
        hold: Hold,
    ) -> TokenStream {
        let at = op.name.span();
        let here = place(at);
        let mut tokens = self.at(index, at);
        let (to, cx, stored) = (local("to", at), local("cx", at), local("stored", at));
        let (when, out) = (self.time(at), self.out(out, at));
        if let To::Number(code) = &exchange.to {
            let (row, closure, body) = (self.row(x, at), paste(code), body_span(code, at));
            tokens.extend(quote_spanned!(here=> let #to = __rt::call_with(&#row, #out.workers(), #closure);));
            let gated = through("IsWorker::number", local("to", body), body);
            tokens.extend(quote_spanned!(here=> let #to = #gated;));
        }
        let (own, x, _) = self.own(x, hold);
        let row = self.row(x, at);
        tokens.extend(own);
        let kept = through("CanStore::store", row, at);
        tokens.extend(quote_spanned!(here=> let #stored = #kept; let #stored = __rt::same(&#out, #stored);));
        tokens.extend(match &exchange.to {
            To::Turn => quote_spanned!(here=> #out.in_turn(#stored, #when, #cx);),
            To::Chance => quote_spanned!(here=> #out.by_chance(#stored, #when, #cx);),
            To::One => quote_spanned!(here=> #out.to(0, #stored, #when, #cx);),
            To::Number(_) => quote_spanned!(here=> #out.to(#to, #stored, #when, #cx);),
            To::All => {
                let copies = copied("Copied::checked", &stored, at);
                quote_spanned!(here=> __rt::to_all(&mut #out, #copies, #when, #cx);)
            }
        });
        tokens
    }
}
