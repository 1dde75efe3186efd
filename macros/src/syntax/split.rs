//! Cuts tokens before they are parsed, so that what is broken in one part cannot hide the next: a block into its
//! statements, an argument list into its arguments.

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};

use crate::catalog;
use crate::diag::Diagnostics;

/// Statements end at `;`. A forgotten one is seen where a new statement plainly starts.
pub(crate) fn statements(block: TokenStream, diag: &mut Diagnostics) -> Vec<TokenStream> {
    let mut all = vec![];
    let mut now = TokenStream::new();
    let mut last: Option<TokenTree> = None;
    let mut tokens = block.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if is_punct(&token, ';') {
            all.push(std::mem::take(&mut now));
            last = None;
            continue;
        }
        let next_is_name = matches!(tokens.peek(), Some(TokenTree::Ident(_)));
        if let (TokenTree::Ident(word), Some(before), true) = (&token, &last, next_is_name)
            && starts_statement(word)
            && ends_statement(before)
        {
            diag.report_mild(
                word,
                format!("expected `;` in front of `{word}`"),
                "end the statement before it with `;`",
            );
            all.push(std::mem::take(&mut now));
        }
        last = Some(token.clone());
        now.extend([token]);
    }
    if let Some(last) = last
        && !now.is_empty()
    {
        diag.report_mild(last, "expected `;` behind this", "every statement ends with `;`");
        all.push(now);
    }
    all.retain(|statement| !statement.is_empty());
    all
}

fn starts_statement(word: &Ident) -> bool {
    word == "return" || catalog::STATEMENTS.iter().any(|statement| word == statement)
}

fn ends_statement(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() != Delimiter::Bracket,
        TokenTree::Literal(_) => true,
        TokenTree::Ident(word) => !["if", "while", "match", "in", "return", "else"].iter().any(|w| word == w),
        TokenTree::Punct(_) => false,
    }
}

/// What stands in front of a `|`, which tells whether it opens a closure or means "or".
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// Nothing, an operator, or a word such as `move`: a closure may begin.
    Start,
    /// A value: what follows is an operator.
    Value,
}

/// Arguments are separated by commas, but not by those between the bars of a closure or the angles of a type.
pub(crate) fn arguments(list: TokenStream) -> Vec<TokenStream> {
    let mut all = vec![];
    let mut now = TokenStream::new();
    let mut before = Before::Start;
    let mut bars = false; // between the bars of a closure
    let mut angles = 0usize; // inside `::<..>`, or inside a closure's return type
    let mut returns = false; // in a closure's return type
    let mut last = [' '; 2]; // the two characters in front, if they are joined punctuation
    let mut tokens = list.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let mut joined = ' ';
        match &token {
            TokenTree::Punct(p) => {
                let c = p.as_char();
                joined = c;
                match c {
                    ',' if !bars && angles == 0 => {
                        all.push(std::mem::take(&mut now));
                        (before, returns, last) = (Before::Start, false, [' '; 2]);
                        continue;
                    }
                    '|' if bars => (bars, before) = (false, Before::Start),
                    '|' if before == Before::Start => bars = true,
                    // `a || b`: both bars belong to the operator
                    '|' => {
                        before = Before::Start;
                        if p.spacing() == Spacing::Joint && matches!(tokens.peek(), Some(next) if is_punct(next, '|')) {
                            now.extend([token.clone()]);
                            now.extend(tokens.next());
                            continue;
                        }
                    }
                    '<' if last == [':', ':'] || returns || angles > 0 => angles += 1,
                    '>' if last[1] == '-' => returns = !bars && angles == 0,
                    '>' if angles > 0 && last[1] != '=' => (angles, before) = (angles - 1, Before::Value),
                    '?' => before = Before::Value,
                    _ => before = Before::Start,
                }
            }
            TokenTree::Ident(word) => before = if leads_closure(word) { Before::Start } else { Before::Value },
            TokenTree::Literal(_) => before = Before::Value,
            TokenTree::Group(group) => {
                before = Before::Value;
                returns &= group.delimiter() != Delimiter::Brace;
            }
        }
        last = [last[1], joined];
        now.extend([token]);
    }
    // a comma behind the last one is no argument
    if !now.is_empty() {
        all.push(now);
    }
    all
}

/// Words that a closure may follow.
fn leads_closure(word: &Ident) -> bool {
    ["move", "async", "static", "return", "break", "else", "in", "event_time", "by", "tie"].iter().any(|w| word == w)
}

pub(crate) fn is_punct(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(p) if p.as_char() == c)
}
