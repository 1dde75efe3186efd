//! Flows: what one takes and gives, with names resolved, and the use of one. Of a flow of the same block all is known here; of
//! one of another module or crate its use says all that can be said, and rustc holds the two together.

use proc_macro2::Ident;

use super::resolve::{Named, Names};
use super::{Model, Origin, Stream, StreamId, Use};
use crate::diag::{Problem, list, near, near_or};
use crate::syntax::flow::{FlowCall, Gives, Return};
use crate::syntax::{Signature, Takes};

/// A flow as it is written.
pub(crate) struct Flow {
    pub(crate) takes: Vec<Takes>,
    pub(crate) gives: Vec<Gives>,
    pub(crate) text: String,
    /// What is returned for each output.
    pub(crate) returns: Vec<Option<Use>>,
    /// Whether there is a `return`, whole or not.
    pub(crate) returned: Option<Ident>,
    /// Of the streams that it takes, those that go into something that goes by event time.
    pub(crate) timed: Vec<usize>,
    /// Where others of them go on to, if it is known only by type whether that goes by event time.
    pub(crate) handed: Vec<Handed>,
}

/// A stream that a flow takes goes into another flow.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Handed {
    /// The stream, by its place among those that the flow takes.
    pub(crate) input: usize,
    /// What uses the other flow.
    pub(crate) by: StreamId,
    /// Where it goes in, by its place among all parameters of the other one.
    pub(crate) parameter: usize,
}

impl Flow {
    /// Whether it is known only by type what is asked of a stream.
    pub(crate) fn hands_on(&self, input: usize) -> bool {
        self.handed.iter().any(|it| it.input == input) && !self.timed.contains(&input)
    }

    /// The place of a stream among all parameters.
    pub(crate) fn parameter(&self, input: usize) -> Option<usize> {
        let all = self.takes.iter().enumerate().filter(|(_, it)| matches!(it, Takes::Stream { .. }));
        all.map(|(parameter, _)| parameter).nth(input)
    }

    /// The streams that it takes.
    pub(crate) fn streams(&self) -> impl Iterator<Item = (&Ident, &proc_macro2::TokenStream)> {
        self.takes.iter().filter_map(|it| match it {
            Takes::Stream { name, row, .. } => Some((name, row)),
            Takes::Value(_) => None,
        })
    }

    /// The key of one of them, if it comes with it.
    pub(crate) fn key(&self, input: usize) -> Option<&proc_macro2::TokenStream> {
        let mut keys = self.takes.iter().filter_map(|it| match it {
            Takes::Stream { key, .. } => Some(key.as_ref()),
            Takes::Value(_) => None,
        });
        keys.nth(input)?
    }
}

/// What a parameter is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Value,
    Stream { keyed: bool },
}

/// What is known of a flow of the block where it is used.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) name: Ident,
    /// Its parameters: each with its name, and what it is.
    takes: Vec<(String, Kind)>,
    /// Whether it has a main output.
    main: bool,
    /// Its other outputs.
    outputs: Vec<Ident>,
}

impl Known {
    pub(crate) fn of(name: &Ident, signature: &Signature) -> Known {
        let takes = signature.takes.iter().map(|it| match it {
            Takes::Stream { name, key, .. } => (name.to_string(), Kind::Stream { keyed: key.is_some() }),
            Takes::Value(param) => (param.name.to_string(), Kind::Value),
        });
        Known {
            name: name.clone(),
            takes: takes.collect(),
            main: signature.gives.iter().any(|it| it.name.is_none()),
            outputs: signature.gives.iter().filter_map(|it| it.name.clone()).collect(),
        }
    }
}

/// `let t = totals(trades, 5);`
pub(crate) struct FlowUse {
    pub(crate) call: FlowCall,
    /// The streams among its arguments.
    pub(crate) inputs: Vec<Use>,
    /// Of each of these, whether the flow takes it with its key, if that is known here.
    pub(crate) keyed: Vec<Option<bool>>,
    /// For each argument, its place among the streams if it is one.
    pub(crate) streams: Vec<Option<usize>>,
    /// Its outputs besides the main one: all of them if the flow is known, else those that are used.
    pub(crate) outputs: Vec<Ident>,
    /// Whether it has a main output, if that is known here.
    pub(crate) known: Option<bool>,
}

impl FlowUse {
    /// Whether its path is a name alone.
    pub(crate) fn is_name(&self) -> bool {
        self.call.path.clone().into_iter().count() == 1
    }
}

impl Stream {
    /// What is wrong with using it by its name alone, if it is a flow without a main output.
    pub(super) fn no_rows(&self, at: &Ident) -> Option<Problem> {
        let Origin::Flow(used) = &self.origin else { return None };
        let lacks = used.known == Some(false) && self.ops.is_empty();
        lacks.then(|| {
            let all = list(used.outputs.iter().map(|output| format!("{at}.{output}")), "and");
            Problem::new(at, format!("`{at}` has no rows of its own"), format!("take one of its outputs: {all}"))
        })
    }
}

impl Names<'_> {
    /// The parameters of a flow.
    pub(super) fn signature(&mut self, signature: Signature, model: &mut Model) {
        let Signature { takes, gives, text } = signature;
        let mut streams = 0;
        for it in &takes {
            match it {
                Takes::Stream { name, key, row } => {
                    self.add(
                        Stream {
                            name: name.clone(),
                            was: vec![],
                            declared: Some(row.clone()),
                            origin: Origin::Input { input: streams, keyed: key.is_some() },
                            ops: vec![],
                            sound: !row.is_empty(),
                        },
                        model,
                    );
                    streams += 1;
                }
                Takes::Value(param) => {
                    if self.declare(&param.name, Named::Param) {
                        model.params.push((**param).clone());
                    }
                }
            }
        }
        let returns = gives.iter().map(|_| None).collect();
        model.flow = Some(Flow { takes, gives, text, returns, returned: None, timed: vec![], handed: vec![] });
    }

    /// `return sums, rejected = part.bad;`
    pub(super) fn returns(&mut self, it: Return, model: &mut Model) {
        let Some(flow) = &model.flow else { return };
        if flow.returned.is_some() {
            self.diag.report_mild(&it.word, "a second `return`", "return all outputs in one: `return a, other = b;`");
            return;
        }
        let gives = flow.gives.clone();
        let main = gives.iter().any(|it| it.name.is_none());
        for (n, (name, input)) in it.streams.iter().enumerate() {
            let output = match name {
                None if n == 0 && main => Some(0),
                // as in a struct: `sums` is `sums = sums`
                name => {
                    let name = name.as_ref().or(input.output.as_ref()).unwrap_or(&input.stream);
                    let found = gives.iter().position(|it| it.name.as_ref() == Some(name));
                    if found.is_none() {
                        let names = gives.iter().filter_map(|it| it.name.as_ref()).map(Ident::to_string);
                        let names: Vec<String> = names.collect();
                        let all = match names.len() {
                            0 => "it gives one thing: write `return stream;`".to_string(),
                            _ => format!("its outputs are {}", list(&names, "and")),
                        };
                        let help = near_or(&name.to_string(), names.iter().map(String::as_str), all);
                        self.diag.report(name, format!("`{}` has no output `{name}`", model.name), help);
                    }
                    found
                }
            };
            let used = self.input(input, model);
            if output.is_none() {
                // it is returned, if under a name that is not there
                model.mentioned.push(input.stream.clone());
                model.there.broken_return = true;
            }
            let (Some(output), Some(flow)) = (output, &mut model.flow) else { continue };
            if flow.returns[output].is_some() {
                self.diag.report_mild(&input.stream, "this output is returned twice", "return it once");
                continue;
            }
            // what could not be read is returned all the same
            flow.returns[output] = used.or(Some(Use {
                stream: StreamId(0),
                port: super::Port::Rows,
                at: input.stream.clone(),
                sound: false,
            }));
        }
        if let Some(flow) = &mut model.flow {
            flow.returned = Some(it.word);
        }
    }

    /// Says what is not returned.
    pub(super) fn returned(&mut self, model: &mut Model) {
        let (Some(flow), name) = (&model.flow, &model.name) else { return };
        if model.there.broken_return {
            return;
        }
        let Some(word) = &flow.returned else {
            let help = "end its body with `return stream;`, or `return stream, other = stream;`";
            self.diag.report_mild(name, format!("the flow `{name}` returns nothing"), help);
            return;
        };
        for (gives, _) in flow.gives.iter().zip(&flow.returns).filter(|(_, used)| used.is_none()) {
            match &gives.name {
                Some(output) => self.diag.report_mild(
                    word,
                    format!("`{output}` is not returned"),
                    format!("write `{output} = stream`, or take `{output}` off what `{name}` gives"),
                ),
                None => self.diag.report_mild(
                    word,
                    "the main output is not returned",
                    "write its stream first: `return stream, ..;`",
                ),
            }
        }
    }

    /// A flow of the block.
    fn known_flow(&self, call: &FlowCall) -> Option<&Known> {
        let single = call.path.clone().into_iter().count() == 1;
        self.flows.iter().find(|known| single && known.name == call.name)
    }

    /// Whether a flow is one of another module or crate, by its path.
    pub(super) fn elsewhere(&self, call: &FlowCall) -> bool {
        call.path.clone().into_iter().count() > 1 && self.known_flow(call).is_none()
    }

    /// The use of a flow; `behind`: operators follow.
    pub(super) fn flow(&mut self, call: &FlowCall, behind: bool, model: &mut Model) -> Option<Box<FlowUse>> {
        let known = self.known_flow(call).cloned();
        let mark = self.diag.mark();
        if let Some(known) = &known
            && known.takes.len() != call.arguments.len()
        {
            let takes = known.takes.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let (needs, has) = (known.takes.len(), call.arguments.len());
            let stand = if has == 1 { "stands" } else { "stand" };
            let fact = format!("`{}` takes {needs} argument{}, and {has} {stand} here", call.name, plural(needs));
            self.diag.report(&call.name, fact, format!("write one for each of its parameters: {takes}"));
            return None;
        }
        let (mut inputs, mut keyed, mut streams) = (vec![], vec![], vec![]);
        for (n, argument) in call.arguments.iter().enumerate() {
            let wanted = known.as_ref().map(|known| known.takes[n].1);
            let input = argument.stream.as_ref().filter(|input| match wanted {
                Some(wanted) => wanted != Kind::Value,
                None => self.means_stream(input),
            });
            match (input, wanted) {
                (Some(input), _) => {
                    streams.push(Some(inputs.len()));
                    keyed.push(wanted.map(|wanted| wanted == Kind::Stream { keyed: true }));
                    inputs.extend(self.input(input, model));
                }
                (None, Some(Kind::Stream { .. })) => {
                    let what = known.as_ref().map_or("", |known| known.takes[n].0.as_str());
                    let help = "write the name of a stream; a chain gets one with `let name = ..;`";
                    let fact = format!("`{}` takes a stream here: `{what}`", call.name);
                    self.diag.report(&argument.value, fact, help);
                }
                (None, _) => streams.push(None),
            }
        }
        if self.diag.spoiled_since(mark) {
            return None;
        }
        if inputs.is_empty() {
            let name = &call.name;
            let help = format!(
                "a flow takes a stream that is made before this: `{name}(rows, ..)`; rows from outside come in with `source name: Type = {name}(..);`"
            );
            self.diag.report(name, format!("`{name}(..)` is no stream"), help);
            return None;
        }
        if behind && known.as_ref().is_some_and(|known| !known.main) {
            let outputs = known.iter().flat_map(|known| &known.outputs);
            let help = format!(
                "end the `let` here and go on with an output: {}",
                list(outputs.map(|it| format!("name.{it}")), "or")
            );
            self.diag.report(&call.name, format!("`{}` has no main output", call.name), help);
            return None;
        }
        let outputs = known.as_ref().map_or(vec![], |known| known.outputs.clone());
        let known = known.map(|known| known.main);
        Some(Box::new(FlowUse { call: call.clone(), inputs, keyed, streams, outputs, known }))
    }

    /// Whether an argument of a flow that is not known here is a stream: it is the name of one, or nearly.
    fn means_stream(&self, input: &crate::syntax::Input) -> bool {
        let text = input.stream.to_string();
        match self.known.get(&text) {
            Some(Named::Stream(_)) => true,
            Some(_) => false,
            None if self.ahead.contains(&text) => true,
            None => {
                let streams = self.known.iter().filter(|(_, named)| matches!(named, Named::Stream(_)));
                !near(&text, streams.map(|(name, _)| name.as_str())).is_empty()
            }
        }
    }
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}
