//! `pub flow name<T: Record>(rows: Stream<T>, least: u32) -> main, other: Type { .. return stream, other = stream; }`, and the
//! use of one, `let t = name(stream, 5);`. What is a stream among the arguments of a use is known by its names.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;

use crate::diag::{Diagnostics, Parsed, Problem, near, near_or};
use crate::syntax::code::Code;
use crate::syntax::cursor::Cursor;
use crate::syntax::param::Param;
use crate::syntax::split;
use crate::syntax::stream::Input;

/// What a flow takes and gives.
pub(crate) struct Signature {
    pub(crate) takes: Vec<Takes>,
    pub(crate) gives: Vec<Gives>,
    /// All of it as written, for its documentation.
    pub(crate) text: String,
}

/// What it takes.
pub(crate) enum Takes {
    /// `trades: Stream<Trade>`, or `trades: Keyed<Symbol, Trade>`.
    Stream { name: Ident, key: Option<TokenStream>, row: TokenStream },
    /// `least: u32`.
    Value(Box<Param>),
}

/// An output.
#[derive(Clone)]
pub(crate) struct Gives {
    /// `None` is the main one, which is reached by the name of the `let` alone.
    pub(crate) name: Option<Ident>,
    pub(crate) ty: TokenStream,
}

/// `return sums, rejected = part.bad;`
#[derive(Clone)]
pub(crate) struct Return {
    pub(crate) word: Ident,
    /// Each with the name in front of `=`.
    pub(crate) streams: Vec<(Option<Ident>, Input)>,
}

/// `totals(trades, 5)` at the start of a `let`.
#[derive(Clone)]
pub(crate) struct FlowCall {
    /// The path as written: `crate::flows::totals`.
    pub(crate) path: TokenStream,
    /// Its last name.
    pub(crate) name: Ident,
    pub(crate) arguments: Vec<Argument>,
    /// Where these stand.
    pub(crate) parentheses: Span,
}

/// An argument: perhaps a stream, else a value.
#[derive(Clone)]
pub(crate) struct Argument {
    pub(crate) stream: Option<Input>,
    pub(crate) value: Code,
}

/// The types of parameters that are streams.
const STREAMS: &[&str] = &["Stream", "Keyed"];

pub(crate) const FORM: &str =
    "write `flow name(rows: Stream<Type>, least: u32) -> Type, other: Type { .. return stream, other = stream; }`";

impl Signature {
    /// Reads it, up to the body in braces.
    pub(crate) fn parse(name: &Ident, from: &mut Cursor, diag: &mut Diagnostics) -> Parsed<(Signature, Group)> {
        let Some(takes) = from.group(Delimiter::Parenthesis) else {
            return Err(from.expected("`(`", FORM));
        };
        let mut gives = TokenStream::new();
        let body = loop {
            if let Some(body) = from.group(Delimiter::Brace) {
                break body;
            }
            match from.next() {
                Some(token) => gives.extend([token]),
                None => return Err(from.expected("`{`", FORM)),
            }
        };
        let shown = crate::syntax::param::text(TokenTree::Group(takes.clone()));
        let text = format!("{name}{shown} {}", crate::syntax::param::text(&gives)).trim_end().to_string();
        let mut takes = self::takes(takes.stream(), name, diag);
        let gives = self::gives(gives, name, diag)?;
        let none = !takes.iter().any(|it| matches!(it, Takes::Stream { .. }));
        if none && let Some((meant, word, stream)) = takes.iter_mut().find_map(nearly_stream) {
            let help = near_or(&word.to_string(), STREAMS.iter().copied(), FORM);
            diag.report_mild(&word, format!("there are no rows of type `{word}`"), help);
            *meant = stream;
        } else if none {
            let help = "write what comes in: `rows: Stream<Type>`; without rows there is nothing to do";
            diag.report_mild(name, format!("the flow `{name}` takes no stream"), help);
        }
        Ok((Signature { takes, gives, text }, body))
    }
}

fn takes(list: TokenStream, flow: &Ident, diag: &mut Diagnostics) -> Vec<Takes> {
    let mut from = Cursor::new(list, flow);
    let mut all = vec![];
    while !from.is_end() {
        let mut read = || {
            let name = from.name("parameter", FORM)?;
            from.punct(':', FORM)?;
            let ty = from.ty(&format!("`{name}`"), FORM)?;
            if !from.is_end() {
                from.punct(',', FORM)?;
            }
            Ok((name, ty))
        };
        let (name, ty) = match read() {
            Ok(read) => read,
            Err(problem) => {
                diag.add_mild(problem);
                break;
            }
        };
        if let Some(inside) = inside(&ty, "Keyed") {
            let (key, row) = keyed(&ty, inside, diag);
            all.push(Takes::Stream { name, key: Some(key), row });
            continue;
        }
        match inside(&ty, "Stream") {
            Some(row) => all.push(Takes::Stream { name, key: None, row }),
            None => all.push(Takes::Value(Box::new(Param {
                docs: TokenStream::new(),
                help: String::new(),
                name,
                ty,
                inner: None,
                default: None,
            }))),
        }
    }
    all
}

/// A parameter whose type is nearly that of a stream: itself, the word, and what it was meant as.
fn nearly_stream(it: &mut Takes) -> Option<(&mut Takes, Ident, Takes)> {
    let Takes::Value(param) = &*it else { return None };
    let TokenTree::Ident(word) = param.ty.clone().into_iter().next()? else { return None };
    let meant = *near(&word.to_string(), STREAMS.iter().copied()).first()?;
    // without a row, as one that could not be read
    let key = (meant == "Keyed").then(|| quote!(()));
    let stream = Takes::Stream { name: param.name.clone(), key, row: TokenStream::new() };
    Some((it, word, stream))
}

/// `T` of `Stream<T>`.
fn inside(ty: &TokenStream, word: &str) -> Option<TokenStream> {
    let tokens: Vec<TokenTree> = ty.clone().into_iter().collect();
    let [TokenTree::Ident(name), TokenTree::Punct(open), inside @ .., TokenTree::Punct(close)] = &tokens[..] else {
        return None;
    };
    (name == word && open.as_char() == '<' && close.as_char() == '>').then(|| inside.iter().cloned().collect())
}

/// `K` and `T` of `Keyed<K, T>`.
fn keyed(ty: &TokenStream, inside: TokenStream, diag: &mut Diagnostics) -> (TokenStream, TokenStream) {
    let types = Punctuated::<syn::Type, syn::Token![,]>::parse_terminated.parse2(inside);
    let types: Vec<syn::Type> = types.into_iter().flatten().collect();
    let [key, row] = &types[..] else {
        let help = "write `Keyed<K, T>`: `Keyed<String, Trade>`";
        diag.report_mild(ty, "a keyed stream has a key and rows", help);
        return (quote!(()), TokenStream::new());
    };
    let mut kept = key.to_token_stream();
    if let syn::Type::Reference(reference) = key {
        // what was meant, so that this is the only mistake
        let elem = reference.elem.to_token_stream();
        kept = if elem.to_string() == "str" { quote!(::std::string::String) } else { elem };
        let help = "write the type that it is kept as, `String` for `&str`; keys that borrow go in as they are";
        diag.report_mild(key, format!("the key `{}` borrows", crate::syntax::param::text(key)), help);
    }
    (kept, row.to_token_stream())
}

fn gives(tokens: TokenStream, flow: &Ident, diag: &mut Diagnostics) -> Parsed<Vec<Gives>> {
    let mut from = Cursor::new(tokens, flow);
    if from.is_end() {
        return Err(Problem::new(flow, format!("the flow `{flow}` gives nothing"), FORM));
    }
    let arrow = from.is_punct('-');
    from.next();
    if !arrow || !from.is_punct('>') {
        return Err(from.expected("`->`", FORM));
    }
    from.next();
    let mut all: Vec<Gives> = vec![];
    while !from.is_end() {
        let mut ahead = from.clone();
        let mut name = None;
        if let (Ok(word), true) = (ahead.ident("", ""), ahead.is_punct(':')) {
            ahead.next();
            // `a::B` is a type, `a: B` has a name
            if !ahead.is_punct(':') {
                from = ahead;
                name = Some(word);
            }
        }
        let of = name.as_ref().map_or("an output".to_string(), |name| format!("`{name}`"));
        let ty = from.ty(&of, FORM)?;
        if let Some(name) = &name
            && (name == "main" || all.iter().any(|it| it.name.as_ref() == Some(name)))
        {
            let fact = match name == "main" {
                true => "`main` cannot name an output".to_string(),
                false => format!("`{name}` is the name of an output already"),
            };
            diag.report_mild(name, fact, "give the output another name; the first may have none: it is the main one");
        } else if name.is_none() && !all.is_empty() {
            diag.report_mild(&ty, "an output without a name stands first", "give it a name: `name: Type`");
        } else {
            all.push(Gives { name, ty });
        }
        if !from.is_end() {
            from.punct(',', FORM)?;
        }
    }
    if all.is_empty() {
        return Err(from.expected("the type of an output", FORM));
    }
    Ok(all)
}

impl Return {
    pub(crate) fn parse(word: &Ident, from: &mut Cursor, diag: &mut Diagnostics) -> Return {
        let help = "write `return stream;`, or `return stream, other = stream;`";
        let mut streams = vec![];
        let list = split::arguments(from.rest());
        if list.is_empty() {
            diag.report_mild(word, "`return` returns nothing", help);
        }
        for one in list {
            let mut from = Cursor::new(one, word);
            let mut read = || {
                let mut ahead = from.clone();
                let mut name = None;
                if let (Ok(word), true) = (ahead.ident("", ""), ahead.is_punct('=')) {
                    ahead.next();
                    from = ahead;
                    name = Some(word);
                }
                let input = Input::parse(&mut from, help)?;
                if let Some(TokenTree::Punct(dot)) = from.peek()
                    && dot.as_char() == '.'
                {
                    let fact = format!("`{}` is to be the name of a stream, not a chain", input.stream);
                    let help = "give the chain a name with `let name = ..;` and write the name here";
                    return Err(Problem::new(&input.stream, fact, help));
                }
                from.end("`,`", help)?;
                Ok((name, input))
            };
            match read() {
                Ok(one) => streams.push(one),
                Err(problem) => diag.add_mild(problem),
            }
        }
        Return { word: word.clone(), streams }
    }
}

impl FlowCall {
    /// Reads the path and its arguments, if a chain starts with a path that is called.
    pub(crate) fn parse(from: &mut Cursor, diag: &mut Diagnostics) -> Option<Option<FlowCall>> {
        let mut ahead = from.clone();
        let mut path = TokenStream::new();
        let mut name = None;
        let list = loop {
            match ahead.peek()? {
                TokenTree::Ident(word) => name = Some(word.clone()),
                TokenTree::Punct(p) if p.as_char() == ':' => {}
                TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis && name.is_some() => {
                    break group.clone();
                }
                _ => return None,
            }
            path.extend(ahead.next());
        };
        let name = name?;
        ahead.next();
        *from = ahead;
        let mark = diag.mark();
        let help = "the arguments of a flow are streams, by their names, and values";
        let arguments = split::arguments(list.stream()).into_iter().filter_map(|tokens| {
            let mut inside = Cursor::new(tokens.clone(), &name);
            let stream = Input::parse(&mut inside, "").ok().filter(|_| inside.is_end());
            let value = Code::parse(tokens, &name, "an argument", help, diag)?;
            Some(Argument { stream, value })
        });
        let arguments: Vec<Argument> = arguments.collect();
        Some((!diag.spoiled_since(mark)).then_some(FlowCall { path, name, arguments, parentheses: list.span() }))
    }
}

impl ToTokens for FlowCall {
    fn to_tokens(&self, to: &mut TokenStream) {
        self.path.to_tokens(to);
    }
}
