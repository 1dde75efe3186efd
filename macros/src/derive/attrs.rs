//! The attributes of the derives: `#[record(..)]` on a type; `#[was(..)]`, `#[added]` and `#[dropped(..)]`, which say what
//! was stored before.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Index, Meta, Path, Token};

use super::Mistakes;
use crate::diag::near_or;

/// What stands on a type.
pub(super) struct OfType {
    /// Where the runtime is.
    pub(super) runtime: TokenStream,
    /// Whether serde writes the type as one value.
    pub(super) scalar: bool,
    /// Names it had before.
    pub(super) was: Vec<String>,
    /// Fields or variants it had before.
    pub(super) dropped: Vec<String>,
    /// Functions that make it out of former types.
    pub(super) migrations: Vec<Path>,
}

/// What a field has where it was not stored.
pub(super) struct Added {
    /// The attribute's place.
    pub(super) at: Span,
    /// An expression; without one it is the type's default.
    pub(super) value: Option<TokenStream>,
}

/// Reads the attributes of the type itself.
pub(super) fn of_type(attrs: &[Attribute], mistakes: &mut Mistakes) -> OfType {
    let mut found = OfType {
        runtime: quote!(::pelton),
        scalar: false,
        was: was(attrs, mistakes),
        dropped: dropped(attrs, mistakes),
        migrations: vec![],
    };
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("record")) {
        let read = attr.parse_nested_meta(|meta| {
            let path = |meta: &syn::meta::ParseNestedMeta<'_>| meta.value()?.call(Path::parse_mod_style);
            if meta.path.is_ident("crate") {
                found.runtime = path(&meta)?.into_token_stream();
                Ok(())
            } else if meta.path.is_ident("scalar") {
                found.scalar = true;
                Ok(())
            } else if meta.path.is_ident("migrate") {
                found.migrations.push(path(&meta)?);
                Ok(())
            } else {
                let known = "the options of `record` are `scalar`, `migrate = function` and `crate = path`";
                let word = meta.path.to_token_stream().to_string();
                let help = near_or(&word, ["scalar", "migrate", "crate"], known);
                mistakes.report(&meta.path, format!("`record` has no option `{word}`"), help);
                Ok(())
            }
        });
        if let Err(error) = read {
            mistakes.add(error);
        }
    }
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("added")) {
        mistakes.report(attr, "`added` stands on a type", "write it on the field that was not stored before");
    }
    found
}

/// Refuses what belongs on the type, on fields and variants.
pub(super) fn refuse_record(attrs: &[Attribute], mistakes: &mut Mistakes) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("record")) {
        mistakes.report(
            attr,
            "`record` belongs on the type",
            "move it there; a field or variant takes `#[was(old_name)]`",
        );
    }
}

/// Reads what a field has where it was not stored.
pub(super) fn added(attrs: &[Attribute], mistakes: &mut Mistakes) -> Option<Added> {
    let mut all = attrs.iter().filter(|attr| attr.path().is_ident("added"));
    let attr = all.next()?;
    if let Some(second) = all.next() {
        mistakes.report(second, "`added` is said twice", "say it once: a field has one value where none was stored");
    }
    match &attr.meta {
        Meta::Path(_) => Some(Added { at: attr.span(), value: None }),
        Meta::List(list) if syn::parse2::<syn::Expr>(list.tokens.clone()).is_ok() => {
            Some(Added { at: attr.span(), value: Some(list.tokens.clone()) })
        }
        _ => {
            mistakes.report(
                attr,
                "`added` has no value",
                "write `#[added]` for the type's default, or a value: `#[added(5)]`",
            );
            None
        }
    }
}

/// Refuses `added` where nothing is stored: on variants, which are there or not.
pub(super) fn refuse_added(attrs: &[Attribute], mistakes: &mut Mistakes) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("added")) {
        mistakes.report(attr, "`added` belongs on a field", "remove it: a new variant needs no word");
    }
}

/// Refuses `dropped` on a field: it belongs on what the field was in.
pub(super) fn refuse_dropped(attrs: &[Attribute], mistakes: &mut Mistakes) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("dropped")) {
        mistakes.report(
            attr,
            "`dropped` stands on a field",
            "write it on the type or variant that the field is gone from",
        );
    }
}

/// Reads the names of what is there no more.
pub(super) fn dropped(attrs: &[Attribute], mistakes: &mut Mistakes) -> Vec<String> {
    let mut names = vec![];
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("dropped")) {
        let name = |from: syn::parse::ParseStream<'_>| {
            if from.peek(syn::LitInt) {
                return Ok(from.parse::<Index>()?.index.to_string());
            }
            Ok(from.parse::<Ident>()?.unraw().to_string())
        };
        let names_of =
            |from: syn::parse::ParseStream<'_>| Punctuated::<_, Token![,]>::parse_terminated_with(from, name);
        let read = attr.meta.require_list().and_then(|list| names_of.parse2(list.tokens.clone()));
        match read {
            Ok(list) if list.is_empty() => {
                mistakes.report(attr, "`dropped` names nothing", "write `#[dropped(old_name)]`")
            }
            Ok(list) => names.extend(list),
            Err(error) => {
                let fact = "what is dropped is named\n\nhelp: write `#[dropped(old_name)]`";
                mistakes.add(syn::Error::new(error.span(), fact));
            }
        }
    }
    names
}

/// Reads old names, of a type, field or variant.
pub(super) fn was(attrs: &[Attribute], mistakes: &mut Mistakes) -> Vec<String> {
    let mut names: Vec<Ident> = Vec::new();
    for attr in attrs {
        if !attr.path().is_ident("was") {
            continue;
        }
        let read = attr
            .meta
            .require_list()
            .and_then(|list| Punctuated::<Ident, Token![,]>::parse_terminated.parse2(list.tokens.clone()));
        match read {
            Ok(list) if list.is_empty() => mistakes.report(attr, "`was` names nothing", "write `#[was(old_name)]`"),
            Ok(list) => names.extend(list),
            Err(error) => {
                let fact = "an old name is an identifier\n\nhelp: write `#[was(old_name)]`";
                mistakes.add(syn::Error::new(error.span(), fact));
            }
        }
    }
    names.iter().map(|name| name.unraw().to_string()).collect()
}
