//! The macros of Pelton. This file only converts tokens; `pipeline` shows the phases of `stream!`. The crate knows the
//! runtime by name alone: what it emits calls `__private`, which the facade of the runtime hands over.

mod catalog;
mod check;
mod diag;
mod emit;
mod lower;
mod model;
mod pipeline;
mod syntax;
#[cfg(test)]
mod tests;

/// What `pelton::stream!` becomes; the facade puts the runtime's path in front of the block.
#[doc(hidden)]
#[proc_macro]
pub fn __stream(block: proc_macro::TokenStream) -> proc_macro::TokenStream {
    pipeline::expand(block.into()).into()
}
