//! Attributes and doc comments in front of a job or a statement.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::diag::{Diagnostics, list, near_or};
use crate::syntax::cursor::Cursor;

/// Attributes in front of something.
#[derive(Default)]
pub(crate) struct Attributes {
    /// The doc comments.
    pub(crate) docs: Vec<TokenStream>,
    /// The others, each `#[..]`.
    pub(crate) others: Vec<TokenStream>,
}

impl Attributes {
    pub(crate) fn parse(from: &mut Cursor) -> Attributes {
        let mut all = Attributes::default();
        while from.is_punct('#') {
            let mut tokens: TokenStream = from.next().into_iter().collect();
            let Some(group) = from.group(Delimiter::Bracket) else { break };
            let first = group.stream().into_iter().next();
            tokens.extend([TokenTree::Group(group)]);
            match first {
                Some(TokenTree::Ident(word)) if word == "doc" => all.docs.push(tokens),
                _ => all.others.push(tokens),
            }
        }
        all
    }

    /// Reports the attributes that are not doc comments; `known` are those that have been taken already.
    pub(crate) fn refuse(&mut self, on: &str, known: &[&str], diag: &mut Diagnostics) {
        for other in std::mem::take(&mut self.others) {
            let name = name(&other).unwrap_or_default();
            let (fact, else_help) = match known {
                [] => (format!("{on} takes no attributes"), "remove it; doc comments are welcome".to_string()),
                known => {
                    let known = known.iter().map(|known| format!("#[{known}(..)]"));
                    let takes = list(known, "or");
                    (
                        format!("{on} takes no attribute `{name}`"),
                        format!("remove it; it takes doc comments, and {takes}"),
                    )
                }
            };
            diag.report_mild(other, fact, near_or(&name, known.iter().copied(), else_help));
        }
    }
}

/// `allow` of `#[allow(..)]`.
pub(crate) fn name(attribute: &TokenStream) -> Option<String> {
    let attribute = syn::parse::Parser::parse2(syn::Attribute::parse_outer, attribute.clone()).ok()?.pop()?;
    Some(attribute.path().get_ident()?.to_string())
}

/// Doc comments as tokens and as text.
pub(crate) fn docs(docs: &[TokenStream]) -> (TokenStream, String) {
    let lines: Vec<String> = docs
        .iter()
        .filter_map(|doc| {
            let attribute = syn::parse::Parser::parse2(syn::Attribute::parse_outer, doc.clone()).ok()?.pop()?;
            match &attribute.meta.require_name_value().ok()?.value {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value().trim().to_string()),
                _ => None,
            }
        })
        .collect();
    (docs.iter().cloned().collect(), lines.join("\n").trim().to_string())
}
