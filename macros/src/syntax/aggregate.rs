//! What an `aggregate` computes: a ready-made word, an expression of the user, a tuple of them, or a struct of them,
//! `Stats { rows: count(), worst: max(|r| r.x) }`.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;

use crate::catalog::{self, Need, Word};
use crate::diag::{Diagnostics, list};
use crate::syntax::code::Code;
use crate::syntax::cursor::Cursor;
use crate::syntax::options::Known;
use crate::syntax::split;

#[derive(Clone)]
pub(crate) struct Aggregate {
    pub(crate) parts: Vec<Part>,
    /// Whether it is written as a tuple, also with one part, or as a struct.
    pub(crate) tuple: bool,
    /// The struct that the results are put into.
    pub(crate) fields: Option<Fields>,
    /// The argument's first token, where its type errors are shown.
    pub(crate) at: TokenStream,
}

/// A struct with a part for each field.
#[derive(Clone)]
pub(crate) struct Fields {
    /// The path of the struct, as written.
    pub(crate) path: TokenStream,
    /// Its fields, in the order of the parts.
    pub(crate) names: Vec<Ident>,
}

#[derive(Clone)]
pub(crate) enum Part {
    /// `count()`, `sum(|r| r.x)`, `top(3, by |r| r.x)`, `first(|r| r.x, tie |r| r.seq)`.
    Word(Box<Ready>),
    /// The user's own aggregator.
    Own(Code),
}

/// A ready-made word with what stands in its parentheses.
#[derive(Clone)]
pub(crate) struct Ready {
    pub(crate) name: Ident,
    pub(crate) word: &'static Word,
    /// What it takes in front of its closure.
    pub(crate) first: Option<Code>,
    /// What it takes of a row.
    pub(crate) of: Option<Code>,
    /// What decides between rows of one event time.
    pub(crate) tie: Option<Code>,
}

/// Parts that a tuple can have in the runtime.
const MOST: usize = 12;

fn help() -> String {
    let words = list(catalog::WORDS.iter().map(|word| word.form), "or");
    format!("write {words}, an aggregator of your own, a tuple of them, or a struct: `Stats {{ rows: count() }}`")
}

impl Aggregate {
    pub(crate) fn parse(argument: TokenStream, before: &Ident, diag: &mut Diagnostics) -> Option<Aggregate> {
        let tokens: Vec<TokenTree> = argument.clone().into_iter().collect();
        let at = tokens.first().map(ToTokens::to_token_stream).unwrap_or_default();
        if let [path @ .., TokenTree::Group(body)] = &tokens[..]
            && body.delimiter() == Delimiter::Brace
            && let Some(named) = Aggregate::of_fields(path, body, &at, diag)
        {
            return named;
        }
        if let [TokenTree::Group(group)] = &tokens[..]
            && group.delimiter() == Delimiter::Parenthesis
        {
            let inside = split::arguments(group.stream());
            let comma = group.stream().into_iter().last().is_some_and(|last| split::is_punct(&last, ','));
            if inside.is_empty() {
                diag.report(group, "this aggregate computes nothing", help());
                return None;
            }
            not_too_many(&inside, "a tuple", diag)?;
            let tuple = inside.len() > 1 || comma;
            let parts: Vec<Option<Part>> = inside.into_iter().map(|part| Part::parse(part, before, diag)).collect();
            return Some(Aggregate { parts: parts.into_iter().collect::<Option<_>>()?, tuple, fields: None, at });
        }
        let part = Part::parse(argument, before, diag)?;
        Some(Aggregate { parts: vec![part], tuple: false, fields: None, at })
    }

    /// `Path { name: word, .. }`. `None` if it is something else: a struct without a ready-made word in it is an aggregator of
    /// the user's.
    fn of_fields(
        path: &[TokenTree],
        body: &Group,
        at: &TokenStream,
        diag: &mut Diagnostics,
    ) -> Option<Option<Aggregate>> {
        let inside = split::arguments(body.stream());
        let is_word = |field: &TokenStream| {
            let mut from = Cursor::new(field.clone(), at);
            let named = from.ident("", "").is_ok() && from.punct(':', "").is_ok();
            let word = from.ident("", "").is_ok_and(|word| catalog::word(&word.to_string()).is_some());
            named && word && matches!(from.peek(), None | Some(TokenTree::Group(_)))
        };
        if !inside.iter().any(is_word) {
            return None;
        }
        let path: TokenStream = path.iter().cloned().collect();
        if syn::parse2::<syn::Path>(path.clone()).is_err() {
            let fact = "the results have names, and no struct to be fields of";
            let help = "declare a struct with these fields and write its name in front: `Stats { rows: count() }`";
            diag.report(at, fact, help);
            return Some(None);
        }
        if not_too_many(&inside, "a struct", diag).is_none() {
            return Some(None);
        }
        let (mut names, mut parts, mark) = (vec![], vec![], diag.mark());
        for field in inside {
            let form = "write each field with what it is: `rows: count()`";
            let mut from = Cursor::new(field, at);
            if from.is_punct('.') {
                diag.report(from.here(), "every field is computed", form);
                continue;
            }
            let Some(name) = diag.take(from.ident("the name of a field", form)) else { continue };
            if diag.take(from.punct(':', form)).is_none() {
                continue;
            }
            if names.contains(&name) {
                diag.report(&name, format!("the field `{name}` is given twice"), "give it once");
                continue;
            }
            parts.extend(Part::parse(from.rest(), &name, diag));
            names.push(name);
        }
        let whole = !diag.spoiled_since(mark);
        let fields = Some(Fields { path, names });
        Some(whole.then(|| Aggregate { parts, tuple: true, fields, at: at.clone() }))
    }

    /// As the plan shows it: `(count, sum)`, `Stats { rows: count }`.
    pub(crate) fn text(&self) -> String {
        let parts: Vec<String> = self.parts.iter().map(Part::text).collect();
        if let Some(Fields { path, names }) = &self.fields {
            let fields: Vec<String> = names.iter().zip(parts).map(|(name, part)| format!("{name}: {part}")).collect();
            return format!("{} {{ {} }}", crate::syntax::param::text(path), fields.join(", "));
        }
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

    /// Whether something in it goes by the order of rows.
    pub(crate) fn goes_by_order(&self) -> bool {
        self.ready().any(|ready| ready.word.need == Need::InOrder)
    }

    /// Whether partial results are worth to be made in front of an exchange.
    pub(crate) fn combines(&self) -> bool {
        self.ready().all(|ready| ready.word.combines)
    }

    fn ready(&self) -> impl Iterator<Item = &Ready> {
        self.parts.iter().filter_map(|part| match part {
            Part::Word(ready) => Some(&**ready),
            Part::Own(_) => None,
        })
    }

    /// The closures of its ready-made words.
    pub(crate) fn words(&self) -> impl Iterator<Item = &Code> {
        self.ready().flat_map(|ready| ready.of.iter().chain(&ready.tie))
    }
}

fn not_too_many(parts: &[TokenStream], of: &str, diag: &mut Diagnostics) -> Option<()> {
    let Some(more) = parts.get(MOST) else { return Some(()) };
    let fact = format!("{of} of {} aggregates, and {MOST} are the most", parts.len());
    diag.report(more, fact, "compute several of them in an aggregator of your own: `impl Aggregator<Row> for Mine`");
    None
}

/// `count() as rows`, `rows: count()`: names, where only a struct has some. And what else stands behind a ready-made word.
fn named(parts: &[TokenTree]) -> Option<(&TokenTree, String, String)> {
    let word_of = |name: &Ident, group: &Group| {
        let is_call = group.delimiter() == Delimiter::Parenthesis;
        catalog::word(&name.to_string()).filter(|_| is_call)
    };
    let is = |token: &TokenTree, word: &str| matches!(token, TokenTree::Ident(it) if it == word);
    let (name, word, wrong) = match parts {
        [TokenTree::Ident(name), colon, TokenTree::Ident(word), TokenTree::Group(group)]
            if split::is_punct(colon, ':') =>
        {
            (Some(name), word_of(word, group)?, &parts[0])
        }
        [TokenTree::Ident(word), TokenTree::Group(group), more, rest @ ..] => match rest {
            [TokenTree::Ident(name)] if is(more, "as") => (Some(name), word_of(word, group)?, more),
            _ => (None, word_of(word, group)?, more),
        },
        _ => return None,
    };
    Some(match name {
        Some(name) => (
            wrong,
            format!("`{}` has the name `{name}`, and only the fields of a struct have names", word.name),
            format!(
                "write `{form}`, or declare a struct for the results: `Stats {{ {name}: {form}, .. }}`",
                form = word.form
            ),
        ),
        None => (
            wrong,
            format!("`{}` is an aggregate of its own, and nothing follows it", word.name),
            "compute with its result behind: `.map(|result| ..)`, or write an aggregator of your own".to_owned(),
        ),
    })
}

impl Part {
    fn parse(tokens: TokenStream, before: &Ident, diag: &mut Diagnostics) -> Option<Part> {
        let parts: Vec<TokenTree> = tokens.clone().into_iter().collect();
        if let [TokenTree::Ident(name)] = &parts[..]
            && let Some(word) = catalog::word(&name.to_string())
        {
            diag.report(name, format!("`{name}` lacks its parentheses"), format!("write `{}`", word.form));
            return None;
        }
        if let [TokenTree::Ident(name), TokenTree::Group(group)] = &parts[..]
            && group.delimiter() == Delimiter::Parenthesis
            && let Some(word) = catalog::word(&name.to_string())
        {
            return Ready::parse(name, word, group, diag).map(|ready| Part::Word(Box::new(ready)));
        }
        if let Some((wrong, fact, help)) = named(&parts) {
            diag.report(wrong, fact, help);
            return None;
        }
        Code::parse(tokens, before, "an aggregate", &help(), diag).map(Part::Own)
    }

    fn text(&self) -> String {
        match self {
            Part::Word(ready) => ready.word.name.to_string(),
            Part::Own(code) => {
                let text = crate::syntax::param::text(code);
                if text.chars().count() <= 24 { text } else { "..".to_string() }
            }
        }
    }

    /// Whether it takes the row itself.
    pub(crate) fn keeps_rows(&self) -> bool {
        match self {
            Part::Own(_) => true,
            Part::Word(ready) => match ready.word.need {
                Need::ValueAndRow => true,
                Need::InOrder => ready.of.is_none(),
                Need::Nothing | Need::Value | Need::Lent => false,
            },
        }
    }

    /// Whether it looks at the row at all.
    pub(crate) fn looks(&self) -> bool {
        !matches!(self, Part::Word(ready) if ready.word.need == Need::Nothing)
    }
}

impl Ready {
    fn parse(name: &Ident, word: &'static Word, group: &Group, diag: &mut Diagnostics) -> Option<Ready> {
        let mut given = split::arguments(group.stream()).into_iter().peekable();
        let help = format!("write `{}`", word.form);
        let mut ready = Ready { name: name.clone(), word, first: None, of: None, tie: None };
        if word.need == Need::Nothing {
            return match given.next() {
                None => Some(ready),
                Some(argument) => {
                    let help = format!("{help}; to count some rows, filter in front");
                    diag.report(argument, format!("`{name}` takes no argument"), help);
                    None
                }
            };
        }
        if !word.first.is_empty() {
            let first = given.next().unwrap_or_default();
            let closure = first.clone().into_iter().next().is_some_and(|token| {
                split::is_punct(&token, '|') || matches!(&token, TokenTree::Ident(word) if word == "by")
            });
            if closure || first.is_empty() {
                let at = if first.is_empty() { name.to_token_stream() } else { first };
                diag.report(at, format!("`{name}` takes {} first", word.first), help);
                return None;
            }
            ready.first = Some(Code::parse(first, name, word.first, &help, diag)?);
            let mark = diag.mark();
            ready.number(diag);
            if diag.spoiled_since(mark) {
                return None;
            }
        }
        if word.need == Need::InOrder {
            // without a closure it takes the row itself
            let is_tie = |argument: &TokenStream| matches!(argument.clone().into_iter().next(), Some(TokenTree::Ident(word)) if word == "tie");
            if let Some(argument) = given.next_if(|argument| !is_tie(argument)) {
                ready.of = Some(Code::function(argument, name, &help, diag)?);
            }
            let of = format!("`{name}`");
            let known = Known { of: &of, words: &["tie"], later: &[] };
            let mark = diag.mark();
            for (word, mut value) in known.read(given, name, diag) {
                let help = "say what decides between rows of one event time: `tie |r| r.sequence`";
                ready.tie = Code::function(value.rest(), &word, help, diag);
            }
            return (!diag.spoiled_since(mark)).then_some(ready);
        }
        let mut argument = given.next().unwrap_or_default();
        if word.name == "top" {
            let mut from = Cursor::new(argument, name);
            let by = diag.take(from.ident("`by`", &help))?;
            if by != "by" {
                diag.report(&by, format!("expected `by`, found `{by}`"), help);
                return None;
            }
            argument = from.rest();
        }
        ready.of = Some(Code::function(argument, name, &help, diag)?);
        if let Some(more) = given.next() {
            diag.report(more, format!("`{name}` takes one closure"), help);
            return None;
        }
        Some(ready)
    }

    /// What is plainly wrong with a number that is written out.
    fn number(&self, diag: &mut Diagnostics) {
        let (Some(first), name) = (&self.first, &self.name) else { return };
        let literal = |tokens: &TokenStream| syn::parse2::<syn::Lit>(tokens.clone()).ok();
        let share = |tokens: TokenStream, diag: &mut Diagnostics| {
            let value = match literal(&tokens) {
                Some(syn::Lit::Float(share)) => share.base10_parse::<f64>().ok(),
                Some(syn::Lit::Int(whole)) => {
                    let fact = format!("`{whole}` is no share of all rows");
                    // rustc would say it again
                    diag.report(
                        &tokens,
                        fact,
                        format!("a quantile lies between `0.0` and `1.0`: `{}`", self.word.form),
                    );
                    None
                }
                _ => None,
            };
            if value.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
                let fact = format!("a quantile lies between `0.0` and `1.0`, and `{tokens}` does not");
                diag.report_mild(&tokens, fact, format!("write `{}`", self.word.form));
            }
        };
        match &*name.to_string() {
            "top" => match literal(&first.tokens) {
                Some(syn::Lit::Int(number)) if number.base10_parse::<usize>().is_ok_and(|number| number == 0) => {
                    diag.report_mild(number, "`top` of no rows", format!("write `{}`", self.word.form));
                }
                Some(syn::Lit::Int(_)) | None => {}
                Some(_) => {
                    let fact = format!("`{}` is no number of rows", first.tokens);
                    // rustc would say it again
                    diag.report(&first.tokens, fact, format!("write `{}`", self.word.form));
                }
            },
            "quantile" => share(first.tokens.clone(), diag),
            _ => {
                let Ok(array) = syn::parse2::<syn::ExprArray>(first.tokens.clone()) else { return };
                array.elems.iter().for_each(|one| share(one.to_token_stream(), diag));
            }
        }
    }
}
