//! Writes the impls of `Key`, `KeyLike` and `KeyHash`.

use proc_macro2::TokenStream;
use quote::quote;

use super::shape::Shape;

pub(super) fn write(_shape: &Shape) -> TokenStream {
    quote!()
}
