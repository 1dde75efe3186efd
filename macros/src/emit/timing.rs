//! Whether rows have event time, or whether it is needed, as a type.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::flow;
use super::ident::{local, place};
use crate::lower::{Term, Timing};
use crate::model::Model;

/// `__rt::Timed`, `__rt::Untimed`; in a flow also `__rt::EitherTimed<__I0, __M1>`.
pub(super) fn timing(model: &Model, timing: &Timing, at: Span) -> TokenStream {
    let here = place(at);
    if timing.0.contains(&Term::Always) {
        return quote_spanned!(here=> __rt::Timed);
    }
    let terms = timing.0.iter().map(|it| term(model, Some(it), at));
    let joined = terms.reduce(|all, one| quote_spanned!(here=> __rt::EitherTimed<#all, #one>));
    joined.unwrap_or_else(|| quote_spanned!(here=> __rt::Untimed))
}

/// Whether the rows of a stream have event time.
pub(super) fn term(model: &Model, term: Option<&Term>, at: Span) -> TokenStream {
    let here = place(at);
    match term {
        None => quote_spanned!(here=> __rt::Untimed),
        Some(Term::Always) => quote_spanned!(here=> __rt::Timed),
        Some(Term::Inputs(inputs)) => {
            let inputs = inputs.iter().map(|input| flow::brought(model, *input, at));
            let joined = inputs.reduce(|all, one| quote_spanned!(here=> __rt::BothTimed<#all, #one>));
            joined.unwrap_or_else(|| quote_spanned!(here=> __rt::Timed))
        }
        Some(Term::Output(output)) => {
            let output = local(&format!("__M{output}"), at);
            quote_spanned!(here=> #output)
        }
    }
}
