//! `.operator(what it needs, options)`: the closures untouched, the options read.

use proc_macro2::{Group, Ident, TokenStream};

use crate::catalog;
use crate::diag::{Diagnostics, list, near_or};
use crate::syntax::aggregate::Aggregate;
use crate::syntax::arms::Split;
use crate::syntax::code::Code;
use crate::syntax::exchange::Exchange;
use crate::syntax::life::Life;
use crate::syntax::options::Known;
use crate::syntax::process::Process;
use crate::syntax::split;
use crate::syntax::units::Length;
use crate::syntax::window::Window;

/// An operator of a chain.
#[derive(Clone)]
pub(crate) struct Op {
    pub(crate) name: Ident,
    pub(crate) call: Call,
    /// `as name`: what its rows are called, where a chain goes on to another operator with state.
    pub(crate) label: Option<Ident>,
}

#[derive(Clone)]
pub(crate) enum Call {
    Map(Code),
    Filter(Code),
    FilterMap(Code),
    FlatMap(Code),
    Inspect(Code),
    KeyBy(Code),
    Reduce { with: Code, emit: Emit, life: Life },
    Fold { start: Code, with: Code, emit: Emit, life: Life },
    Aggregate { how: Aggregate, emit: Option<(Ident, Emit)>, life: Life },
    Window(Window),
    Process(Box<Process>),
    Split(Split),
    Exchange(Exchange),
}

/// When an operator without window speaks.
#[derive(Clone, Debug)]
pub(crate) enum Emit {
    Each,
    Every(Length),
    AtEnd,
}

impl Emit {
    pub(crate) fn text(&self) -> String {
        match self {
            Emit::Each => "emit each".to_string(),
            Emit::Every(length) => format!("emit every {}", length.text()),
            Emit::AtEnd => "emit at_end".to_string(),
        }
    }
}

impl Op {
    pub(crate) fn parse(name: Ident, arguments: &Group, diag: &mut Diagnostics) -> Option<Op> {
        let text = name.to_string();
        let Some(row) = catalog::operator(&text) else {
            unknown(&name, diag);
            return None;
        };
        let mut given = split::arguments(arguments.stream()).into_iter();
        let help = format!("write `{}`", row.form);
        let function = |given: &mut std::vec::IntoIter<TokenStream>, diag: &mut Diagnostics| {
            Code::function(given.next().unwrap_or_default(), &name, &help, diag)
        };
        let mut label = None;
        let call = match &*text {
            "map" => function(&mut given, diag).map(Call::Map),
            "filter" => function(&mut given, diag).map(Call::Filter),
            "filter_map" => function(&mut given, diag).map(Call::FilterMap),
            "flat_map" => function(&mut given, diag).map(Call::FlatMap),
            "inspect" => function(&mut given, diag).map(Call::Inspect),
            "key_by" => function(&mut given, diag).map(Call::KeyBy),
            "rebalance" | "shuffle" | "broadcast" | "global" | "partition_by" => {
                Exchange::parse(&name, &mut given, diag).map(Call::Exchange)
            }
            "reduce" => {
                let with = function(&mut given, diag);
                let (emit, life) = options(&name, &mut given, &mut label, diag);
                let emit = emit.map_or(Emit::Each, |(_, emit)| emit);
                with.map(|with| Call::Reduce { with, emit, life })
            }
            "fold" => {
                let start = Code::parse(given.next().unwrap_or_default(), &name, "the start of a fold", &help, diag);
                // without a start there is nothing to say about the closure
                let with = start.is_some().then(|| function(&mut given, diag)).flatten();
                start.zip(with).map(|(start, with)| {
                    let (emit, life) = options(&name, &mut given, &mut label, diag);
                    let emit = emit.map_or(Emit::Each, |(_, emit)| emit);
                    Call::Fold { start, with, emit, life }
                })
            }
            "aggregate" => {
                let how = Aggregate::parse(given.next().unwrap_or_default(), &name, diag);
                let (emit, life) = options(&name, &mut given, &mut label, diag);
                how.map(|how| Call::Aggregate { how, emit, life })
            }
            "process" | "split" => {
                diag.report(&name, format!("`{name}` has a body in braces"), help);
                return None;
            }
            _ => Window::parse(&name, &mut given, diag).map(Call::Window),
        };
        if matches!(row.role, catalog::Role::Stateless | catalog::Role::Keys)
            && call.is_some()
            && let Some(more) = given.next()
        {
            diag.report(more, format!("`{name}` takes one closure"), help);
            return None;
        }
        call.map(|call| Op { name, call, label })
    }

    /// `.process { .. }`, `.split { .. }`.
    pub(crate) fn with_body(name: Ident, body: &Group, diag: &mut Diagnostics) -> Option<Op> {
        let mut label = None;
        let call = match &*name.to_string() {
            "process" => {
                let process = Process::parse(&name, body, diag)?;
                label = process.label.clone();
                Call::Process(Box::new(process))
            }
            "split" => Call::Split(Split::parse(&name, body, diag)?),
            _ => {
                Op::without_arguments(&name, true, diag);
                return None;
            }
        };
        Some(Op { name, call, label })
    }

    /// Reports `.name` or `.name { .. }`.
    pub(crate) fn without_arguments(name: &Ident, braces: bool, diag: &mut Diagnostics) {
        match catalog::operator(&name.to_string()) {
            Some(row) if braces => {
                diag.report(name, format!("`{name}` has no body in braces"), format!("write `{}`", row.form))
            }
            Some(row) => diag.report(name, format!("`{name}` lacks its arguments"), format!("write `{}`", row.form)),
            None => unknown(name, diag),
        }
    }
}

fn unknown(name: &Ident, diag: &mut Diagnostics) {
    let text = name.to_string();
    let all = || format!("the operators are {}", list(catalog::OPERATORS.iter().map(|row| row.name), "and"));
    let word = catalog::word(&text).map(|word| format!("write `.key_by(|r| ..).aggregate({}, ttl 24h)`", word.form));
    if catalog::LATER.contains(&&*text) {
        let help = word.unwrap_or_else(all);
        return diag.report(name, format!("the operator `{name}` is not built yet"), help);
    }
    let fact = format!("there is no operator `{name}`");
    let elsewhere = catalog::ELSEWHERE.iter().find(|(word, _)| *word == text).map(|(_, instead)| instead.to_string());
    let near = || near_or(&text, catalog::OPERATORS.iter().map(|row| row.name), all());
    diag.report(name, fact, elsewhere.or(word).unwrap_or_else(near));
}

/// How `as` is written, for hints.
pub(crate) const AS: &str = "write the name that its rows and its state have: `as name`";

/// `emit each | every 1s | at_end`, `ttl 1d`, `unbounded("why")` and `as name`.
fn options(
    name: &Ident,
    given: &mut std::vec::IntoIter<TokenStream>,
    label: &mut Option<Ident>,
    diag: &mut Diagnostics,
) -> (Option<(Ident, Emit)>, Life) {
    let of = format!("`{name}`");
    let known = Known { of: &of, words: catalog::STATE_OPTIONS, later: catalog::LATER_STATE_OPTIONS };
    let given: Vec<TokenStream> = given.collect();
    if name == "aggregate"
        && let Some(second) = given.iter().find(|argument| is_aggregate(argument))
    {
        diag.report(
            second,
            "`aggregate` takes one argument",
            "put several aggregates into a tuple: `aggregate((count(), sum(|r| r.x)))`",
        );
        return Default::default();
    }
    let help = "write `emit each` (a result per row), `emit every 1s` or `emit at_end`";
    let (mut found, mut life) = (None, Life::default());
    for (word, mut value) in known.read(given, name, diag) {
        if word == "as" {
            if let Some(name) = diag.take(value.name("stream", AS))
                && diag.take(value.end("`,` or `)`", AS)).is_some()
            {
                *label = Some(name);
            }
            continue;
        }
        if word != "emit" {
            life.read(word, value, diag);
            continue;
        }
        let Some(when) = diag.take(value.ident("`each`, `every` or `at_end`", help)) else { continue };
        let emit = match when.to_string().as_str() {
            "each" => Some(Emit::Each),
            "at_end" => Some(Emit::AtEnd),
            "every" => diag.take(Length::parse(&mut value, "every")).map(Emit::Every),
            other => {
                let near = near_or(other, ["each", "every", "at_end"], help);
                diag.report(&when, format!("there is no `emit {other}`"), near);
                None
            }
        };
        let Some(emit) = emit else { continue };
        if diag.take(value.end("`,` or `)`", help)).is_some() {
            found = Some((word, emit));
        }
    }
    (found, life)
}

/// Whether an argument starts like a ready-made aggregate: `sum(..)`.
fn is_aggregate(argument: &TokenStream) -> bool {
    use proc_macro2::TokenTree;
    let mut tokens = argument.clone().into_iter();
    matches!(
        (tokens.next(), tokens.next()),
        (Some(TokenTree::Ident(word)), Some(TokenTree::Group(_))) if catalog::word(&word.to_string()).is_some()
    )
}
