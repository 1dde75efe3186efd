//! The block: jobs, `pub job Name<Memory> { statements }`, and flows, one or several. A statement that cannot be read is reported and
//! kept as its name and its tokens, so that the rest does not take its streams for unknown or unused.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use crate::catalog;
use crate::diag::{Diagnostics, Parsed, Problem, list, near, near_or};
use crate::syntax::attributes::{self, Attributes, docs};
use crate::syntax::checkpoint::Checkpoint;
use crate::syntax::cursor::Cursor;
use crate::syntax::flow::{self, Return, Signature};
use crate::syntax::generics::Generics;
use crate::syntax::lock::{Stored, was};
use crate::syntax::param::{Param, refuse_flag};
use crate::syntax::resource::Resource;
use crate::syntax::restart::Restart;
use crate::syntax::sink::{Drop, Sink};
use crate::syntax::source::Source;
use crate::syntax::split;
use crate::syntax::stream::Let;

/// A job, or a flow.
pub(crate) struct Job {
    /// What it takes and gives, if it is a flow.
    pub(crate) flow: Option<Signature>,
    /// Its type parameters.
    pub(crate) generics: Generics,
    /// Attributes with the doc comments, for the struct.
    pub(crate) attributes: TokenStream,
    /// Those of them that set lints, for the code of the job too.
    pub(crate) lints: TokenStream,
    /// The doc comment as text.
    pub(crate) about: String,
    pub(crate) visibility: TokenStream,
    pub(crate) name: Ident,
    pub(crate) backend: Ident,
    /// What it says about stored state.
    pub(crate) stored: Stored,
    pub(crate) statements: Vec<Statement>,
}

/// A statement, whole or not.
pub(crate) struct Statement {
    /// `param`, `source`, `let`, ..; `None` if it starts with nothing of the kind.
    pub(crate) word: Option<Ident>,
    pub(crate) name: Option<Ident>,
    /// The declared type of a `source` or a `let`, which a broken one leaves behind too.
    pub(crate) declared: Option<TokenStream>,
    /// All of it, to see which streams a broken one would have used.
    pub(crate) tokens: TokenStream,
    /// `None` if it is broken.
    pub(crate) what: Option<What>,
}

#[derive(Clone)]
pub(crate) enum What {
    Param(Param),
    Resource(Resource),
    Source(Box<Source>),
    Let(Let),
    Sink(Sink),
    Drop(Drop),
    Checkpoint(Checkpoint),
    Restart(Restart),
    Return(Return),
}

const FORM: &str = "write `pub job Name<Memory> { .. }`, or `pub flow name(rows: Stream<Type>) -> Type { .. }`";

/// Words behind which stands a name that is given to something.
const NAMING: &[&str] = &["param", "resource", "source", "let", "sink"];

/// Reads the block: what the facade handed over of the runtime's path, and the jobs.
pub(crate) fn parse(block: TokenStream, diag: &mut Diagnostics) -> (TokenStream, Vec<Job>) {
    let mut from = Cursor::new(block, TokenStream::new());
    let root = from.group(Delimiter::Parenthesis).map(|group| group.stream()).unwrap_or_default();
    let mut jobs = vec![];
    if from.is_end() {
        diag.report(nothing_at(Span::call_site()), "this block is empty", FORM);
    }
    while !from.is_end() {
        match job(&mut from, diag) {
            Ok(job) => jobs.push(job),
            Err(problem) => {
                diag.add(problem);
                break;
            }
        }
    }
    (root, jobs)
}

/// A place without tokens, for what is not there at all.
fn nothing_at(span: Span) -> TokenStream {
    let mut group = Group::new(Delimiter::None, TokenStream::new());
    group.set_span(span);
    TokenTree::Group(group).into()
}

fn job(from: &mut Cursor, diag: &mut Diagnostics) -> Parsed<Job> {
    let mut attributes = Attributes::parse(from);
    let visibility = visibility(from);
    let word = from.ident("`job` or `flow`", FORM)?;
    if word == "flow" {
        return flow(attributes, visibility, from, diag);
    }
    if word != "job" {
        let text = word.to_string();
        return Err(match catalog::LATER_STATEMENTS.contains(&&*text) {
            true => Problem::new(&word, format!("`{word}` is not built yet"), FORM),
            false => {
                Problem::new(&word, format!("expected `job`, found `{word}`"), near_or(&text, ["job", "flow"], FORM))
            }
        });
    }
    let name = from.name("job", FORM)?;
    let (backend, generics) = backend(from, &name, diag);
    let Some(body) = from.group(Delimiter::Brace) else {
        return Err(from.expected("`{`", FORM));
    };
    let statements = split::statements(body.stream(), diag);
    let statements = statements.into_iter().map(|tokens| statement(tokens, catalog::STATEMENTS, diag)).collect();
    let stored = Stored::parse(&mut attributes, diag);
    let (attributes, lints, about) = whole(attributes, "job", diag);
    Ok(Job { flow: None, generics, attributes, lints, about, visibility, name, backend, stored, statements })
}

/// Behind the word `flow`.
fn flow(mut attributes: Attributes, visibility: TokenStream, from: &mut Cursor, diag: &mut Diagnostics) -> Parsed<Job> {
    let name = from.name("flow", flow::FORM)?;
    let generics = if from.is_punct('<') { Generics::parse(angles(from).1, false, diag) } else { Generics::default() };
    let (signature, body) = Signature::parse(&name, from, diag)?;
    let statements = split::statements(body.stream(), diag);
    let statements = statements.into_iter().map(|tokens| statement(tokens, catalog::FLOW_STATEMENTS, diag)).collect();
    let stored = Stored::parse(&mut attributes, diag);
    if let Some(path) = &stored.path {
        diag.report_mild(
            path,
            "a flow takes no `lock`",
            "remove it: the states of a flow are in the locks of the jobs that use it",
        );
    }
    for dropped in stored.dropped.iter().filter(|dropped| dropped.state.is_none()) {
        let fact = format!("a flow gives up states of a `process`, and `{}` is all of an operator", dropped.text());
        diag.report_mild(
            &dropped.operator,
            fact,
            "write `#[dropped(operator.state)]` here, and `#[dropped(name/operator)]` on the job",
        );
    }
    let (attributes, lints, about) = whole(attributes, "flow", diag);
    let (flow, backend) = (Some(signature), Ident::new("Memory", name.span()));
    Ok(Job { flow, generics, attributes, lints, about, visibility, name, backend, stored, statements })
}

/// The attributes of a job or a flow: as they are emitted, those of them that set lints, and the doc comment as text.
fn whole(mut attributes: Attributes, what: &str, diag: &mut Diagnostics) -> (TokenStream, TokenStream, String) {
    let (doc_tokens, about) = docs(&attributes.docs);
    let mut lints = TokenStream::new();
    for attribute in &attributes.others {
        match attributes::name(attribute).as_deref() {
            Some("cfg" | "cfg_attr") => {
                let help = format!("write it in front of `stream!`: a {what} is more than one item");
                diag.report_mild(attribute, format!("a {what} takes no `cfg`"), help);
            }
            Some("allow" | "warn" | "deny") => lints.extend(attribute.clone()),
            _ => {}
        }
    }
    attributes.others.retain(|attribute| !attributes::name(attribute).is_some_and(|name| name.starts_with("cfg")));
    (doc_tokens.into_iter().chain(attributes.others.into_iter().flatten()).collect(), lints, about)
}

fn visibility(from: &mut Cursor) -> TokenStream {
    let mut tokens = TokenStream::new();
    if let Some(TokenTree::Ident(word)) = from.peek()
        && word == "pub"
    {
        tokens.extend(from.next());
        if let Some(group) = from.group(Delimiter::Parenthesis) {
            tokens.extend([TokenTree::Group(group)]);
        }
    }
    tokens
}

/// What is between the angles, and the first of them.
fn angles(from: &mut Cursor) -> (Option<TokenTree>, TokenStream) {
    let open = from.next();
    let (mut inside, mut depth, mut arrow) = (TokenStream::new(), 0usize, false);
    while let Some(token) = from.peek() {
        if matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace) {
            break;
        }
        let (opens, closes, dash) =
            (split::is_punct(token, '<'), split::is_punct(token, '>') && !arrow, split::is_punct(token, '-'));
        let token = from.next();
        if closes && depth == 0 {
            break;
        }
        depth = depth + usize::from(opens) - usize::from(closes);
        arrow = dash;
        inside.extend(token);
    }
    (open, inside)
}

/// `<Memory, T: Record>`. Whatever is wrong with the backend, the job goes on with `Memory`.
fn backend(from: &mut Cursor, job: &Ident, diag: &mut Diagnostics) -> (Ident, Generics) {
    let memory = Ident::new("Memory", job.span());
    let backends = || format!("the state backends are {}", list(catalog::BACKENDS, "and"));
    if !from.is_punct('<') {
        diag.report_mild(job, format!("`{job}` names no state backend"), format!("write `job {job}<Memory>`"));
        return (memory, Generics::default());
    }
    let (open, inside) = angles(from);
    let mut first = Cursor::new(inside, open);
    let Some(backend) = first.ident("a state backend", &backends()).map_err(|problem| diag.add_mild(problem)).ok()
    else {
        return (memory, Generics::default());
    };
    let mut generics = Generics::default();
    if first.is_punct(',') {
        first.next();
        generics = Generics::parse(first.rest(), true, diag);
    } else if !first.is_end() {
        let help = format!("write `job {job}<{backend}>`, or `job {job}<{backend}, T: Record>`");
        diag.add_mild(first.expected("`,` or `>`", &help));
    }
    let text = backend.to_string();
    if catalog::BACKENDS.contains(&&*text) {
        return (backend, generics);
    }
    let near = near_or(&text, catalog::BACKENDS.iter().copied(), backends());
    diag.report_mild(&backend, format!("there is no state backend `{backend}`"), near);
    (memory, generics)
}

fn statement(tokens: TokenStream, words: &'static [&'static str], diag: &mut Diagnostics) -> Statement {
    let mut from = Cursor::new(tokens.clone(), TokenStream::new());
    let mut broken = Statement { word: None, name: None, declared: None, tokens, what: None };
    let mut attributes = Attributes::parse(&mut from);
    let all = format!("a statement starts with {}", list(words, "or"));
    let Some(word) = diag.take(from.ident("a statement", &all)) else { return broken };
    let text = word.to_string();
    if !words.contains(&&*text) {
        if catalog::STATEMENTS.contains(&&*text) {
            let help = match &*text {
                "param" => "a flow takes values as parameters: `flow name(rows: Stream<T>, least: u32)`",
                "source" => "a flow takes its rows as parameters: `flow name(rows: Stream<T>)`",
                "sink" => "a flow gives its rows to who uses it: `return name;`",
                _ => "write it in the job that uses the flow",
            };
            diag.report(&word, format!("a flow has no `{word}`"), help);
        } else if text == "return" {
            diag.report(&word, "only a flow returns rows", "write `sink name(stream) = ..;`");
            broken.word = Some(word);
            return broken;
        } else if catalog::LATER_STATEMENTS.contains(&&*text) {
            diag.report(&word, format!("`{word}` is not built yet"), all);
        } else {
            let help = near_or(&text, words.iter().copied(), all);
            diag.report(&word, format!("`{word}` starts no statement"), help);
            broken.word = near(&text, words.iter().copied()).first().map(|meant| Ident::new(meant, word.span()));
        }
        // what it was meant to name is known by its place: `lett d = ..`, `sorce d: T = ..`, `view d = ..`
        let names = match &broken.word {
            Some(word) => NAMING.iter().any(|naming| word == naming),
            None => true,
        };
        let name = from.ident("", "").ok().filter(|_| names);
        let declares = from.is_punct('=') || from.is_punct(':') || matches!(from.peek(), Some(TokenTree::Group(_)));
        broken.name = name.filter(|_| broken.word.is_some() || declares);
        return broken;
    }
    broken.word = Some(word.clone());
    let mark = diag.mark();
    let name = match &*text {
        "param" => Param::name(&mut from),
        "resource" => Resource::name(&mut from),
        "source" => Source::name(&mut from),
        "let" => Let::name(&mut from),
        "sink" => Sink::name(&mut from),
        _ => {
            attributes.refuse(&format!("`{word}`"), &[], diag);
            let what = match &*text {
                "checkpoint" => What::Checkpoint(Checkpoint::parse(&word, &mut from, diag)),
                "restart" => What::Restart(Restart::parse(&word, &mut from, diag)),
                "return" => What::Return(Return::parse(&word, &mut from, diag)),
                _ => What::Drop(Drop::parse(&word, &mut from, diag)),
            };
            return Statement { what: Some(what), ..broken };
        }
    };
    let Some(name) = diag.take(name) else { return broken };
    broken.name = Some(name.clone());
    let what = if text == "param" {
        // a param that hides a flag is still a field
        if let Err(problem) = refuse_flag(&name, catalog::FLAGS) {
            diag.add_mild(problem);
        }
        Param::parse(name, attributes, &mut from, diag).map(What::Param)
    } else {
        let was = if text == "let" { was(&mut attributes, diag) } else { vec![] };
        let known: &[&str] = if text == "let" { &["was"] } else { &[] };
        attributes.refuse(&format!("a `{word}`"), known, diag);
        match &*text {
            "resource" => Resource::parse(name, &mut from, diag).map(What::Resource),
            "source" => {
                broken.declared = Source::declared(&name, &mut from, diag);
                let ty = broken.declared.clone();
                ty.and_then(|ty| Source::parse(name, ty, &mut from, diag)).map(|source| What::Source(Box::new(source)))
            }
            "let" => {
                broken.declared = Let::declared(&name, &mut from, diag);
                Let::parse(name, &mut from, diag).map(|it| What::Let(Let { was, ..it }))
            }
            _ => Sink::parse(name, &mut from, diag).map(What::Sink),
        }
    };
    // what was read of a statement with a mistake is not what its author meant
    Statement { what: what.filter(|_| !diag.spoiled_since(mark)), ..broken }
}
