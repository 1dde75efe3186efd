//! `.process { in_order; state ..; timer ..; output ..; on event(r, cx) { .. } }`: items one by one, so that a mistake in one
//! hides no other. The types and the bodies of handlers are the user's own Rust and stay as they are.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use crate::catalog;
use crate::diag::{Diagnostics, list, near_or};
use crate::syntax::aggregate::Aggregate;
use crate::syntax::attributes::Attributes;
use crate::syntax::code::{Code, asks, mentions};
use crate::syntax::cursor::Cursor;
use crate::syntax::life::Life;
use crate::syntax::lock::was;
use crate::syntax::operator::AS;
use crate::syntax::options::Known;
use crate::syntax::split::{self, is_punct};

#[derive(Clone, Default)]
pub(crate) struct Process {
    pub(crate) in_order: Option<Ident>,
    pub(crate) states: Vec<State>,
    pub(crate) timers: Vec<Timer>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) handlers: Vec<Handler>,
    /// `as name;`
    pub(crate) label: Option<Ident>,
}

/// `state last: Value<Payment>, ttl 24h;`
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) name: Ident,
    /// `#[was(old)]`
    pub(crate) was: Vec<Ident>,
    pub(crate) kind: Kind,
    pub(crate) life: Life,
}

#[derive(Clone)]
pub(crate) enum Kind {
    Value(TokenStream),
    List(TokenStream),
    Map(TokenStream, TokenStream),
    Reducing(TokenStream, Code),
    Aggregating(TokenStream, Aggregate),
}

/// `timer quiet: event_time;`
#[derive(Clone)]
pub(crate) struct Timer {
    pub(crate) name: Ident,
    /// `#[was(old)]`
    pub(crate) was: Vec<Ident>,
    pub(crate) by: Ident,
}

/// `output odd: Payment;`
#[derive(Clone)]
pub(crate) struct Output {
    pub(crate) name: Ident,
    pub(crate) ty: TokenStream,
}

/// `on event(r, cx) { .. }`
#[derive(Clone)]
pub(crate) struct Handler {
    pub(crate) what: On,
    /// `event`, `timer` or `end`.
    pub(crate) word: Ident,
    /// What comes in front of `cx`: the row, or the timer's time.
    pub(crate) argument: TokenStream,
    pub(crate) cx: Ident,
    pub(crate) body: Code,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum On {
    Event,
    Timer(Ident),
    End,
}

const STATE: &str = "write `state name: Value<T>, ttl 24h;`";
const TIMER: &str = "write `timer name: event_time;` or `timer name: processing_time;`";
const OUTPUT: &str = "write `output name: Type;`";

impl Process {
    pub(crate) fn parse(name: &Ident, body: &Group, diag: &mut Diagnostics) -> Option<Process> {
        let mark = diag.mark();
        let mut process = Process::default();
        for tokens in items(body.stream(), diag) {
            process.item(tokens, name, diag);
        }
        (!diag.spoiled_since(mark)).then_some(process)
    }

    fn item(&mut self, tokens: TokenStream, before: &Ident, diag: &mut Diagnostics) {
        let mut from = Cursor::new(tokens, before);
        let all = format!("an item of a `process` starts with {}", list(catalog::PROCESS_ITEMS, "or"));
        let mut attributes = Attributes::parse(&mut from);
        let Some(word) = diag.take(from.ident("an item", &all)) else { return };
        let was = if word == "state" || word == "timer" { was(&mut attributes, diag) } else { vec![] };
        let known: &[&str] = if word == "state" || word == "timer" { &["was"] } else { &[] };
        attributes.refuse(&format!("`{word}`"), known, diag);
        match word.to_string().as_str() {
            "in_order" => {
                if diag.take(from.end("`;`", "write `in_order;`")).is_none() {
                    return;
                }
                if self.in_order.is_some() {
                    diag.report(&word, "`in_order` is said twice", "say it once");
                }
                self.in_order = Some(word);
            }
            "as" => {
                let Some(name) = diag.take(from.name("stream", AS)) else { return };
                if diag.take(from.end("`;`", AS)).is_none() {
                    return;
                }
                if self.label.is_some() {
                    diag.report(&word, "`as` is said twice", "say it once");
                }
                self.label = Some(name);
            }
            "state" => {
                let Some(name) = diag.take(from.name("state", STATE)) else { return };
                self.states.extend(State::parse(name, &mut from, diag).map(|state| State { was, ..state }));
            }
            "timer" => {
                let Some(name) = diag.take(from.name("timer", TIMER)) else { return };
                self.timers.extend(timer(name, &mut from, diag).map(|timer| Timer { was, ..timer }));
            }
            "output" => {
                let Some(name) = diag.take(from.name("output", OUTPUT)) else { return };
                self.outputs.extend(output(name, &mut from, diag));
            }
            "on" => self.handlers.extend(Handler::parse(&word, &mut from, diag)),
            later if catalog::LATER_PROCESS_ITEMS.contains(&later) => {
                diag.report(&word, format!("`{word}` is not built yet"), all);
            }
            other => {
                let near = near_or(other, catalog::PROCESS_ITEMS.iter().copied(), all);
                diag.report(&word, format!("`{word}` starts no item of a `process`"), near);
            }
        }
    }

    /// As the plan shows it: `process in_order; state last ttl 24h; timer quiet; output odd`.
    pub(crate) fn text(&self) -> String {
        let mut text = "process".to_string();
        if self.in_order.is_some() {
            text += " in_order";
        }
        let mut parts = vec![];
        let states: Vec<String> =
            self.states.iter().map(|state| format!("{} ({})", state.name, state.life.text())).collect();
        let timers: Vec<String> = self.timers.iter().map(|timer| timer.name.to_string()).collect();
        let outputs: Vec<String> = self.outputs.iter().map(|output| output.name.to_string()).collect();
        for (word, names) in [("state", states), ("timer", timers), ("output", outputs)] {
            if !names.is_empty() {
                parts.push(format!("{word} {}", names.join(", ")));
            }
        }
        if parts.is_empty() { text } else { format!("{text}: {}", parts.join("; ")) }
    }

    /// Whether a handler gives a row to the main output.
    pub(crate) fn emits(&self) -> bool {
        self.handlers.iter().any(Handler::emits)
    }

    /// Whether a handler mentions a name.
    pub(crate) fn mentions(&self, name: &Ident) -> bool {
        let name = name.to_string();
        self.handlers.iter().any(|handler| handler.body.mentions(name.trim_start_matches("r#")))
    }
}

/// Items end at `;`, and handlers behind their braces. A forgotten `;` is seen where a new item plainly starts.
fn items(body: TokenStream, diag: &mut Diagnostics) -> Vec<TokenStream> {
    let mut all: Vec<TokenStream> = vec![];
    let mut now: Vec<TokenTree> = vec![];
    let mut tokens = body.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if is_punct(&token, ';') {
            all.push(std::mem::take(&mut now).into_iter().collect());
            continue;
        }
        let name_next = matches!(tokens.peek(), Some(TokenTree::Ident(_)));
        if let (TokenTree::Ident(word), Some(before), true) = (&token, now.last(), name_next)
            && ["state", "timer", "output", "on"].iter().any(|item| word == item)
            && !is_on(&now)
            && !is_attribute(&now)
            && !matches!(before, TokenTree::Punct(p) if p.as_char() != '>')
        {
            let fact = format!("expected `;` in front of `{word}`");
            diag.report_mild(word, fact, "end the item before it with `;`");
            all.push(std::mem::take(&mut now).into_iter().collect());
        }
        let braces = matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        now.push(token);
        if braces && (is_on(&now) || is_nearly_on(&now)) {
            all.push(std::mem::take(&mut now).into_iter().collect());
        }
    }
    if let Some(last) = now.last() {
        if !is_on(&now) {
            diag.report_mild(last, "expected `;` behind this", "every item but a handler ends with `;`");
        }
        all.push(now.into_iter().collect());
    }
    all.retain(|item| !item.is_empty());
    all
}

/// Whether the tokens are those of a handler.
fn is_on(mut tokens: &[TokenTree]) -> bool {
    while let (true, [_, _, rest @ ..]) = (tokens.get(..2).is_some_and(is_attribute), tokens) {
        tokens = rest;
    }
    matches!(tokens.first(), Some(TokenTree::Ident(word)) if word == "on")
}

/// Whether they are those of a handler under a word that is none: `no event(r, cx) { .. }`.
fn is_nearly_on(tokens: &[TokenTree]) -> bool {
    let [TokenTree::Ident(word), TokenTree::Ident(what), ..] = tokens else { return false };
    catalog::HANDLERS.iter().any(|handler| what == handler) && !catalog::PROCESS_ITEMS.iter().any(|item| word == item)
}

/// Whether the tokens end with `#[..]`.
fn is_attribute(tokens: &[TokenTree]) -> bool {
    let [.., TokenTree::Punct(hash), TokenTree::Group(group)] = tokens else { return false };
    hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket
}

impl State {
    fn parse(name: Ident, from: &mut Cursor, diag: &mut Diagnostics) -> Option<State> {
        let mark = diag.mark();
        let kinds = || format!("the kinds of states are {}", list(catalog::STATES.iter().map(|(_, form)| form), "and"));
        diag.take(from.punct(':', STATE))?;
        let word = diag.take(from.ident("a kind of state", &kinds()))?;
        let text = word.to_string();
        let Some((_, form)) = catalog::STATES.iter().find(|(kind, _)| *kind == text) else {
            let help = near_or(&text, catalog::STATES.iter().map(|(kind, _)| *kind), kinds());
            diag.report(&word, format!("there is no kind of state `{word}`"), help);
            return None;
        };
        let help = format!("write `state {name}: {form}, ttl 24h;`");
        let types = types(&word, from, &help, diag)?;
        let wanted = if text == "Map" { 2 } else { 1 };
        if types.len() != wanted {
            let many = if wanted == 1 { "one type" } else { "two types" };
            diag.report(&word, format!("`{word}` takes {many}"), help);
            return None;
        }
        let equals = from.is_punct('=');
        if equals {
            from.next();
        } else if !from.is_end() {
            diag.take(from.punct(',', &help))?;
        }
        let mut given = split::arguments(from.rest()).into_iter();
        let mut types = types.into_iter();
        let mut ty = || types.next().unwrap_or_default();
        let kind = match text.as_str() {
            "Reducing" | "Aggregating" if !equals => {
                diag.report(&word, format!("`{word}` does not say how"), help);
                return None;
            }
            "Value" | "List" | "Map" if equals => {
                let how = given.next().unwrap_or_default();
                let at = if how.is_empty() { quote::quote!(#word) } else { how };
                diag.report(at, format!("a `{word}` begins empty and takes no value here"), help);
                return None;
            }
            "Value" => Kind::Value(ty()),
            "List" => Kind::List(ty()),
            "Map" => Kind::Map(ty(), ty()),
            "Reducing" => Kind::Reducing(ty(), Code::function(given.next().unwrap_or_default(), &word, &help, diag)?),
            _ => Kind::Aggregating(ty(), Aggregate::parse(given.next().unwrap_or_default(), &word, diag)?),
        };
        let known = Known { of: "a state", words: &["ttl", "unbounded"], later: &[] };
        let mut life = Life::default();
        for (word, value) in known.read(given, &name, diag) {
            life.read(word, value, diag);
        }
        (!diag.spoiled_since(mark)).then_some(State { name, was: vec![], kind, life })
    }
}

/// The types in `<..>`.
fn types(word: &Ident, from: &mut Cursor, help: &str, diag: &mut Diagnostics) -> Option<Vec<TokenStream>> {
    if !from.is_punct('<') {
        diag.report(word, format!("`{word}` does not say what it keeps"), help);
        return None;
    }
    from.next();
    let (mut all, mut now, mut depth, mut arrow) = (vec![], TokenStream::new(), 0usize, false);
    loop {
        let Some(token) = from.next() else {
            diag.report(from.here(), "expected `>` behind this", help);
            return None;
        };
        let TokenTree::Punct(p) = &token else {
            now.extend([token]);
            continue;
        };
        match p.as_char() {
            '>' if depth == 0 && !arrow => break,
            ',' if depth == 0 => {
                all.push(std::mem::take(&mut now));
                continue;
            }
            '<' => depth += 1,
            '>' if !arrow => depth -= 1,
            '&' | '\'' => {
                diag.report(&token, "a state cannot borrow", "own what is kept: `String`, not `&str`");
                return None;
            }
            _ => {}
        }
        arrow = p.as_char() == '-';
        now.extend([token]);
    }
    if !now.is_empty() {
        all.push(now);
    }
    for ty in &all {
        if let Err(error) = syn::parse2::<syn::Type>(ty.clone()) {
            let at = if ty.is_empty() { quote::quote!(#word) } else { ty.clone() };
            diag.report(at, format!("the type of a state cannot be read: {error}"), help);
            return None;
        }
    }
    Some(all)
}

fn timer(name: Ident, from: &mut Cursor, diag: &mut Diagnostics) -> Option<Timer> {
    diag.take(from.punct(':', TIMER))?;
    let by = diag.take(from.ident("`event_time` or `processing_time`", TIMER))?;
    let text = by.to_string();
    if !catalog::TIMERS.contains(&&*text) {
        let fact = format!("a timer goes by `event_time` or `processing_time`, not by `{by}`");
        diag.report(&by, fact, near_or(&text, catalog::TIMERS.iter().copied(), TIMER));
        return None;
    }
    diag.take(from.end("`;`", TIMER))?;
    Some(Timer { name, was: vec![], by })
}

fn output(name: Ident, from: &mut Cursor, diag: &mut Diagnostics) -> Option<Output> {
    diag.take(from.punct(':', OUTPUT))?;
    let ty = diag.take(from.ty(&format!("the rows of `{name}`"), OUTPUT))?;
    diag.take(from.end("`;`", OUTPUT))?;
    Some(Output { name, ty })
}

impl Handler {
    fn parse(on: &Ident, from: &mut Cursor, diag: &mut Diagnostics) -> Option<Handler> {
        let forms = "the handlers are `on event(r, cx) { .. }`, `on timer name(at, cx) { .. }` and `on end(cx) { .. }`";
        let word = diag.take(from.ident("`event`, `timer` or `end`", forms))?;
        let text = word.to_string();
        let (what, form) = match text.as_str() {
            "event" => (On::Event, "on event(r, cx) { .. }".to_string()),
            "end" => (On::End, "on end(cx) { .. }".to_string()),
            "timer" => {
                let form = "write `on timer name(at, cx) { .. }`, with the name of a timer";
                let name = diag.take(from.ident("the name of a timer", form))?;
                (On::Timer(name.clone()), format!("on timer {name}(at, cx) {{ .. }}"))
            }
            other => {
                let near = near_or(other, catalog::HANDLERS.iter().copied(), forms);
                diag.report(&word, format!("there is no handler `on {word}`"), near);
                return None;
            }
        };
        let help = format!("write `{form}`");
        let Some(arguments) = from.group(Delimiter::Parenthesis) else {
            diag.add(from.expected("`(`", &help));
            return None;
        };
        let mut given = split::arguments(arguments.stream());
        let wanted = if what == On::End { 1 } else { 2 };
        if given.len() != wanted {
            let takes = if wanted == 1 { "one argument, `cx`" } else { "two arguments" };
            diag.report(&word, format!("`on {word}` takes {takes}"), help);
            return None;
        }
        let cx = given.pop().unwrap_or_default();
        let Ok(cx) = syn::parse2::<Ident>(cx.clone()) else {
            diag.report(cx, "the context of a handler is a name", help);
            return None;
        };
        let argument = given.pop().unwrap_or_default();
        if wanted == 2
            && let Err(error) = syn::parse::Parser::parse2(syn::Pat::parse_single, argument.clone())
        {
            diag.report(&argument, format!("this is no pattern: {error}"), help);
            return None;
        }
        let Some(body) = from.group(Delimiter::Brace) else {
            diag.add(from.expected("`{`", &help));
            return None;
        };
        let body = Code::parse(TokenTree::Group(body).into(), on, "the body of a handler", &help, diag)?;
        diag.take(from.end("an item", "a handler ends with its braces"))?;
        Some(Handler { what, word, argument, cx, body })
    }

    /// Whether a `?` occurs in it: then it may end with an error.
    pub(crate) fn may_fail(&self) -> bool {
        asks(self.body.tokens.clone())
    }

    /// Whether it gives a row to the main output, or hands its context to somebody who may.
    fn emits(&self) -> bool {
        const OTHERS: &[&str] = &["set", "cancel", "due", "key", "time", "watermark", "now"];
        fn any(tokens: TokenStream, cx: &Ident) -> bool {
            let mut tokens = tokens.into_iter().peekable();
            while let Some(token) = tokens.next() {
                match token {
                    TokenTree::Group(group) if any(group.stream(), cx) => return true,
                    TokenTree::Ident(word) if word == *cx => {
                        if tokens.next_if(|next| is_punct(next, '.')).is_none() {
                            return true;
                        }
                        match tokens.peek() {
                            Some(TokenTree::Ident(method)) if OTHERS.iter().any(|other| method == other) => {}
                            _ => return true,
                        }
                    }
                    _ => {}
                }
            }
            false
        }
        mentions(self.body.tokens.clone(), &self.cx.to_string()) && any(self.body.tokens.clone(), &self.cx)
    }

    /// The names that its first argument gives to something.
    pub(crate) fn names(&self) -> Vec<Ident> {
        let mut names = vec![self.cx.clone()];
        if let Ok(pattern) = syn::parse::Parser::parse2(syn::Pat::parse_single, self.argument.clone()) {
            bound(&pattern, &mut names);
        }
        names
    }
}

/// The names that a pattern gives.
pub(crate) fn bound(pattern: &syn::Pat, to: &mut Vec<Ident>) {
    use syn::Pat;
    match pattern {
        Pat::Ident(pat) => {
            to.push(pat.ident.clone());
            pat.subpat.iter().for_each(|(_, inner)| bound(inner, to));
        }
        Pat::Tuple(pat) => pat.elems.iter().for_each(|inner| bound(inner, to)),
        Pat::TupleStruct(pat) => pat.elems.iter().for_each(|inner| bound(inner, to)),
        Pat::Struct(pat) => pat.fields.iter().for_each(|field| bound(&field.pat, to)),
        Pat::Reference(pat) => bound(&pat.pat, to),
        Pat::Paren(pat) => bound(&pat.pat, to),
        Pat::Type(pat) => bound(&pat.pat, to),
        Pat::Slice(pat) => pat.elems.iter().for_each(|inner| bound(inner, to)),
        _ => {}
    }
}
