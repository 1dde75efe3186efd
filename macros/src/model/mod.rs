//! The job as a graph: streams, sinks and what connects them, names resolved. A stream or sink that is not sound was
//! written with a mistake, or stands behind one: it is known, so that nothing else complains, and left out of the output.

pub(crate) mod flow;
pub(crate) mod graph;
pub(crate) mod resolve;

use proc_macro2::{Ident, TokenStream};

use crate::syntax::{Checkpoint, Connector, Generics, Op, Param, Resource, Restart, Source, Stored};

pub(crate) use flow::{Flow, FlowUse, Handed, Known};
pub(crate) use resolve::resolve;

/// A job, or a flow.
pub(crate) struct Model {
    /// What it takes and gives, if it is a flow.
    pub(crate) flow: Option<Flow>,
    pub(crate) generics: Generics,
    pub(crate) attributes: TokenStream,
    pub(crate) lints: TokenStream,
    pub(crate) about: String,
    pub(crate) visibility: TokenStream,
    pub(crate) name: Ident,
    pub(crate) backend: Ident,
    pub(crate) stored: Stored,
    pub(crate) params: Vec<Param>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) restart: Option<Restart>,
    /// Sources and `let`s, in the order of the block, which is the order of data.
    pub(crate) streams: Vec<Stream>,
    pub(crate) sinks: Vec<Sink>,
    pub(crate) drops: Vec<Use>,
    /// What statements were there, whole or not.
    pub(crate) there: There,
    /// Every name that occurs in a broken statement: perhaps its use.
    pub(crate) mentioned: Vec<Ident>,
    /// The paths of flows in statements that are left out.
    pub(crate) lost: Vec<TokenStream>,
}

/// A param or a resource.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'m> {
    pub(crate) name: &'m Ident,
    pub(crate) resource: bool,
}

/// What statements were there, whole or not: what is missing is not missed where something broken may have been it.
#[derive(Default)]
pub(crate) struct There {
    pub(crate) source: bool,
    pub(crate) sink: bool,
    pub(crate) broken_return: bool,
    pub(crate) unknown: bool,
    /// A stream or an output was used that is not there, and nothing says which one was meant.
    pub(crate) lost_use: bool,
}

/// Index of a stream in [`Model::streams`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId(pub(crate) usize);

/// Which output of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Port {
    /// Its rows.
    Rows,
    /// Rows that came too late for their window.
    Late,
    /// An output that a process declares, by its place.
    Side(usize),
    /// An output of a split, by its place.
    Arm(usize),
    /// An output of a flow that is used, by its place among those that are known here.
    Flow(usize),
    /// Records that a source could not read.
    Errors,
}

/// A stream where it is used.
#[derive(Clone)]
pub(crate) struct Use {
    pub(crate) stream: StreamId,
    pub(crate) port: Port,
    /// The name at the use.
    pub(crate) at: Ident,
    /// Whether the use itself is right: a sink leaves out just the inputs that are not.
    pub(crate) sound: bool,
}

pub(crate) struct Stream {
    pub(crate) name: Ident,
    /// Names that it had before.
    pub(crate) was: Vec<Ident>,
    pub(crate) origin: Origin,
    pub(crate) ops: Vec<Op>,
    pub(crate) declared: Option<TokenStream>,
    pub(crate) sound: bool,
}

pub(crate) enum Origin {
    Source(Box<Source>),
    /// A stream that a flow takes, by its place among those, and whether it comes with its key.
    Input {
        input: usize,
        keyed: bool,
    },
    /// What a flow gives.
    Flow(Box<FlowUse>),
    /// Another stream.
    Stream(Use),
    /// Several, behind the word `union`.
    Union(Ident, Vec<Use>),
    /// It could not be read.
    Broken,
}

impl Origin {
    /// The streams it starts with.
    pub(crate) fn inputs(&self) -> &[Use] {
        match self {
            Origin::Stream(one) => std::slice::from_ref(one),
            Origin::Union(_, all) => all,
            Origin::Flow(used) => &used.inputs,
            Origin::Source(_) | Origin::Input { .. } | Origin::Broken => &[],
        }
    }
}

pub(crate) struct Sink {
    pub(crate) name: Ident,
    pub(crate) inputs: Vec<Use>,
    pub(crate) connector: Connector,
    pub(crate) sound: bool,
}

impl Model {
    pub(crate) fn stream(&self, id: StreamId) -> &Stream {
        &self.streams[id.0]
    }

    /// What code of the user's sees by its name: params and resources.
    pub(crate) fn seen(&self) -> Vec<Seen<'_>> {
        let params = self.params.iter().map(|param| Seen { name: &param.name, resource: false });
        params.chain(self.resources.iter().map(|resource| Seen { name: &resource.name, resource: true })).collect()
    }

    /// All streams, in data order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = StreamId> + use<> {
        (0..self.streams.len()).map(StreamId)
    }

    /// Whether nothing is left out.
    pub(crate) fn is_whole(&self) -> bool {
        let uses = self.sinks.iter().all(|sink| sink.sound && sink.inputs.iter().all(|input| input.sound));
        let returns = self.flow.iter().all(|flow| flow.returns.iter().flatten().all(|used| used.sound));
        returns && uses && self.mentioned.is_empty() && self.streams.iter().all(|stream| stream.sound)
    }

    /// The gate behind a phase: what stands behind something that is not sound is not sound either.
    pub(crate) fn spread_taint(&mut self) {
        for id in self.ids() {
            let sound = self.stream(id).origin.inputs().iter().all(|input| self.stream(input.stream).sound);
            self.streams[id.0].sound &= sound;
        }
    }
}
