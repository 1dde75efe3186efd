//! `let name = start.operator(..).operator(..);`: where a stream starts and what happens to it.

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};

use crate::diag::{Diagnostics, Parsed, Problem};
use crate::syntax::cursor::Cursor;
use crate::syntax::flow::FlowCall;
use crate::syntax::operator::Op;
use crate::syntax::split;

/// A stream, or its late rows, where it is used: `hourly`, `hourly.late`.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) stream: Ident,
    pub(crate) output: Option<Ident>,
}

impl Input {
    /// Reads `name` or `name.late`.
    pub(crate) fn parse(from: &mut Cursor, help: &str) -> Parsed<Input> {
        let stream = from.ident("the name of a stream", help)?;
        let mut output = None;
        if from.is_punct('.') {
            from.next();
            output = Some(from.ident("an output, such as `late`", help)?);
        }
        Ok(Input { stream, output })
    }

    /// Reads a list of them.
    pub(crate) fn list(list: TokenStream, before: &Ident, help: &str, diag: &mut Diagnostics) -> Vec<Input> {
        let mut all = vec![];
        for one in split::arguments(list) {
            let mut from = Cursor::new(one, before);
            let Some(input) = diag.take(Input::parse(&mut from, help)) else { continue };
            if let Some(TokenTree::Punct(dot)) = from.peek()
                && dot.as_char() == '.'
            {
                let fact = format!("`{}` is to be the name of a stream, not a chain", input.stream);
                diag.report(&input.stream, fact, "give the chain a name with `let name = ..;` and write the name here");
                continue;
            }
            if diag.take(from.end("`,`", help)).is_some() {
                all.push(input);
            }
        }
        all
    }
}

/// Where a chain starts.
#[derive(Clone)]
pub(crate) enum Start {
    Stream(Input),
    Union { word: Ident, inputs: Vec<Input> },
    Flow(FlowCall),
}

#[derive(Clone)]
pub(crate) struct Let {
    pub(crate) name: Ident,
    /// Names that it had before.
    pub(crate) was: Vec<Ident>,
    pub(crate) start: Start,
    pub(crate) ops: Vec<Op>,
}

const FORM: &str = "write `let name = stream.operator(..);`";

impl Let {
    pub(crate) fn name(from: &mut Cursor) -> Parsed<Ident> {
        if let Some(TokenTree::Ident(word)) = from.peek()
            && word == "mut"
        {
            return Err(Problem::new(from.here(), "a stream is not `mut`", FORM));
        }
        from.name("stream", FORM)
    }

    /// The declared type, which a broken chain leaves behind.
    pub(crate) fn declared(name: &Ident, from: &mut Cursor, diag: &mut Diagnostics) -> Option<TokenStream> {
        if !from.is_punct(':') {
            return None;
        }
        from.next();
        diag.take(from.ty(&format!("the rows of `{name}`"), "write `let name: Type = stream.operator(..);`"))
    }

    pub(crate) fn parse(name: Ident, from: &mut Cursor, diag: &mut Diagnostics) -> Option<Let> {
        diag.take(from.punct('=', FORM))?;
        let start = start(from, diag)?;
        let mark = diag.mark();
        let mut ops = vec![];
        while !from.is_end() {
            let Some(op) = operator(from, diag) else { break };
            ops.extend(op);
        }
        (!diag.spoiled_since(mark)).then_some(Let { name, was: vec![], start, ops })
    }
}

fn start(from: &mut Cursor, diag: &mut Diagnostics) -> Option<Start> {
    let help =
        "a chain starts with the name of a stream, its late rows, `name.late`, `union(a, b)`, or a flow: `flow(a, 5)`";
    let mut ahead = from.clone();
    if let (Ok(word), true) =
        (ahead.ident("", ""), ahead.is_punct(':') || matches!(ahead.peek(), Some(TokenTree::Group(_))))
        && word != "union"
        && word != "process"
        && let Some(call) = FlowCall::parse(from, diag)
    {
        return call.map(Start::Flow);
    }
    let word = diag.take(from.ident("a stream", help))?;
    let Some(list) = from.group(Delimiter::Parenthesis) else {
        // `name.late`, but not `name.late(..)`, which is a mistake of the operator's
        let mut output = None;
        if from.is_punct('.') {
            let mut ahead = from.clone();
            ahead.next();
            if let (Ok(late), false) = (ahead.ident("", ""), matches!(ahead.peek(), Some(TokenTree::Group(_))))
                && !matches!(ahead.peek(), Some(TokenTree::Punct(p)) if p.as_char() == ':' && p.spacing() == Spacing::Joint)
            {
                *from = ahead;
                output = Some(late);
            }
        }
        return Some(Start::Stream(Input { stream: word, output }));
    };
    if word == "process" {
        let help =
            "write `stream.key_by(|r| ..).process { .. }`; bring several streams to one type and take their `union`";
        diag.report(&word, "`process` of several inputs is not built yet", help);
        return None;
    }
    let mark = diag.mark();
    let inputs = Input::list(list.stream(), &word, "write the names of the streams: `union(a, b)`", diag);
    if diag.spoiled_since(mark) {
        return None;
    }
    if inputs.len() < 2 {
        let fact = format!("`union` of {}", if inputs.is_empty() { "nothing" } else { "one stream" });
        diag.report(&word, fact, "write two streams or more: `union(a, b)`");
        return None;
    }
    Some(Start::Union { word, inputs })
}

/// One `.name(..)`. `None` if nothing behind it can be read either, `Some(None)` if just this one is wrong.
fn operator(from: &mut Cursor, diag: &mut Diagnostics) -> Option<Option<Op>> {
    if !from.is_punct('.') {
        let problem = from.expected("`.operator(..)` or `;`", "the operators of a chain are separated by dots");
        diag.add(problem);
        return None;
    }
    from.next();
    let name = diag.take(from.ident("an operator", FORM))?;
    if let Some(TokenTree::Punct(p)) = from.peek()
        && p.as_char() == ':'
    {
        let fact = format!("`{name}` takes no type arguments");
        diag.report(from.here(), fact, "declare the type of a stream with `let name: Type = ..;`");
        return None;
    }
    if let Some(arguments) = from.group(Delimiter::Parenthesis) {
        return Some(Op::parse(name, &arguments, diag));
    }
    let Some(body) = from.group(Delimiter::Brace) else {
        Op::without_arguments(&name, false, diag);
        return None;
    };
    Some(Op::with_body(name, &body, diag))
}
