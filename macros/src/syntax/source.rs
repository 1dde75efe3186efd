//! `source name: Type = connector, event_time |r| .., late_by 1h, idle_after 30s, ordered_splits, on_error skip;`

use proc_macro2::{Ident, Literal, TokenStream, TokenTree};

use crate::catalog;
use crate::diag::{Diagnostics, Parsed, near_or};
use crate::syntax::code::Code;
use crate::syntax::cursor::Cursor;
use crate::syntax::options::Known;
use crate::syntax::split;
use crate::syntax::units::Length;

#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) name: Ident,
    /// As written; it may hold `&` and `'_`.
    pub(crate) ty: TokenStream,
    pub(crate) connector: Code,
    pub(crate) event_time: Option<(Ident, Code)>,
    pub(crate) late_by: Option<(Ident, Length)>,
    pub(crate) ordered_splits: Option<Ident>,
    /// After how long without a row a split no longer holds the watermark back.
    pub(crate) idle_after: Option<(Ident, Length)>,
    pub(crate) never_idle: Option<Ident>,
    pub(crate) on_error: OnError,
    /// Records per second.
    pub(crate) rate: Option<Code>,
}

/// What a record does that is no row.
#[derive(Clone)]
pub(crate) enum OnError {
    Fail,
    Skip,
    /// It goes into `name.errors`; with the word.
    Divert(Ident),
}

const FORM: &str = "write `source name: Type = connector, event_time |r| r.at, late_by 1h, on_error fail;`";

impl Source {
    pub(crate) fn name(from: &mut Cursor) -> Parsed<Ident> {
        from.name("source", FORM)
    }

    /// The declared type, which a broken source leaves behind.
    pub(crate) fn declared(name: &Ident, from: &mut Cursor, diag: &mut Diagnostics) -> Option<TokenStream> {
        diag.take(from.punct(':', "a source is declared with the type of its rows: `source name: Type = connector;`"))?;
        diag.take(from.ty(&format!("the rows of `{name}`"), FORM))
    }

    pub(crate) fn parse(name: Ident, ty: TokenStream, from: &mut Cursor, diag: &mut Diagnostics) -> Option<Source> {
        diag.take(from.punct('=', FORM))?;
        let mut arguments = split::arguments(from.rest()).into_iter();
        let help = "write where the rows come from: `csv(path)`, `lines(path)`, `rows(vec)`";
        let connector = Code::parse(arguments.next().unwrap_or_default(), &name, "a connector", help, diag);
        let known = Known { of: "a source", words: catalog::SOURCE_OPTIONS, later: catalog::LATER_SOURCE_OPTIONS };
        let (mut event_time, mut late_by, mut ordered_splits, mut on_error) = (None, None, None, OnError::Fail);
        let (mut rate, mut idle_after, mut never_idle) = (None, None, None);
        for (word, mut value) in known.read(arguments, &name, diag) {
            let mark = diag.mark();
            match word.to_string().as_str() {
                "event_time" => {
                    let help = "write which field says when it happened: `event_time |r| r.at`";
                    event_time = Code::function(value.rest(), &word, help, diag).map(|code| (word, code));
                }
                "late_by" => {
                    late_by = diag.take(Length::parse(&mut value, "late_by")).map(|length| (word, length));
                }
                "ordered_splits" => ordered_splits = Some(word),
                "idle_after" => {
                    idle_after = diag.take(Length::parse(&mut value, "idle_after")).map(|length| (word, length));
                }
                "never_idle" => never_idle = Some(word),
                "rate" => rate = per_second(value.rest(), &word, diag),
                _ => {
                    let help = "write `on_error fail` to end the run at a bad record, `on_error skip` to count it and go on, or `on_error divert` to \
                                have it in a stream";
                    match diag.take(value.ident("`fail`, `skip` or `divert`", help)) {
                        Some(how) if how == "fail" => {}
                        Some(how) if how == "skip" => on_error = OnError::Skip,
                        Some(how) if how == "divert" => on_error = OnError::Divert(how),
                        Some(how) => {
                            let near = near_or(&how.to_string(), ["fail", "skip", "divert"], help);
                            diag.report(&how, format!("there is no `on_error {how}`"), near);
                        }
                        None => {}
                    }
                }
            }
            if !diag.spoiled_since(mark) {
                diag.take(value.end("`,` or `;`", "options are separated by commas"));
            }
        }
        let connector = connector?;
        Some(Source {
            name,
            ty,
            connector,
            event_time,
            late_by,
            ordered_splits,
            idle_after,
            never_idle,
            on_error,
            rate,
        })
    }
}

/// `10/s`, `10k/s`, `2M/s`, or an expression that gives records per second: a param.
fn per_second(tokens: TokenStream, word: &Ident, diag: &mut Diagnostics) -> Option<Code> {
    let help = "write `rate 10k/s`, or `rate name` with a param of type `u64` or `Option<u64>`: records per second";
    let list: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let tokens = match &list[..] {
        [TokenTree::Literal(number), TokenTree::Punct(slash), TokenTree::Ident(unit)] if slash.as_char() == '/' => {
            if unit != "s" {
                diag.report(unit, format!("a rate is per second, and not per `{unit}`"), help);
                return None;
            }
            let text = number.to_string().replace('_', "");
            let (digits, factor) = match text.as_bytes().last() {
                Some(b'k') => (&text[..text.len() - 1], 1_000),
                Some(b'M') => (&text[..text.len() - 1], 1_000_000),
                _ => (&*text, 1),
            };
            let Some(rate) = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).filter(|n| *n > 0) else {
                diag.report(number, format!("`{number}` is no number of records"), help);
                return None;
            };
            let mut literal = Literal::u64_suffixed(rate);
            literal.set_span(number.span());
            TokenTree::Literal(literal).into()
        }
        [TokenTree::Literal(number)] => {
            diag.report(number, "a rate without a unit", help);
            return None;
        }
        _ => tokens,
    };
    Code::parse(tokens, word, "a rate", help, diag)
}
