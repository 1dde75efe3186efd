//! From names to a graph. Unknown names, doubled names and names used before their `let` are reported here.

use std::collections::BTreeMap;

use proc_macro2::Ident;

use super::{Known, Model, Origin, Port, Sink, Stream, StreamId, There, Use};
use crate::catalog::Role;
use crate::diag::{Diagnostics, near, near_or, perhaps};
use crate::syntax::param::flag;
use crate::syntax::restart::How;
use crate::syntax::{Call, Connector, Emit, Input, Job, Length, Life, Param, Roll, Start, Statement, What, code};

/// What a name stands for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Named {
    Param,
    Resource,
    Stream(StreamId),
    Sink,
}

impl Named {
    fn kind(self) -> &'static str {
        match self {
            Named::Param => "param",
            Named::Resource => "resource",
            Named::Stream(_) => "stream",
            Named::Sink => "sink",
        }
    }
}

pub(super) struct Names<'d> {
    pub(super) known: BTreeMap<String, Named>,
    /// Names of two things: nobody can say which of them a use means.
    pub(super) doubled: Vec<Ident>,
    /// Streams that are made further down, by name.
    pub(super) ahead: Vec<String>,
    /// The flows of the block.
    pub(super) flows: &'d [Known],
    pub(super) diag: &'d mut Diagnostics,
}

pub(crate) fn resolve(job: Job, flows: &[Known], diag: &mut Diagnostics) -> Model {
    let ahead = job.statements.iter().filter(|s| is_stream(s)).filter_map(|s| Some(s.name.as_ref()?.to_string()));
    let ahead = ahead.collect();
    let mut names = Names { known: BTreeMap::new(), doubled: vec![], ahead, flows, diag };
    let mut model = Model {
        flow: None,
        generics: job.generics,
        attributes: job.attributes,
        lints: job.lints,
        about: job.about,
        visibility: job.visibility,
        name: job.name,
        backend: job.backend,
        stored: job.stored,
        params: vec![],
        resources: vec![],
        checkpoint: None,
        restart: None,
        streams: vec![],
        sinks: vec![],
        drops: vec![],
        there: There::default(),
        mentioned: vec![],
        lost: vec![],
    };
    if let Some(signature) = job.flow {
        names.signature(signature, &mut model);
    }
    // params are known everywhere, whatever the order
    for statement in &job.statements {
        if statement.word.as_ref().is_some_and(|word| word == "param")
            && let Some(name) = &statement.name
            && names.declare(name, Named::Param)
            && let Some(What::Param(param)) = &statement.what
        {
            let same = model.params.iter().find(|first| flag(&first.name) == flag(name));
            if let Some(first) = same {
                let fact = format!("`{name}` and `{}` are one flag, `--{}`", first.name, flag(name));
                names.diag.report_mild(name, fact, "rename one of the two");
            }
            model.params.push(param.clone());
        }
    }
    // and so are resources, once they are made
    for (n, statement) in job.statements.iter().enumerate() {
        if statement.word.as_ref().is_some_and(|word| word == "resource")
            && let Some(name) = &statement.name
            && names.declare(name, Named::Resource)
            && let Some(What::Resource(resource)) = &statement.what
        {
            let mut others = job.statements.iter().enumerate().filter(|(other, _)| *other != n);
            let text = name.to_string();
            if !others.any(|(_, other)| code::mentions(other.tokens.clone(), text.trim_start_matches("r#"))) {
                let mut words = vec![];
                let rest = job.statements.iter().enumerate().filter(|(other, _)| *other != n);
                rest.for_each(|(_, other)| code::values(other.tokens.clone(), &mut words));
                words.retain(|word| job.statements.iter().all(|other| other.name.as_ref() != Some(word)));
                let help = "look at it in a closure, or remove it: each worker would make it";
                let help = perhaps(&text, &words, help);
                names.diag.report_mild(name, format!("nothing uses the resource `{name}`"), help);
            }
            model.resources.push(resource.clone());
        }
    }
    for statement in job.statements {
        names.statement(statement, &mut model);
    }
    names.returned(&mut model);
    model
}

fn is_stream(statement: &Statement) -> bool {
    statement.word.as_ref().is_none_or(|word| word == "let" || word == "source")
}

impl Names<'_> {
    /// A statement that a job has once.
    fn twice(&mut self, word: &Ident) {
        self.diag.report_mild(word, format!("a second `{word}`"), format!("say it once: remove one `{word}`"));
    }

    fn statement(&mut self, statement: Statement, model: &mut Model) {
        let Statement { word, name, declared, tokens, what } = statement;
        match &word {
            Some(word) if word == "source" => model.there.source = true,
            Some(word) if word == "sink" => model.there.sink = true,
            Some(word) if word == "return" => model.there.broken_return |= what.is_none(),
            Some(_) => {}
            None => model.there.unknown = true,
        }
        match what {
            Some(What::Param(_) | What::Resource(_)) => {}
            Some(What::Checkpoint(it)) => {
                let mark = self.diag.mark();
                for (_, length) in [&it.every, &it.timeout, &it.pause].into_iter().flatten() {
                    self.length(length, &model.params);
                }
                if model.checkpoint.is_some() {
                    self.twice(&it.word);
                } else if !self.diag.spoiled_since(mark) {
                    model.checkpoint = Some(it);
                }
            }
            Some(What::Restart(it)) => {
                let mark = self.diag.mark();
                for length in it.how.iter().flat_map(How::lengths) {
                    self.length(length, &model.params);
                }
                if model.restart.is_some() {
                    self.twice(&it.word);
                } else if !self.diag.spoiled_since(mark) {
                    model.restart = Some(it);
                }
            }
            Some(What::Source(source)) => {
                let mark = self.diag.mark();
                for (_, length) in [&source.late_by, &source.idle_after].into_iter().flatten() {
                    self.length(length, &model.params);
                }
                let sound = !self.diag.spoiled_since(mark);
                self.add(
                    Stream {
                        name: source.name.clone(),
                        was: vec![],
                        declared: Some(source.ty.clone()),
                        origin: Origin::Source(source),
                        ops: vec![],
                        sound,
                    },
                    model,
                );
            }
            Some(What::Let(it)) => {
                let mark = self.diag.mark();
                let origin = match &it.start {
                    Start::Stream(input) => self.input(input, model).map(Origin::Stream),
                    Start::Union { word, inputs } => {
                        let found: Vec<Option<Use>> = inputs.iter().map(|input| self.input(input, model)).collect();
                        found.into_iter().collect::<Option<Vec<_>>>().map(|all| Origin::Union(word.clone(), all))
                    }
                    Start::Flow(call) => self.flow(call, !it.ops.is_empty(), model).map(Origin::Flow),
                };
                for length in it.ops.iter().flat_map(|op| op.call.lengths()) {
                    self.length(length, &model.params);
                }
                let sound = origin.is_some() && !self.diag.spoiled_since(mark);
                if !sound {
                    if let Start::Flow(call) = &it.start {
                        model.lost.extend(self.elsewhere(call).then(|| call.path.clone()));
                    }
                    code::names(tokens, &mut model.mentioned);
                }
                let mut origin = origin.unwrap_or(Origin::Broken);
                let mut ops = it.ops;
                // `as name` makes of one chain two, as if it had been written with two `let`s
                while let Some(at) = ops.iter().position(|op| op.label.is_some()) {
                    let rest = ops.split_off(at + 1);
                    let Some(label) = ops[at].label.take() else { break };
                    let last = !rest.iter().any(|op| op.role() == Role::Stateful);
                    if last {
                        self.diag.report_mild(
                            &label,
                            format!("`{}` is the name of what is made here already", it.name),
                            format!(
                                "remove `as {label}`; it is for an operator with another behind it in the same `let`"
                            ),
                        );
                        ops.extend(rest);
                        continue;
                    }
                    let id = StreamId(model.streams.len());
                    let front = Stream {
                        name: label.clone(),
                        was: vec![],
                        declared: None,
                        origin: std::mem::replace(
                            &mut origin,
                            Origin::Stream(Use { stream: id, port: Port::Rows, at: label, sound: true }),
                        ),
                        ops: std::mem::replace(&mut ops, rest),
                        sound,
                    };
                    self.add(front, model);
                }
                self.add(Stream { name: it.name, was: it.was, declared, origin, ops, sound }, model);
            }
            Some(What::Sink(it)) => {
                let inputs: Vec<Use> = it.inputs.iter().filter_map(|input| self.input(input, model)).collect();
                let sound = self.declare(&it.name, Named::Sink);
                if let Connector::Code(_, Some(Roll { every: Some(length), .. })) = &it.connector {
                    self.length(length, &model.params);
                }
                model.sinks.push(Sink { name: it.name, inputs, connector: it.connector, sound });
            }
            Some(What::Drop(it)) => {
                let drops: Vec<Use> = it.inputs.iter().filter_map(|input| self.input(input, model)).collect();
                model.drops.extend(drops);
            }
            Some(What::Return(it)) => self.returns(it, model),
            None => {
                // the names in it but its own, each of which it may have used; a broken sink may have its stream where
                // its name belongs
                let is_sink = word.as_ref().is_some_and(|word| word == "sink");
                let mut mentioned = vec![];
                code::names(tokens, &mut mentioned);
                if let Some(own) = &name
                    && let Some(at) = mentioned.iter().position(|it| it == own && !is_sink)
                {
                    mentioned.remove(at);
                }
                model.mentioned.extend(mentioned);
                match (word, name) {
                    (Some(_), Some(name)) if is_sink => {
                        self.known.entry(name.to_string()).or_insert(Named::Sink);
                    }
                    (Some(word), _) if word == "param" || word == "resource" => {}
                    (_, Some(name)) => {
                        self.add(
                            Stream { name, was: vec![], declared, origin: Origin::Broken, ops: vec![], sound: false },
                            model,
                        );
                    }
                    (_, None) => {}
                }
            }
        }
    }

    pub(super) fn add(&mut self, stream: Stream, model: &mut Model) {
        let name = stream.name.clone();
        let id = StreamId(model.streams.len());
        model.streams.push(stream);
        if let Some(at) = self.ahead.iter().position(|ahead| name == ahead) {
            self.ahead.remove(at);
        }
        if !self.declare(&name, Named::Stream(id)) {
            model.streams[id.0].sound = false;
            model.mentioned.push(name);
        }
    }

    /// Gives a name to something; says whether it was free.
    pub(super) fn declare(&mut self, name: &Ident, what: Named) -> bool {
        let text = name.to_string();
        if text == "union" || (text == "summary" && what == Named::Sink) {
            let why = if text == "union" { "is a word of the language" } else { "is a field of every job's results" };
            self.diag.report_mild(
                name,
                format!("`{name}` {why} and cannot name a {}", what.kind()),
                "give it another name",
            );
            self.known.entry(text).or_insert(what);
            return false;
        }
        match self.known.get(&text) {
            None => {
                self.known.insert(text, what);
                true
            }
            Some(first) => {
                let kind = first.kind();
                self.diag.report_mild(
                    name,
                    format!("`{name}` is the name of a {kind} already"),
                    "names are unique in a job: they name flags, state and outputs; rename one of the two",
                );
                self.doubled.push(name.clone());
                false
            }
        }
    }

    /// Finds what a use means.
    pub(super) fn input(&mut self, input: &Input, model: &mut Model) -> Option<Use> {
        let name = &input.stream;
        let text = name.to_string();
        if self.doubled.contains(name) {
            model.mentioned.push(name.clone());
            return None;
        }
        let stream = match self.known.get(&text) {
            Some(Named::Stream(id)) => *id,
            Some(other) => {
                let kind = if model.flow.is_some() && *other == Named::Param { "value" } else { other.kind() };
                let help = match other {
                    Named::Param if model.flow.is_some() => {
                        format!("a value is seen in closures; rows come in as a parameter: `{name}: Stream<Type>`")
                    }
                    Named::Resource => "a resource is seen in closures and connectors".to_string(),
                    Named::Param => format!(
                        "a param is seen in closures and connectors; rows come in with `source rows: Type = csv({name});`"
                    ),
                    _ => format!("write the stream that goes into `{name}`"),
                };
                self.diag.report(name, format!("`{name}` is a {kind}, not a stream"), help);
                return None;
            }
            None if self.ahead.contains(&text) => {
                // it is used here, if too early
                model.mentioned.push(name.clone());
                self.diag.report(
                    name,
                    format!("`{name}` is made further down"),
                    format!("reading order is data order: move the statement that makes `{name}` in front of this one"),
                );
                return None;
            }
            None => {
                let streams = self.known.iter().filter(|(_, named)| matches!(named, Named::Stream(_)));
                let streams: Vec<&str> = streams.map(|(name, _)| name.as_str()).collect();
                let all = match &streams[..] {
                    [] => "no stream is made before this; write `source name: Type = connector;`".to_string(),
                    _ => format!("the streams made before this are {}", crate::diag::list(&streams, "and")),
                };
                let help = near_or(&text, streams.iter().copied(), all);
                // what was probably meant is used
                let meant = near(&text, streams.iter().copied());
                model.there.lost_use |= meant.is_empty();
                model.mentioned.extend(meant.into_iter().filter_map(|name| syn::parse_str(name).ok()));
                self.diag.report(name, format!("there is no stream `{name}`"), help);
                return None;
            }
        };
        let made = model.stream(stream);
        let others = made.others();
        let Some(output) = &input.output else {
            if let Some(problem) = made.no_rows(name) {
                model.mentioned.push(name.clone());
                self.diag.add(problem);
                return None;
            }
            if made.split().is_some() {
                let all = crate::diag::list(others.iter().map(|(_, output, _)| format!("{name}.{output}")), "and");
                let fact = format!("`{name}` is split and has no rows of its own");
                model.mentioned.push(name.clone());
                self.diag.report(name, fact, format!("take one of its outputs: they are {all}"));
                return None;
            }
            return Some(Use { stream, port: Port::Rows, at: name.clone(), sound: true });
        };
        let port = match matches!(made.origin, Origin::Broken) {
            true => Some(Port::Late),
            false => others.iter().find(|(_, name, _)| output == name).map(|(port, ..)| *port),
        };
        if let Some(port) = port {
            return Some(Use { stream, port, at: name.clone(), sound: true });
        }
        let others: Vec<String> = others.into_iter().map(|(_, name, _)| name).collect();
        let is_source = matches!(made.origin, Origin::Source(_));
        // which outputs a flow of another module has is found by rustc
        if let Origin::Flow(used) = &mut model.streams[stream.0].origin
            && used.known.is_none()
        {
            used.outputs.push(output.clone());
            return Some(Use { stream, port: Port::Flow(used.outputs.len() - 1), at: name.clone(), sound: true });
        }
        // it is used, if in a way that it has not; or another one was meant
        model.mentioned.push(name.clone());
        model.there.lost_use |= output == "late";
        if output == "errors" && is_source {
            let help = format!("write `on_error divert` at the source `{name}`");
            self.diag.report(output, format!("`{name}` has no errors"), help);
        } else if output == "late" {
            let help =
                format!("only a `let` with a `window`, or a `process` with `in_order`, has late rows; write `{name}`");
            self.diag.report(output, format!("`{name}` has no late rows"), help);
        } else if !others.is_empty() {
            let all = std::iter::once(name.to_string()).chain(others.iter().map(|other| format!("{name}.{other}")));
            let all = format!("its outputs are {}", crate::diag::list(all, "and"));
            let help = near_or(&output.to_string(), others.iter().map(String::as_str), all);
            self.diag.report(output, format!("`{name}` has no output `{output}`"), help);
        } else {
            let help = crate::catalog::operator(&output.to_string())
                .map_or(format!("write `{name}`"), |row| format!("write `{}` in a `let`", row.form));
            self.diag.report(output, format!("`{name}` has no output `{output}`"), help);
        }
        None
    }

    fn length(&mut self, length: &Length, params: &[Param]) {
        let Length::Param(name) = length else { return };
        if self.known.get(&name.to_string()) == Some(&Named::Param) {
            return;
        }
        let help = near_or(
            &name.to_string(),
            params.iter().map(|param| param.name.to_string()).collect::<Vec<_>>().iter().map(String::as_str),
            format!("write a duration such as `10min`, or declare it: `param {name}: TimeSpan;`"),
        );
        self.diag.report(name, format!("there is no param `{name}`"), help);
    }
}

impl Call {
    /// All durations in it.
    pub(crate) fn lengths(&self) -> Vec<&Length> {
        fn of<'a>(emit: Option<&'a Emit>, life: &'a Life) -> Vec<&'a Length> {
            let every = emit.and_then(|emit| if let Emit::Every(length) = emit { Some(length) } else { None });
            every.into_iter().chain(life.ttl.as_ref().map(|(_, length)| length)).collect()
        }
        match self {
            Call::Window(window) => {
                let late = window.allow_late.as_ref().map(|(_, length)| length);
                [Some(&window.size), window.offset.as_ref(), late].into_iter().flatten().collect()
            }
            Call::Reduce { emit, life, .. } | Call::Fold { emit, life, .. } => of(Some(emit), life),
            Call::Aggregate { emit, life, .. } => of(emit.as_ref().map(|(_, emit)| emit), life),
            Call::Process(process) => process.states.iter().flat_map(|state| of(None, &state.life)).collect(),
            _ => vec![],
        }
    }
}
