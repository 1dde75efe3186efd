//! A `split`: a `match` on the row where a pattern takes it apart, else one test after the other. Each way goes on with a row
//! of its own, so that nothing is copied.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{quote, quote_spanned};

use super::body::{Body, Hold};
use super::code::paste;
use super::ident::{first, local, place};
use crate::lower::flow::Way;
use crate::syntax::split::is_punct;
use crate::syntax::{Op, Split, When};

impl Body<'_> {
    pub(super) fn split(
        &mut self,
        op: &Op,
        split: &Split,
        index: usize,
        ways: &[Way],
        x: usize,
        hold: Hold,
    ) -> TokenStream {
        let at = op.name.span();
        let here = place(at);
        let mut tokens = self.at(index, at);
        if !split.matches() {
            // Tests only look; who needs a lent row copies it behind them.
            let chain = ways.iter().rev().fold(TokenStream::new(), |rest, way| {
                let body = self.way(way, x, hold);
                match &way.arm.when {
                    When::Test(code) => {
                        let (row, closure) = (self.row(x, way.arm.name.span()), paste(code));
                        quote_spanned!(here=> if __rt::test(&#row, #closure) { #body } else { #rest })
                    }
                    _ => body,
                }
            });
            tokens.extend(chain);
            return tokens;
        }
        let (own, x, hold) = self.own(x, hold);
        tokens.extend(own);
        let arms: TokenStream = ways.iter().enumerate().map(|(n, way)| self.arm(n, way, hold)).collect();
        let row = self.row(x, at);
        tokens.extend(quote_spanned!(here=> match #row { #arms }));
        tokens
    }

    fn arm(&mut self, n: usize, way: &Way, hold: Hold) -> TokenStream {
        let at = way.arm.name.span();
        let here = place(at);
        let y = self.next_row();
        let row = self.row(y, at);
        let body = self.way(way, y, hold);
        // Where a pattern is missing, rustc would write an arm behind the last one, in its own words and inside of the macro, unless the
        // last two are of different hygiene.
        let mut body = Group::new(Delimiter::Brace, body);
        body.set_span(if n.is_multiple_of(2) { at } else { here });
        match &way.arm.when {
            When::Test(code) => {
                let closure = paste(code);
                quote_spanned!(here=> #row if __rt::test(&#row, #closure) => #body)
            }
            When::Rest(word) => {
                let (here, row) = (place(word.span()), self.row(y, word.span()));
                quote_spanned!(here=> #row => #body)
            }
            When::Pattern { pattern, test, value } => {
                let test = test.as_ref().map(|test| {
                    let test = paste(test);
                    quote!(if #test)
                });
                match value {
                    Some(value) => {
                        let from = place(first(&value.tokens, at));
                        let value = paste(value);
                        // in a closure, so that a `return` of the user's leaves no more than that
                        let made = quote_spanned!(from=> let #row = __rt::made(|| #value););
                        let mut inside = Group::new(Delimiter::Brace, quote!(#made #body));
                        inside.set_span(body.span());
                        quote!(#pattern #test => #inside)
                    }
                    None if pattern.clone().into_iter().any(|token| is_punct(&token, '|')) => {
                        quote!(#row @ (#pattern) #test => #body)
                    }
                    None => quote!(#row @ #pattern #test => #body),
                }
            }
        }
    }

    fn way(&mut self, way: &Way, x: usize, hold: Hold) -> TokenStream {
        let at = way.arm.name.span();
        let count = self.count(way.counter, at);
        let row = local(&format!("x{x}"), at);
        let body = self.block(&way.flow.steps, &way.flow.ends, x, hold);
        quote_spanned!(place(at)=> #count let _ = &#row; #body)
    }
}
