//! The attributes of the derives: `#[record(..)]` on a type, `#[was(..)]` on fields and variants.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, Path, Token};

use super::Mistakes;

/// What `#[record(..)]` on a type says.
pub(super) struct OfType {
    /// Where the runtime is.
    pub(super) runtime: TokenStream,
    /// Whether serde writes the type as one value.
    pub(super) scalar: bool,
}

/// Reads the attributes of the type itself.
pub(super) fn of_type(attrs: &[Attribute], mistakes: &mut Mistakes) -> OfType {
    let mut found = OfType { runtime: quote!(::pelton), scalar: false };
    for attr in attrs {
        if attr.path().is_ident("was") {
            mistakes.report(attr, "`was` names an old field or variant; a type keeps its name in stored data");
        }
        if !attr.path().is_ident("record") {
            continue;
        }
        let read = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                let path: Path = meta.value()?.call(Path::parse_mod_style)?;
                found.runtime = path.into_token_stream();
                Ok(())
            } else if meta.path.is_ident("scalar") {
                found.scalar = true;
                Ok(())
            } else {
                Err(meta.error("unknown option; there are `scalar` and `crate = path`"))
            }
        });
        if let Err(error) = read {
            mistakes.add(error);
        }
    }
    found
}

/// Reads the old names of a field or variant.
pub(super) fn was(attrs: &[Attribute], mistakes: &mut Mistakes) -> Vec<String> {
    let mut names: Vec<Ident> = Vec::new();
    for attr in attrs {
        if attr.path().is_ident("record") {
            mistakes.report(attr, "`record` belongs on the type; a field or variant takes `#[was(old_name)]`");
        }
        if !attr.path().is_ident("was") {
            continue;
        }
        let read = attr
            .meta
            .require_list()
            .and_then(|list| Punctuated::<Ident, Token![,]>::parse_terminated.parse2(list.tokens.clone()));
        match read {
            Ok(list) if list.is_empty() => mistakes.report(attr, "no old name; write `#[was(old_name)]`"),
            Ok(list) => names.extend(list),
            Err(error) => {
                mistakes.add(syn::Error::new(error.span(), "an old name is an identifier; write `#[was(old_name)]`"));
            }
        }
    }
    names.iter().map(|name| syn::ext::IdentExt::unraw(name).to_string()).collect()
}
