//! `sink name(input, ..) = connector;` and `drop input, ..;`: where streams end.

use proc_macro2::{Delimiter, Ident, TokenTree};

use crate::catalog;
use crate::diag::{Diagnostics, Parsed};
use crate::syntax::code::Code;
use crate::syntax::cursor::Cursor;
use crate::syntax::options::Known;
use crate::syntax::roll::Roll;
use crate::syntax::stream::Input;

#[derive(Clone)]
pub(crate) struct Sink {
    pub(crate) name: Ident,
    pub(crate) inputs: Vec<Input>,
    pub(crate) connector: Connector,
}

#[derive(Clone)]
pub(crate) enum Connector {
    /// `collect()`: the rows come back from `run`.
    Collect,
    /// With when it begins a new file.
    Code(Code, Option<Roll>),
}

#[derive(Clone)]
pub(crate) struct Drop {
    pub(crate) inputs: Vec<Input>,
}

const FORM: &str = "write `sink name(stream) = connector;`";

impl Sink {
    pub(crate) fn name(from: &mut Cursor) -> Parsed<Ident> {
        from.name("sink", FORM)
    }

    pub(crate) fn parse(name: Ident, from: &mut Cursor, diag: &mut Diagnostics) -> Option<Sink> {
        let Some(list) = from.group(Delimiter::Parenthesis) else {
            let problem = from.expected("`(stream)`", "a sink says what it takes: `sink name(stream) = connector;`");
            diag.add(problem);
            return None;
        };
        let mark = diag.mark();
        let inputs =
            Input::list(list.stream(), &name, "write the names of the streams: `sink name(a, b.late) = ..;`", diag);
        if inputs.is_empty() && !diag.spoiled_since(mark) {
            diag.report(&name, format!("`{name}` takes no stream"), FORM);
        }
        diag.take(from.punct('=', FORM))?;
        let rest = from.rest();
        let tokens: Vec<TokenTree> = rest.clone().into_iter().collect();
        let connector = match &tokens[..] {
            [TokenTree::Ident(word), TokenTree::Group(group)] if word == "collect" => {
                if !group.stream().is_empty() {
                    diag.report(
                        group.stream(),
                        "`collect` takes no argument",
                        "write `collect()`; the rows come back from `run`",
                    );
                    return None;
                }
                Connector::Collect
            }
            [TokenTree::Ident(word), TokenTree::Group(_), TokenTree::Punct(comma), ..]
                if word == "collect" && comma.as_char() == ',' =>
            {
                diag.report(tokens.get(3), "`collect()` has no options", "write `collect();`");
                return None;
            }
            [TokenTree::Ident(word)] if word == "collect" => {
                diag.report(word, "`collect` lacks its parentheses", "write `collect()`");
                return None;
            }
            _ => {
                let mut arguments = crate::syntax::split::arguments(rest).into_iter();
                let help = "write where the rows go: `csv(path)`, `stdout()`, `collect()`";
                let code = Code::parse(arguments.next().unwrap_or_default(), &name, "a connector", help, diag);
                let known = Known { of: "a sink", words: catalog::SINK_OPTIONS, later: &[] };
                let mut roll = None;
                for (word, value) in known.read(arguments, &name, diag) {
                    roll = Roll::parse(word, value, diag);
                }
                Connector::Code(code?, roll)
            }
        };
        (!diag.spoiled_since(mark)).then_some(Sink { name, inputs, connector })
    }
}

impl Drop {
    /// What is dropped is read one by one: a mistake in one leaves the others.
    pub(crate) fn parse(word: &Ident, from: &mut Cursor, diag: &mut Diagnostics) -> Drop {
        let help = "write the names of what is not used: `drop a, b.late;`";
        let inputs = if from.is_end() {
            diag.report_mild(word, "this drops nothing", help);
            vec![]
        } else {
            Input::list(from.rest(), word, help, diag)
        };
        Drop { inputs }
    }
}
