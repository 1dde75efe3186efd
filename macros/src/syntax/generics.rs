//! Type parameters of a job or a flow: `T: Record`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::diag::Diagnostics;
use crate::syntax::code::mentions;

/// What is between the angles, without a job's backend.
#[derive(Default)]
pub(crate) struct Generics(Vec<Parameter>);

/// `T: Record`.
struct Parameter {
    name: Ident,
    bounds: TokenStream,
    /// Whether it can be a row, or a key: then it is one that is kept as itself.
    row: bool,
    key: bool,
    /// Whether it is a job's, whose params are shared by threads.
    shared: bool,
}

const FORM: &str = "write type parameters with their bounds: `T: Record, K: Key`";

impl Generics {
    /// Reads those of a job, which are `shared` by threads, or of a flow.
    pub(crate) fn parse(tokens: TokenStream, shared: bool, diag: &mut Diagnostics) -> Generics {
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
                    let says = |word: &str| {
                        it.bounds.iter().any(|bound| match bound {
                            syn::TypeParamBound::Trait(bound) => {
                                bound.path.segments.last().is_some_and(|last| last.ident == word)
                            }
                            _ => false,
                        })
                    };
                    let (row, key) = (says("Record") || says("Key"), says("Key"));
                    let plus = (!it.bounds.is_empty() && !it.bounds.trailing_punct()).then(|| quote!(+));
                    let (name, bounds) = (it.ident, it.bounds);
                    found.0.push(Parameter { name, bounds: quote!(#bounds #plus), row, key, shared });
                }
                other => diag.report_mild(other, "only plain type parameters can stand here", FORM),
            }
        }
        found
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Leaves out those that are no good.
    pub(crate) fn retain(&mut self, mut good: impl FnMut(&Ident) -> bool) {
        self.0.retain(|it| good(&it.name));
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &Ident> {
        self.0.iter().map(|it| &it.name)
    }

    /// `T: Record + 'static, `, with a comma behind each; `rt` is the path of the runtime's hidden part.
    pub(crate) fn declared(&self, rt: &TokenStream) -> TokenStream {
        let all = self.0.iter().map(|Parameter { name, bounds, row, key, shared }| {
            let row = row.then(|| quote!(#rt::Row<Stored = #name> +));
            let key = key.then(|| quote!(#rt::KeyLike<Owned = #name> +));
            let (send, sync) = (quote!(::core::marker::Send), quote!(::core::marker::Sync));
            let shared = shared.then(|| [send, sync]).into_iter().flatten();
            quote!(#name: #bounds #row #key #(#shared +)* 'static,)
        });
        all.collect()
    }

    /// `T: 'static, `, with a comma behind each.
    pub(crate) fn owned(&self) -> TokenStream {
        self.names().map(|name| quote!(#name: 'static,)).collect()
    }

    /// `T, `, with a comma behind each.
    pub(crate) fn given(&self) -> TokenStream {
        self.names().map(|name| quote!(#name,)).collect()
    }

    /// Those that occur in some types: `T, `.
    pub(crate) fn given_in<'t>(&self, types: impl IntoIterator<Item = &'t TokenStream>) -> TokenStream {
        let types: Vec<&TokenStream> = types.into_iter().collect();
        let occurs = |name: &&Ident| types.iter().any(|ty| mentions((*ty).clone(), &name.to_string()));
        self.names().filter(occurs).map(|name| quote!(#name,)).collect()
    }

    /// `<T, >`, or nothing.
    pub(crate) fn angles(&self) -> TokenStream {
        let given = self.given();
        if self.is_empty() { TokenStream::new() } else { quote!(<#given>) }
    }
}
