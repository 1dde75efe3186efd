//! The graph of one worker while it is built: called by the emitted `build`, chain by chain in data order.
//!
//! The same calls draw the plan: a graph without a scope opens nothing and only takes notes.
//!
//! A chain is opened when all of them are known ([`Graph::later`]): a flow gives its part of a chain only when it has been told
//! what follows, and what follows is checked behind the chain in front.

use super::guard;
use super::local::Local;
use super::meta::{EdgeMeta, OperatorMeta, SinkMeta};
use super::port::{EdgeOut, Feeds, Listing, Outs, SinkOut};
use super::source::Counters;
use crate::error::{Error, Fault};
use crate::frame::writer::{Combine, NoCombine, Writer};
use crate::frame::{Rows, Time};
use crate::key::Key;
use crate::lock::{StateMeta, StateNames};
use crate::plan::{Chain, Edge, Operator, Plan};
use crate::record::Record;
use crate::sink::Sink;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use timely::dataflow::Scope;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

/// The graph of one worker.
pub struct Graph<'g> {
    pub(super) scope: Option<Scope<'g, u64>>,
    pub(super) local: Rc<Local>,
    pub(super) notes: Notes,
    /// Chains that are to be opened, in data order.
    pending: Vec<Box<dyn FnOnce(&mut Graph<'g>) + 'g>>,
    /// The flows that are being built, each inside of the one before: `outer/inner/`.
    within: Rc<str>,
    /// What that was before: flows that were used under other names.
    former: Vec<String>,
}

/// What the plan will say.
#[derive(Default)]
pub struct Notes {
    pub(super) chains: Vec<Chain>,
    pub(super) edges: Vec<EdgeNote>,
    pub(super) states: Vec<StateMeta>,
    pub(super) stored: Vec<StoredOperator>,
}

/// An operator that keeps state, as checkpoints name it.
#[derive(Clone, Debug)]
pub struct StoredOperator {
    /// Its name in the block.
    pub name: &'static str,
    /// Its states, by number.
    pub states: Vec<crate::state::save::StateMeta>,
}

/// A chain that has been noted.
pub(super) struct Noted {
    pub(super) number: usize,
    pub(super) operators: Rc<[Operator]>,
    /// How many counters it has.
    pub(super) counters: usize,
}

/// What the plan will say of an edge.
pub struct EdgeNote {
    producers: Vec<usize>,
    consumer: Option<usize>,
    meta: &'static EdgeMeta,
    key: &'static str,
    row: &'static str,
    row_bytes: usize,
    timed: bool,
    combined: bool,
    bound_of_sender: u64,
}

impl<'g> Graph<'g> {
    pub(super) fn new(scope: Option<Scope<'g, u64>>, local: Rc<Local>) -> Self {
        Graph { scope, local, notes: Notes::default(), pending: Vec::new(), within: "".into(), former: Vec::new() }
    }

    /// Opens a chain when every one has been described. They are opened in the order of these calls.
    pub(super) fn later(&mut self, open: impl FnOnce(&mut Graph<'g>) + 'g) {
        self.pending.push(Box::new(open));
    }

    /// Opens the chains.
    pub(super) fn open(&mut self) {
        for open in std::mem::take(&mut self.pending) {
            open(self);
        }
    }

    /// In front of the names of what is built now: those of the flows that it is inside of.
    pub fn here(&self) -> Rc<str> {
        self.within.clone()
    }

    /// Builds what is inside of a flow that is used under this name, and was under others.
    pub fn within<R>(&mut self, name: &str, was: &[&str], build: impl FnOnce(&mut Self) -> R) -> R {
        let mut former: Vec<String> = was.iter().map(|old| format!("{}{old}/", self.within)).collect();
        for place in &self.former {
            former.extend(was.iter().chain([&name]).map(|name| format!("{place}{name}/")));
        }
        let inside: Rc<str> = format!("{}{name}/", self.within).into();
        let outside = (std::mem::replace(&mut self.within, inside), std::mem::replace(&mut self.former, former));
        let built = build(self);
        (self.within, self.former) = outside;
        built
    }

    /// Ends the attempt with an error found while building. Nothing more is built: the channels of what would follow no
    /// longer are those of the other workers.
    pub fn fail(&mut self, error: Error) {
        self.scope = None;
        self.local.fail(error);
    }

    /// The same where an operator was begun already: it must be there, or timely panics.
    pub(super) fn abandon(&mut self, builder: OperatorBuilder<'g, u64>, error: Error) {
        builder.build(|_| |_: &[_]| ());
        self.fail(error);
    }

    /// Makes something of the user's for it, in front of its chains.
    ///
    /// # Errors
    /// If the code that makes it panics.
    pub fn make<R>(&self, make: impl FnOnce() -> R) -> Result<R, Fault> {
        guard::making(make)
    }

    /// Whether it is built to run, not only to be looked at.
    pub fn runs(&self) -> bool {
        self.scope.is_some()
    }

    /// Notes a state and its types, which are known where the job is built and nowhere else.
    pub fn keeps<K: Record, V: Record>(&mut self, names: &'static StateNames) {
        self.notes.states.push(StateMeta::of::<K, V>(names.within(&self.within, &self.former)));
    }

    /// Notes a chain with its outputs, built at a place inside of flows.
    pub(super) fn note_chain<O: Outs<'g>>(
        &mut self,
        place: &str,
        operators: &'static [OperatorMeta],
        counters: &impl Counters,
        source: Option<String>,
        outs: &O,
    ) -> Noted {
        let number = self.local.add_chain();
        let mut chain = Listing { operators: Vec::new(), edges: Vec::new(), counters: 0, base: 0 };
        chain.part(place, operators, counters, 0);
        if let (Some(first), Some(source)) = (chain.operators.first_mut(), source) {
            first.what = source;
        }
        outs.note(&mut chain);
        for edge in chain.edges {
            self.notes.edges[edge].producers.push(number);
        }
        self.notes.chains.push(Chain { operators: chain.operators.clone() });
        Noted { number, operators: chain.operators.into(), counters: chain.counters }
    }

    pub(super) fn note_consumer(&mut self, edge: usize, chain: usize) {
        self.notes.edges[edge].consumer = Some(chain);
    }

    fn edge<K: Key, V: Record, T: Time, C: Combine<K, V>>(
        &mut self,
        meta: &'static EdgeMeta,
        local: bool,
        combine: impl Fn() -> C + 'static,
    ) -> (EdgeOut<'g, K, V, T, C>, EdgeIn<'g, K, V, T, C::Acc>) {
        let (me, workers, frame_rows) = (self.local.worker, self.local.workers, self.local.config.frame_rows);
        let again: Rc<dyn Fn() -> Writer<K, V, T, C>> =
            Rc::new(move || Writer::new(me, workers, local, frame_rows, combine()));
        let edge = self.notes.edges.len();
        let feeds = Feeds::default();
        // What the plan says of types is filled in by the consumer, which knows them.
        self.notes.edges.push(EdgeNote {
            producers: Vec::new(),
            consumer: None,
            meta,
            key: "",
            row: "",
            row_bytes: 0,
            timed: T::TIMED,
            combined: C::ACTIVE,
            bound_of_sender: 0,
        });
        let describe = {
            let again = again.clone();
            Box::new(move |note: &mut EdgeNote| {
                note.key = std::any::type_name::<K>();
                note.row = std::any::type_name::<V>();
                note.row_bytes = Rows::<K, V, T>::ROW_BYTES;
                note.bound_of_sender = again().bound_bytes();
            }) as Box<dyn FnOnce(&mut EdgeNote)>
        };
        let input = EdgeIn { edge, local, feeds: feeds.clone(), describe };
        let writer = again();
        (EdgeOut { edge, feeds, writer, again }, input)
    }

    pub(super) fn describe(&mut self, edge: usize, describe: Box<dyn FnOnce(&mut EdgeNote)>) {
        describe(&mut self.notes.edges[edge]);
    }

    /// The plan of what has been built.
    pub(super) fn plan(self, job: &super::meta::JobMeta, backend: &str) -> Plan {
        let workers = self.local.workers;
        let mut edges = Vec::new();
        for note in &self.notes.edges {
            let Some(to) = note.consumer else { continue };
            for &from in &note.producers {
                edges.push(Edge {
                    from,
                    to,
                    kind: note.meta.kind,
                    because: note.meta.because.to_owned(),
                    key: short(note.key),
                    row: short(note.row),
                    row_bytes: note.row_bytes,
                    timed: note.timed,
                    combined: note.combined,
                    bound_bytes: note.bound_of_sender * workers as u64,
                });
            }
        }
        Plan {
            job: job.name.to_owned(),
            backend: backend.to_owned(),
            workers,
            chains: self.notes.chains,
            edges,
            dropped: job.dropped.iter().map(|d| (*d).to_owned()).collect(),
        }
    }
}

/// A type's name without the paths of its parts.
fn short(name: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
        } else if c == ':' {
            word.clear();
        } else {
            out.push_str(&word);
            word.clear();
            out.push(c);
        }
    }
    out + &word
}

/// The receiving end of an edge, before its chain is built.
pub struct EdgeIn<'g, K: Key, V: Record, T: Time, A: Record> {
    pub(super) edge: usize,
    pub(super) local: bool,
    pub(super) feeds: Feeds<'g, K, V, T, A>,
    pub(super) describe: Box<dyn FnOnce(&mut EdgeNote)>,
}

/// An edge by key, without a combiner.
pub fn keyed_edge<'g, K: Key, V: Record, T: Time, A: Record>(
    g: &mut Graph<'g>,
    meta: &'static EdgeMeta,
) -> (EdgeOut<'g, K, V, T, NoCombine<A>>, EdgeIn<'g, K, V, T, A>) {
    g.edge(meta, false, NoCombine::default)
}

/// An edge by key with a combiner in front, which `combine` makes.
pub fn combined_edge<'g, K: Key, V: Record, T: Time, C: Combine<K, V>>(
    g: &mut Graph<'g>,
    meta: &'static EdgeMeta,
    combine: impl Fn() -> C + 'static,
) -> (EdgeOut<'g, K, V, T, C>, EdgeIn<'g, K, V, T, C::Acc>) {
    g.edge(meta, false, combine)
}

/// An edge to the next chain on the same worker.
pub fn local_edge<'g, V: Record, T: Time>(
    g: &mut Graph<'g>,
    meta: &'static EdgeMeta,
) -> (EdgeOut<'g, (), V, T, NoCombine>, EdgeIn<'g, (), V, T, ()>) {
    g.edge(meta, true, NoCombine::default)
}

/// An edge to other workers whose rows have no key.
pub fn spread_edge<'g, V: Record, T: Time>(
    g: &mut Graph<'g>,
    meta: &'static EdgeMeta,
) -> (EdgeOut<'g, (), V, T, NoCombine>, EdgeIn<'g, (), V, T, ()>) {
    g.edge(meta, false, NoCombine::default)
}

/// A sink.
pub fn sink<S: Sink>(g: &mut Graph<'_>, meta: &'static SinkMeta, connector: S) -> SinkOut<S> {
    let sink = g.local.add_sink();
    g.local.note_sink(connector.takes_back());
    SinkOut {
        sink,
        name: meta.name,
        connector: Rc::new(RefCell::new(connector)),
        part: Rc::new(Cell::new(0)),
        input: 0,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn type_names_lose_their_paths() {
        assert_eq!(super::short("(alloc::string::String, core::option::Option<a::b::C>)"), "(String, Option<C>)");
        assert_eq!(super::short("u64"), "u64");
    }
}
