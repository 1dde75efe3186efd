//! `#[derive(Record)]` and `#[derive(Key)]`: read the type once ([`shape`]), report all that is wrong with it, then
//! write the impls. Past the gate nothing reports.
//!
//! A derive gets no `$crate`, so the output finds the runtime at `::pelton`, or where `#[record(crate = ..)]` says.

mod attrs;
mod key;
mod record;
mod shape;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use std::fmt::Display;

use shape::{For, Shape};

/// What `#[derive(Record)]` writes.
pub(crate) fn record(input: TokenStream) -> TokenStream {
    expand(input, For::Record, record::write)
}

/// What `#[derive(Key)]` writes.
pub(crate) fn key(input: TokenStream) -> TokenStream {
    expand(input, For::Key, key::write)
}

fn expand(input: TokenStream, purpose: For, write: fn(&Shape) -> TokenStream) -> TokenStream {
    let shape = syn::parse2(input).and_then(|input| {
        let mut mistakes = Mistakes::default();
        let shape = Shape::read(&input, purpose, &mut mistakes);
        mistakes.gate()?;
        Ok(shape)
    });
    let shape = match shape {
        Ok(Some(shape)) => shape,
        Ok(None) => return TokenStream::new(),
        Err(mistakes) => return mistakes.into_compile_error(),
    };
    let runtime = &shape.runtime;
    let items = write(&shape);
    // The lints are those that look at paths as if a person had written them.
    quote! {
        #[allow(unused_qualifications, clippy::absolute_paths)]
        const _: () = {
            use #runtime::__private as __rt;
            #items
        };
    }
}

/// All that is wrong with one type.
#[derive(Default)]
#[must_use]
struct Mistakes(Option<syn::Error>);

impl Mistakes {
    fn report(&mut self, at: impl ToTokens, fact: impl Display) {
        self.add(syn::Error::new_spanned(at, fact));
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
