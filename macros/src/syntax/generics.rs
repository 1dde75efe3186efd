//! Type parameters of a job or a flow: `T: Record`.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};

use crate::diag::Diagnostics;

/// What is between the angles, without a job's backend.
#[derive(Default)]
pub(crate) struct Generics {
    /// Each with its bounds, to which is added that nothing in it is borrowed.
    params: Vec<(Ident, TokenStream)>,
}

const FORM: &str = "write type parameters with their bounds: `T: Record, K: Key`";

impl Generics {
    pub(crate) fn parse(tokens: TokenStream, diag: &mut Diagnostics) -> Generics {
        let mut found = Generics::default();
        let generics = match syn::parse2::<syn::Generics>(quote!(<#tokens>)) {
            Ok(generics) => generics,
            Err(error) => {
                diag.report_mild(tokens, format!("the type parameters cannot be read: {error}"), FORM);
                return found;
            }
        };
        for param in generics.params {
            match param {
                syn::GenericParam::Type(it) if it.default.is_none() && it.attrs.is_empty() => {
                    let (name, bounds) = (it.ident, it.bounds);
                    let plus = (!bounds.is_empty() && !bounds.trailing_punct()).then(|| quote!(+));
                    found.params.push((name.clone(), quote!(#name: #bounds #plus 'static)));
                }
                other => diag.report_mild(other, "only plain type parameters can stand here", FORM),
            }
        }
        found
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &Ident> {
        self.params.iter().map(|(name, _)| name)
    }

    /// `T: Record + 'static, `, with a comma behind each.
    pub(crate) fn declared(&self) -> TokenStream {
        self.params.iter().map(|(_, declared)| quote!(#declared,)).collect()
    }

    /// `T, `, with a comma behind each.
    pub(crate) fn given(&self) -> TokenStream {
        self.names().map(|name| quote!(#name,)).collect()
    }

    /// `<T, >`, or nothing.
    pub(crate) fn angles(&self) -> TokenStream {
        let given = self.given();
        if self.is_empty() { TokenStream::new() } else { quote!(<#given>) }
    }

    /// `<T: Record + 'static, >`, or nothing.
    pub(crate) fn declared_angles(&self) -> TokenStream {
        let declared = self.declared();
        if self.is_empty() { TokenStream::new() } else { quote!(<#declared>) }
    }
}

impl ToTokens for Generics {
    fn to_tokens(&self, to: &mut TokenStream) {
        to.extend(self.declared());
    }
}
