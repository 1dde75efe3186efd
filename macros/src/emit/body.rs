//! The straight-line body of a chain: what happens to one row, a statement per operator.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::code::{body_span, copied, number, paste, through};
use super::ident::{first, local, place};
use super::sink;
use crate::lower::flow::{Branch, Cut, Flow, Step, in_order};
use crate::lower::{Chain, Plan};
use crate::syntax::Call;

/// Writes one body. Rows are `x0`, `x1`, ..; labels `'c0`, `'c1`, ..
pub(crate) struct Body<'p> {
    pub(super) plan: &'p Plan<'p>,
    rows: usize,
    labels: usize,
    /// Whether the rows have event time.
    has_time: bool,
}

/// The two closures of a chain that is cut.
#[derive(Default)]
pub(crate) struct Parts {
    /// What gives an answer, and the row.
    pub(crate) front: TokenStream,
    /// What that is called.
    pub(crate) row: TokenStream,
    pub(crate) rest: TokenStream,
}

/// Whether the row at hand may be given away.
#[derive(Clone, Copy)]
pub(super) enum Hold {
    Own,
    /// Somebody behind needs it too; a copy is blamed on the name of the stream there.
    Lent(Span),
}

impl<'p> Body<'p> {
    pub(crate) fn new(plan: &'p Plan<'p>, chain: &'p Chain<'p>) -> Self {
        Body { plan, rows: 0, labels: 0, has_time: chain.time.is_some() }
    }

    /// Of rows that have no event time, whatever the others of the chain have.
    pub(crate) fn untimed(plan: &'p Plan<'p>, chain: &'p Chain<'p>) -> Self {
        Body { has_time: false, ..Body::new(plan, chain) }
    }

    /// What happens to the row `x0`, which belongs to the body.
    pub(crate) fn write(mut self, flow: &Flow) -> TokenStream {
        self.block(&flow.steps, &flow.ends, 0, Hold::Own)
    }

    /// Of a chain that is cut behind its first filter: what stands before it and its answer with the row, the name of that
    /// row, and what stands behind it.
    pub(crate) fn write_cut(mut self, cut: &Cut) -> Parts {
        let Cut { front, filter, rest, ends } = cut;
        let Step::Op { op, code, index, counter, .. } = filter else { return Parts::default() };
        let at = op.name.span();
        let mut tokens = self.steps(front, &[], 0, Hold::Own, "");
        let x = self.rows;
        let (row, closure, keep) = (self.row(x, at), paste(code), local("keep", at));
        tokens.extend(self.at(*index, at));
        let count = counter.map(|counter| self.count_if(counter, &keep));
        tokens.extend(quote_spanned!(place(at)=> let #keep = __rt::test(&#row, #closure); #count (#keep, #row)));
        let rest = self.block(rest, ends, x, Hold::Own);
        Parts { front: tokens, row: row.into_token_stream(), rest }
    }

    /// Of a chain whose rows go straight into a flow, the same: the filter is the flow's, if it has one.
    pub(crate) fn write_through(mut self, (steps, into, out): (&[Step], &Ident, usize)) -> Parts {
        let (at, here) = (into.span(), place(into.span()));
        let mut front = self.steps(steps, &[], 0, Hold::Own, "");
        let (row, when, out, cx) = (self.row(self.rows, at), self.time(at), self.out(out, at), local("cx", at));
        front.extend(quote_spanned!(here=> #out.test(#row, #when, #cx)));
        let rest = quote_spanned!(here=> #out.pass(#row, #when, #cx););
        Parts { front, row: row.into_token_stream(), rest }
    }

    pub(super) fn row(&self, n: usize, at: Span) -> Ident {
        local(&format!("x{n}"), at)
    }

    pub(super) fn next_row(&mut self) -> usize {
        self.rows += 1;
        self.rows
    }

    /// Steps and ends in a block that a filter can leave.
    pub(super) fn block(&mut self, steps: &[Step], ends: &[Branch], x: usize, hold: Hold) -> TokenStream {
        let leaves = steps.iter().take_while(|step| !step.loops()).any(Step::leaves);
        if !leaves {
            return self.steps(steps, ends, x, hold, "");
        }
        let label = format!("c{}", self.labels);
        self.labels += 1;
        let inside = self.steps(steps, ends, x, hold, &label);
        let label = lifetime(&label, Span::mixed_site());
        quote!(#label: { #inside })
    }

    fn steps(&mut self, steps: &[Step], ends: &[Branch], x: usize, hold: Hold, label: &str) -> TokenStream {
        let Some((step, rest)) = steps.split_first() else { return self.ends(ends, x, hold) };
        let Step::Op { op, code, index, counter, ty } = step else {
            let Step::Declared(ty) = step else { return TokenStream::new() };
            let at = first(ty, Span::mixed_site());
            let row = self.row(x, at);
            // rebound where it may be, so that behind a mistake the row has the type that was meant
            let mut tokens = match hold {
                Hold::Own => {
                    let it = declared("it", quote!(#row), ty, at);
                    quote_spanned!(place(at)=> let #row = #it;)
                }
                Hold::Lent(_) => {
                    let it = declared("its", quote_spanned!(place(at)=> &#row), ty, at);
                    quote_spanned!(place(at)=> let _ = #it;)
                }
            };
            tokens.extend(self.steps(rest, ends, x, hold, label));
            return tokens;
        };
        let at = op.name.span();
        let here = place(at);
        let (mut tokens, x, hold) = if step.takes() { self.own(x, hold) } else { (TokenStream::new(), x, hold) };
        let (row, closure) = (self.row(x, at), paste(code));
        tokens.extend(self.at(*index, at));
        let count = counter.map(|counter| self.count(counter, at));
        match &op.call {
            Call::Map(_) => {
                let y = self.next_row();
                let made = self.row(y, at);
                let ty = ty.map(|ty| quote!(: #ty));
                tokens.extend(quote_spanned!(here=> let #made #ty = __rt::call(#row, #closure);));
                tokens.extend(self.steps(rest, ends, y, Hold::Own, label));
            }
            Call::Filter(_) => {
                let label_at = lifetime(label, at);
                let keep = local("keep", at);
                let count = counter.map(|counter| self.count_if(counter, &keep));
                tokens.extend(quote_spanned! {here=>
                    let #keep = __rt::test(&#row, #closure);
                    #count
                    if !#keep { break #label_at }
                });
                tokens.extend(self.steps(rest, ends, x, hold, label));
            }
            Call::FilterMap(_) => {
                let (y, label_at) = (self.next_row(), lifetime(label, at));
                let made = self.row(y, at);
                tokens.extend(quote_spanned! {here=>
                    let ::core::option::Option::Some(#made) = __rt::pick(#row, #closure) else { break #label_at };
                });
                tokens.extend(count);
                tokens.extend(self.steps(rest, ends, y, Hold::Own, label));
            }
            Call::FlatMap(_) => {
                let y = self.next_row();
                let made = self.row(y, at);
                let inside = self.block(rest, ends, y, Hold::Own);
                // the next turn runs the user's iterator again
                let again = self.at(*index, at);
                tokens.extend(quote_spanned!(here=> let #made = __rt::call(#row, #closure);));
                let (from, made) = (body_span(code, at), self.row(y, at));
                let many = through("Many::checked", local(&format!("x{y}"), from), from);
                tokens.extend(quote_spanned!(here=> for #made in #many { #count #inside #again }));
            }
            _ => {
                tokens.extend(quote_spanned!(here=> __rt::inspect(&#row, #closure);));
                tokens.extend(self.steps(rest, ends, x, hold, label));
            }
        }
        tokens
    }

    /// A row that may be given away.
    pub(super) fn own(&mut self, x: usize, hold: Hold) -> (TokenStream, usize, Hold) {
        let Hold::Lent(at) = hold else { return (TokenStream::new(), x, hold) };
        let y = self.next_row();
        let (row, copy) = (self.row(x, at), self.row(y, at));
        let shared = copied("Share::share", quote_spanned!(place(at)=> &#row), at);
        (quote_spanned!(place(at)=> let #copy = #shared;), y, Hold::Own)
    }

    fn ends(&mut self, ends: &[Branch], x: usize, hold: Hold) -> TokenStream {
        let many = ends.len() > 1;
        let ordered = in_order(ends, Branch::takes);
        let mut tokens = TokenStream::new();
        for (n, end) in ordered.iter().enumerate() {
            let last = n + 1 == ordered.len();
            let hold = if last { hold } else { Hold::Lent(end.at().span()) };
            let inside = self.branch(end, x, hold);
            tokens.extend(if many { quote!({ #inside }) } else { inside });
        }
        tokens
    }

    fn branch(&mut self, end: &Branch, x: usize, hold: Hold) -> TokenStream {
        match end {
            Branch::Flow { flow, .. } => self.block(&flow.steps, &flow.ends, x, hold),
            Branch::Keyed { op, code, index, sends } => self.keyed(op, *code, *index, sends, x, hold),
            // each of its two steps is a closure of its own
            Branch::Came { .. } => TokenStream::new(),
            Branch::Exchange { op, exchange, index, out } => self.exchange(op, exchange, *index, *out, x, hold),
            Branch::Split { op, split, index, ways } => self.split(op, split, *index, ways, x, hold),
            Branch::Union { at, out } => {
                let at = at.span();
                let (mut tokens, x, _) = self.own(x, hold);
                let (row, when, out) = (self.row(x, at), self.time(at), self.out(*out, at));
                let (stored, cx) = (local("stored", at), local("cx", at));
                let kept = through("CanStore::store", row, at);
                tokens.extend(quote_spanned! {place(at)=>
                    let #stored = #kept;
                    let #stored = __rt::same(&#out, #stored);
                    #out.row((), #stored, #when, #cx);
                });
                tokens
            }
            Branch::Enter { at, out } => {
                let at = at.span();
                let (mut tokens, x, _) = self.own(x, hold);
                let (row, when, out, cx) = (self.row(x, at), self.time(at), self.out(*out, at), local("cx", at));
                tokens.extend(quote_spanned!(place(at)=> #out.enter(#row, #when, #cx);));
                tokens
            }
            Branch::Sink { at, out } => {
                let at = at.span();
                let (mut tokens, x, _) = self.own(x, hold);
                let (row, out, cx) = (self.row(x, at), self.out(*out, at), local("cx", at));
                let check = sink::check(&self.plan.model.generics, &out, &row, at);
                tokens.extend(quote_spanned! {place(at)=> {
                    let #row = __rt::held(#row, &#out);
                    #check
                    #out.write(#row, #cx);
                }});
                tokens
            }
        }
    }

    /// Names the operator whose closure runs next, for the message of a panic.
    pub(super) fn at(&self, index: usize, at: Span) -> TokenStream {
        let (cx, index) = (local("cx", at), number(index, at));
        quote_spanned!(place(at)=> #cx.at(#index);)
    }

    pub(super) fn count(&self, counter: usize, at: Span) -> TokenStream {
        let (n, index, one) = (local("n", at), number(counter, at), number(1, at));
        quote_spanned!(place(at)=> #n[#index] += #one;)
    }

    /// Without a branch, so that a loop of numbers stays free of them.
    fn count_if(&self, counter: usize, keep: &Ident) -> TokenStream {
        let at = keep.span();
        let (n, index) = (local("n", at), number(counter, at));
        quote_spanned!(place(at)=> #n[#index] += __rt::one_if(#keep);)
    }

    pub(super) fn time(&self, at: Span) -> TokenStream {
        if self.has_time {
            let time = local("t0", at);
            quote!(#time)
        } else {
            quote_spanned!(place(at)=> __rt::NO_TIME)
        }
    }

    /// The third of a list of pairs is `o.1.1.0`.
    pub(super) fn out(&self, out: usize, at: Span) -> TokenStream {
        let o = local("o", at);
        let mut tokens = quote!(#o);
        for _ in 0..out {
            let one = number(1, at);
            tokens.extend(quote_spanned!(place(at)=> .#one));
        }
        let zero = number(0, at);
        tokens.extend(quote_spanned!(place(at)=> .#zero));
        tokens
    }
}

impl Branch<'_> {
    /// The name of the stream where this consumer uses it.
    fn at(&self) -> &Ident {
        match self {
            Branch::Flow { at, .. }
            | Branch::Union { at, .. }
            | Branch::Sink { at, .. }
            | Branch::Enter { at, .. }
            | Branch::Came { at, .. } => at,
            Branch::Keyed { op, .. } | Branch::Split { op, .. } | Branch::Exchange { op, .. } => &op.name,
        }
    }
}

/// A row whose type is declared, through the gate that asks whether it is that.
fn declared(gate: &str, row: TokenStream, ty: &TokenStream, at: Span) -> TokenStream {
    let (gate, gated) = (Ident::new(gate, at), Ident::new("__gated", at));
    let call = quote_spanned!(at=> <_ as __rt::Is<#ty>>::#gate(#gated));
    quote_spanned!(place(at)=> { let #gated = #row; #call })
}

fn lifetime(name: &str, at: Span) -> syn::Lifetime {
    syn::Lifetime::new(&format!("'{name}"), place(at))
}
