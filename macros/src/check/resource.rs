//! Resources are made in the order of the block: one that looks at another stands behind it.

use proc_macro2::{Ident, TokenStream, TokenTree};

use crate::diag::Diagnostics;
use crate::model::Model;

/// Reports those that stand in front of what they look at, and puts them behind it, so that all else is emitted.
pub(crate) fn check(model: &mut Model, diag: &mut Diagnostics) {
    let mut at = 0;
    let mut moved = vec![];
    while at < model.resources.len() {
        let (first, rest) = (&model.resources[at], &model.resources[at + 1..]);
        let text = first.name.to_string();
        let found = rest.iter().find_map(|later| looked_at(first.made.tokens.clone(), &later.name, &mut false));
        let Some(place) = found.filter(|_| !moved.contains(&text)) else {
            at += 1;
            continue;
        };
        let help = format!("a resource sees those in front of it: move `{text}` behind `{place}`");
        diag.report_mild(&place, format!("`{place}` is made further down"), help);
        moved.push(text);
        let first = model.resources.remove(at);
        let behind = model.resources.iter().position(|it| it.name == place).map_or(at, |later| later + 1);
        model.resources.insert(behind, first);
    }
}

/// Where an expression looks at a name. What follows a `|` or a `let` may be names of its own, and is left to rustc.
fn looked_at(tokens: TokenStream, name: &Ident, names: &mut bool) -> Option<Ident> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is = |at: Option<&TokenTree>, marks: &[char]| matches!(at, Some(TokenTree::Punct(p)) if marks.contains(&p.as_char()));
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Punct(p) if p.as_char() == '|' => *names = true,
            TokenTree::Ident(word) if word == "let" => *names = true,
            TokenTree::Ident(word) if word == name && !*names => {
                let before = at.checked_sub(1).and_then(|before| tokens.get(before));
                if !is(before, &['.', ':']) && !is(tokens.get(at + 1), &[':', '!']) {
                    return Some(word.clone());
                }
            }
            TokenTree::Group(group) => {
                if let Some(found) = looked_at(group.stream(), name, names) {
                    return Some(found);
                }
            }
            _ => {}
        }
    }
    None
}
