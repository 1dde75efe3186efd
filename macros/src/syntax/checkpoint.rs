//! `checkpoint every 10s, exactly_once, timeout 5min, pause 1s, keep 3, tolerate 2;`

use proc_macro2::{Ident, Literal, TokenTree};

use crate::catalog;
use crate::diag::{Diagnostics, Parsed, Problem};
use crate::syntax::cursor::Cursor;
use crate::syntax::options::Known;
use crate::syntax::split;
use crate::syntax::units::Length;

/// How a job keeps checkpoints, if a run does not say it otherwise.
#[derive(Clone)]
pub(crate) struct Checkpoint {
    /// `checkpoint`.
    pub(crate) word: Ident,
    pub(crate) every: Option<(Ident, Length)>,
    /// `exactly_once` or `at_least_once`: what no source and no sink may fall short of.
    pub(crate) guarantee: Option<Ident>,
    pub(crate) timeout: Option<(Ident, Length)>,
    pub(crate) pause: Option<(Ident, Length)>,
    pub(crate) keep: Option<Count>,
    pub(crate) tolerate: Option<Count>,
}

/// A whole number that is written out.
#[derive(Clone)]
pub(crate) struct Count {
    pub(crate) number: u32,
    pub(crate) token: Literal,
}

impl Count {
    /// Reads one behind `of`.
    pub(crate) fn parse(from: &mut Cursor, of: &str) -> Parsed<Count> {
        let help = format!("write a whole number: `{of} 3`");
        match from.peek() {
            Some(TokenTree::Literal(token)) => {
                let token = token.clone();
                match token.to_string().replace('_', "").parse() {
                    Ok(number) => {
                        from.next();
                        Ok(Count { number, token })
                    }
                    Err(_) => Err(Problem::new(&token, format!("`{token}` is no number of times"), help)),
                }
            }
            _ => Err(from.expected("a number", &help)),
        }
    }
}

impl Checkpoint {
    pub(crate) fn parse(word: &Ident, from: &mut Cursor, diag: &mut Diagnostics) -> Checkpoint {
        let mut it = Checkpoint {
            word: word.clone(),
            every: None,
            guarantee: None,
            timeout: None,
            pause: None,
            keep: None,
            tolerate: None,
        };
        let known = Known { of: "`checkpoint`", words: catalog::CHECKPOINT_OPTIONS, later: &[] };
        let mark = diag.mark();
        for (option, mut value) in known.read(split::arguments(from.rest()), word, diag) {
            let text = option.to_string();
            let whole = match text.as_str() {
                "exactly_once" | "at_least_once" => {
                    if it.guarantee.is_some() {
                        diag.report(
                            &option,
                            "`exactly_once` and `at_least_once` exclude each other",
                            "keep one of them: what holds once holds at least once",
                        );
                    }
                    it.guarantee.get_or_insert(option);
                    Some(())
                }
                "keep" => diag.take(Count::parse(&mut value, &text)).map(|count| it.keep = Some(count)),
                "tolerate" => diag.take(Count::parse(&mut value, &text)).map(|count| it.tolerate = Some(count)),
                _ => diag.take(Length::parse(&mut value, &text)).map(|length| {
                    let given = Some((option, length));
                    match text.as_str() {
                        "every" => it.every = given,
                        "timeout" => it.timeout = given,
                        _ => it.pause = given,
                    }
                }),
            };
            if whole.is_some() {
                diag.take(value.end("`,` or `;`", "options are separated by commas"));
            }
        }
        if it.every.is_none() && !diag.spoiled_since(mark) {
            diag.report(word, "`checkpoint` does not say how often", "write `checkpoint every 10s`");
        }
        it
    }
}
