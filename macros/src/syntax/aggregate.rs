//! What an `aggregate` computes: a ready-made word, an expression of the user, or a tuple of them.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;

use crate::catalog::{self, Need, Word};
use crate::diag::Diagnostics;
use crate::syntax::code::Code;
use crate::syntax::split;

#[derive(Clone)]
pub(crate) struct Aggregate {
    pub(crate) parts: Vec<Part>,
    /// Whether it is written as a tuple, also with one part.
    pub(crate) tuple: bool,
    /// The argument's first token, where its type errors are shown.
    pub(crate) at: TokenStream,
}

#[derive(Clone)]
pub(crate) enum Part {
    /// `count()`, `sum(|r| r.x)`.
    Word { name: Ident, word: &'static Word, of: Option<Code> },
    /// The user's own aggregator.
    Own(Code),
}

const HELP: &str = "write `count()`, `sum(|r| r.x)`, `min(..)`, `max(..)`, `mean(..)`, `min_by(..)`, `max_by(..)`, an \
                    aggregator of your own, or a tuple of them";

/// Parts that a tuple can have in the runtime.
const MOST: usize = 8;

impl Aggregate {
    pub(crate) fn parse(argument: TokenStream, before: &Ident, diag: &mut Diagnostics) -> Option<Aggregate> {
        let tokens: Vec<TokenTree> = argument.clone().into_iter().collect();
        let at = tokens.first().map(ToTokens::to_token_stream).unwrap_or_default();
        if let [TokenTree::Group(group)] = &tokens[..]
            && group.delimiter() == Delimiter::Parenthesis
        {
            let inside = split::arguments(group.stream());
            let comma = group.stream().into_iter().last().is_some_and(|last| split::is_punct(&last, ','));
            if inside.is_empty() {
                diag.report(group, "this aggregate computes nothing", HELP);
                return None;
            }
            if let Some(more) = inside.get(MOST) {
                let fact = format!("a tuple of {} aggregates, and {MOST} are the most", inside.len());
                diag.report(
                    more,
                    fact,
                    "compute several of them in an aggregator of your own: `impl Aggregator<Row> for Mine`",
                );
                return None;
            }
            let tuple = inside.len() > 1 || comma;
            let parts: Vec<Option<Part>> = inside.into_iter().map(|part| Part::parse(part, before, diag)).collect();
            return Some(Aggregate { parts: parts.into_iter().collect::<Option<_>>()?, tuple, at });
        }
        let part = Part::parse(argument, before, diag)?;
        Some(Aggregate { parts: vec![part], tuple: false, at })
    }

    /// As the plan shows it: `(count, sum)`.
    pub(crate) fn text(&self) -> String {
        let parts: Vec<String> = self.parts.iter().map(Part::text).collect();
        match self.tuple {
            true => format!("({})", parts.join(", ")),
            false => parts.concat(),
        }
    }

    /// Whether it is one aggregator of the user's.
    pub(crate) fn is_own(&self) -> bool {
        !self.tuple && matches!(self.parts[..], [Part::Own(_)])
    }

    /// Whether an aggregator of the user's is in it.
    pub(crate) fn has_own(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Own(_)))
    }

    /// Whether it takes the rows themselves, not just values of them.
    pub(crate) fn keeps_rows(&self) -> bool {
        self.parts.iter().any(Part::keeps_rows)
    }

    /// The closures of its ready-made words.
    pub(crate) fn words(&self) -> impl Iterator<Item = &Code> {
        self.parts.iter().filter_map(|part| match part {
            Part::Word { of, .. } => of.as_ref(),
            Part::Own(_) => None,
        })
    }
}

impl Part {
    fn parse(tokens: TokenStream, before: &Ident, diag: &mut Diagnostics) -> Option<Part> {
        let parts: Vec<TokenTree> = tokens.clone().into_iter().collect();
        if let [TokenTree::Ident(name)] = &parts[..]
            && let Some(word) = catalog::word(&name.to_string())
        {
            let form = if word.need == Need::Nothing { "()" } else { "(|r| r.x)" };
            diag.report(name, format!("`{name}` lacks its parentheses"), format!("write `{name}{form}`"));
            return None;
        }
        if let [TokenTree::Ident(name), TokenTree::Group(group)] = &parts[..]
            && group.delimiter() == Delimiter::Parenthesis
            && let Some(word) = catalog::word(&name.to_string())
        {
            let mut given = split::arguments(group.stream()).into_iter();
            let of = match (word.need, given.next()) {
                (Need::Nothing, None) => None,
                (Need::Nothing, Some(argument)) => {
                    diag.report(
                        argument,
                        format!("`{name}` takes no argument"),
                        format!("write `{name}()`; to count some rows, filter in front"),
                    );
                    return None;
                }
                (_, argument) => {
                    let help = format!("write what to take of a row: `{name}(|r| r.x)`");
                    Some(Code::function(argument.unwrap_or_default(), name, &help, diag)?)
                }
            };
            if let Some(more) = given.next() {
                diag.report(more, format!("`{name}` takes one closure"), format!("write `{name}(|r| r.x)`"));
                return None;
            }
            return Some(Part::Word { name: name.clone(), word, of });
        }
        Code::parse(tokens, before, "an aggregate", HELP, diag).map(Part::Own)
    }

    fn text(&self) -> String {
        match self {
            Part::Word { word, .. } => word.name.to_string(),
            Part::Own(code) => {
                let text = crate::syntax::param::text(code);
                if text.chars().count() <= 24 { text } else { "..".to_string() }
            }
        }
    }

    pub(crate) fn keeps_rows(&self) -> bool {
        matches!(self, Part::Own(_) | Part::Word { word: Word { need: Need::ValueAndRow, .. }, .. })
    }
}
