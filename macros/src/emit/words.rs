//! Ready-made words that an expression nearly calls. They are in scope as functions that nobody calls, as params are that are nearly mentioned:
//! what rustc does not find it can then name. A function of the user's that only looks like a word is found, and is what is called.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use super::ident::{local, place};
use crate::catalog;
use crate::diag::near;
use crate::syntax::Code;

/// `use __rt::words::count;` for a `cuont()` in the code.
pub(super) fn nearly_called(code: &Code) -> TokenStream {
    let mut called = vec![];
    calls(code.tokens.clone(), &mut called);
    let mut tokens = TokenStream::new();
    let words = || catalog::WORDS.iter().map(|word| word.name);
    for name in called.iter().filter(|name| catalog::word(&name.to_string()).is_none()) {
        // a name that the code says is the user's own
        for word in near(&name.to_string(), words()).into_iter().filter(|word| !code.mentions(word)) {
            tokens.extend(import(word, name.span()));
        }
    }
    tokens
}

/// A word as a function that nobody calls.
pub(super) fn import(word: &str, at: Span) -> TokenStream {
    let (here, word) = (place(at), local(word, at));
    quote_spanned!(here=> #[allow(unused_imports, redundant_imports)] use __rt::words::#word;)
}

/// The names that stand in front of parentheses, at every depth, but for methods and the ends of paths.
fn calls(tokens: TokenStream, found: &mut Vec<proc_macro2::Ident>) {
    let (mut alone, mut before) = (true, None);
    for token in tokens {
        if let TokenTree::Group(group) = &token {
            if group.delimiter() == Delimiter::Parenthesis
                && let Some(name) = before.take()
                && !found.contains(&name)
            {
                found.push(name);
            }
            calls(group.stream(), found);
        }
        before = match &token {
            TokenTree::Ident(name) if alone => Some(name.clone()),
            _ => None,
        };
        alone = !matches!(&token, TokenTree::Punct(punct) if matches!(punct.as_char(), '.' | ':'));
    }
}
