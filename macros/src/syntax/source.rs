//! `source name: Type = connector, event_time |r| .., late_by 1h, ordered_splits, on_error skip;`

use proc_macro2::{Ident, TokenStream};

use crate::catalog;
use crate::diag::{Diagnostics, Parsed};
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
    /// Whether bad records are skipped.
    pub(crate) skip_bad: bool,
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
        let (mut event_time, mut late_by, mut ordered_splits, mut skip_bad) = (None, None, None, false);
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
                _ => {
                    let help = "write `on_error fail` to end the run at a bad record, or `on_error skip` to count it and go on";
                    match diag.take(value.ident("`fail` or `skip`", help)) {
                        Some(how) if how == "fail" => {}
                        Some(how) if how == "skip" => skip_bad = true,
                        Some(how) if how == "divert" => diag.report(how, "`on_error divert` is not built yet", help),
                        Some(how) => diag.report(&how, format!("there is no `on_error {how}`"), help),
                        None => {}
                    }
                }
            }
            if !diag.spoiled_since(mark) {
                diag.take(value.end("`,` or `;`", "options are separated by commas"));
            }
        }
        Some(Source { name, ty, connector: connector?, event_time, late_by, ordered_splits, skip_bad })
    }
}
