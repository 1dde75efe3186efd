//! `.split { name: pattern => value; name: |r| test; rest: _; }`: one way for each row, as in a `match`. Patterns, tests and
//! values are the user's own Rust and stay as they are.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};

use crate::diag::{Diagnostics, Problem};
use crate::syntax::code::Code;
use crate::syntax::cursor::Cursor;
use crate::syntax::process::bound;
use crate::syntax::split::is_punct;

#[derive(Clone)]
pub(crate) struct Split {
    pub(crate) arms: Vec<Arm>,
}

/// An output, and which rows go to it.
#[derive(Clone)]
pub(crate) struct Arm {
    pub(crate) name: Ident,
    pub(crate) when: When,
}

#[derive(Clone)]
pub(crate) enum When {
    /// `|r| test`: the row goes on as it is.
    Test(Code),
    /// `pattern`, `pattern if test`, `pattern => value`: without a value the row goes on as it is.
    Pattern { pattern: TokenStream, test: Option<Code>, value: Option<Code> },
    /// `_`: whatever is left.
    Rest(Ident),
}

/// How an arm is written, for hints.
pub(crate) const FORM: &str = "write `name: Pattern(x) => x;`, `name: |r| test;` or, for what is left, `rest: _;`";

impl Split {
    pub(crate) fn parse(word: &Ident, body: &Group, diag: &mut Diagnostics) -> Option<Split> {
        let mark = diag.mark();
        let arms = cut(body.stream(), diag);
        if arms.is_empty() {
            diag.report(word, "this `split` has no outputs", FORM);
        }
        let arms = arms.into_iter().filter_map(|arm| Arm::parse(arm, word, diag)).collect();
        (!diag.spoiled_since(mark)).then_some(Split { arms })
    }

    /// Whether a pattern takes the row apart.
    pub(crate) fn matches(&self) -> bool {
        self.arms.iter().any(|arm| matches!(arm.when, When::Pattern { .. }))
    }
}

/// Arms end at `;`.
fn cut(body: TokenStream, diag: &mut Diagnostics) -> Vec<TokenStream> {
    let (mut all, mut now) = (vec![], TokenStream::new());
    for token in body {
        if is_punct(&token, ';') {
            all.push(std::mem::take(&mut now));
        } else {
            now.extend([token]);
        }
    }
    if let Some(last) = now.clone().into_iter().last() {
        diag.report_mild(last, "expected `;` behind this", "every output of a `split` ends with `;`");
        all.push(now);
    }
    all.retain(|arm| !arm.is_empty());
    all
}

impl Arm {
    fn parse(tokens: TokenStream, before: &Ident, diag: &mut Diagnostics) -> Option<Arm> {
        let mut from = Cursor::new(tokens, before);
        let name = diag.take(from.name("output", FORM))?;
        diag.take(from.punct(':', FORM))?;
        let rest = from.rest();
        let tokens: Vec<TokenTree> = rest.clone().into_iter().collect();
        let when = match &tokens[..] {
            [] => {
                diag.report(&name, format!("`{name}` does not say which rows it gets"), FORM);
                return None;
            }
            [TokenTree::Ident(word)] if word == "_" => When::Rest(word.clone()),
            [first, ..] if is_punct(first, '|') || matches!(first, TokenTree::Ident(word) if word == "move") => {
                When::Test(Code::function(rest, &name, FORM, diag)?)
            }
            _ => pattern(&name, tokens, diag)?,
        };
        Some(Arm { name, when })
    }

    /// All of the user's code in it.
    pub(crate) fn code(&self) -> impl Iterator<Item = &Code> {
        let (first, second) = match &self.when {
            When::Test(code) => (Some(code), None),
            When::Pattern { test, value, .. } => (test.as_ref(), value.as_ref()),
            When::Rest(_) => (None, None),
        };
        first.into_iter().chain(second)
    }
}

fn pattern(name: &Ident, tokens: Vec<TokenTree>, diag: &mut Diagnostics) -> Option<When> {
    let arrow = tokens.windows(2).position(|two| is_punct(&two[0], '=') && is_punct(&two[1], '>'));
    let left: TokenStream = tokens[..arrow.unwrap_or(tokens.len())].iter().cloned().collect();
    if left.is_empty() {
        diag.report(name, format!("`{name}` lacks its pattern"), FORM);
        return None;
    }
    let read = |from: ParseStream| {
        let pattern = syn::Pat::parse_multi(from)?;
        match from.peek(syn::Token![if]) {
            true => {
                from.parse::<syn::Token![if]>()?;
                Ok((pattern, Some(from.parse::<TokenStream>()?)))
            }
            false if from.is_empty() => Ok((pattern, None)),
            false => Err(from.error("expected `=>`, `if` or `;`")),
        }
    };
    let (pattern, test) = match read.parse2(left.clone()) {
        Ok(read) => read,
        Err(error) => {
            diag.add(Problem::new(&left, format!("this is no pattern: {error}"), FORM));
            return None;
        }
    };
    let test = match test {
        Some(tokens) => Some(Code::parse(tokens, name, "a test", FORM, diag)?),
        None => None,
    };
    let value = match arrow {
        Some(at) => {
            let value: TokenStream = tokens[at + 2..].iter().cloned().collect();
            Some(Code::parse(value, &tokens[at], "what goes on", FORM, diag)?)
        }
        None => {
            let mut names = vec![];
            bound(&pattern, &mut names);
            // a lone word that begins with a capital is a constant or a variant
            let plain = |name: &&Ident| !name.to_string().starts_with(char::is_uppercase);
            if let (Some(first), None) = (names.iter().find(plain), &test) {
                let fact = format!("the pattern names `{first}`, and nothing uses it");
                let help = format!(
                    "write what goes on: `{name}: {} => {first};`; a test is a closure: `{name}: |r| ..;`",
                    crate::syntax::param::text(&left)
                );
                diag.report(first, fact, help);
                return None;
            }
            None
        }
    };
    Some(When::Pattern { pattern: pattern.into_token_stream(), test, value })
}
