//! `#[derive(Record)]` and `#[derive(Key)]`: read the type once ([`shape`]), report all that is wrong with it, then
//! write the impls. Past the gate nothing reports.
//!
//! A derive gets no `$crate`, so the output finds the runtime at `::pelton`, or where `#[record(crate = ..)]` says.

mod attrs;
mod key;
mod record;
mod shape;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use std::fmt::Display;

use shape::{For, Shape};

/// What `#[derive(Record)]` writes.
pub(crate) fn record(input: TokenStream) -> TokenStream {
    expand(input, For::Record, record::write, record::write_broken)
}

/// What `#[derive(Key)]` writes.
pub(crate) fn key(input: TokenStream) -> TokenStream {
    expand(input, For::Key, key::write, |_| TokenStream::new())
}

type Write = fn(&Shape) -> TokenStream;

fn expand(input: TokenStream, purpose: For, write: Write, write_broken: Write) -> TokenStream {
    let input = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut mistakes = Mistakes::default();
    let shape = Shape::read(&input, purpose, &mut mistakes);
    let mistakes = mistakes.gate();
    let impls = shape.map(|shape| {
        let items = if mistakes.is_ok() { write(&shape) } else { write_broken(&shape) };
        let runtime = &shape.runtime;
        // The lints are those that look at paths as if a person had written them.
        quote! {
            #[allow(unused_qualifications, clippy::absolute_paths)]
            const _: () = {
                use #runtime::__private as __rt;
                #items
            };
        }
    });
    let errors = mistakes.err().map(syn::Error::into_compile_error);
    quote!(#errors #impls)
}

/// All that is wrong with one type.
#[derive(Default)]
#[must_use]
struct Mistakes(Option<syn::Error>);

impl Mistakes {
    /// A fact, and what to write, as in [`Problem`](crate::diag::Problem).
    fn report(&mut self, at: impl ToTokens, fact: impl Display, help: impl Display) {
        self.add(syn::Error::new_spanned(at, format!("{fact}\n\nhelp: {help}")));
    }

    fn add(&mut self, new: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(new),
            none => *none = Some(new),
        }
    }

    fn gate(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
