//! How Pelton draws a plan: chains as boxes with their operators, edges as arrows with a label, on one page.
//!
//! Two places draw: `plan --format svg` of a job's binary, which knows all of it, and the macro, for the documentation of
//! the job's struct, which knows everything but the sizes of types. Both fill in a [`Picture`]; what it looks like is said
//! here alone. The crate has no dependencies, for the macro's sake (`docs/decisions/0016-picture.md`).
//!
//! ```
//! use pelton_picture::{Arrow, Chain, EdgeKind, Operator, Picture};
//!
//! let operator = |name: &str, what: &str| Operator { name: name.into(), what: what.into(), ..Operator::default() };
//! let picture = Picture {
//!     title: "Board".into(),
//!     chains: vec![
//!         Chain { operators: vec![operator("flights", "csv departures.csv")] },
//!         Chain { operators: vec![operator("hourly", "window tumbling 1h")] },
//!     ],
//!     arrows: vec![Arrow { from: 0, to: 1, kind: EdgeKind::ByKey, label: vec!["by key".into()], about: String::new() }],
//!     ..Picture::default()
//! };
//! assert!(picture.to_svg().starts_with("<svg "));
//! ```

mod edge;
mod layout;
mod lines;
mod page;
mod style;
mod svg;
mod text;

pub use edge::EdgeKind;

/// Behind an operator that keeps state.
pub const STATEFUL: &str = "■";
/// What [`STATEFUL`] means.
pub const STATEFUL_MEANS: &str = "keeps state";
/// Behind an operator whose result depends on the order of arrival.
pub const ARRIVAL: &str = "≈";
/// What [`ARRIVAL`] means.
pub const ARRIVAL_MEANS: &str = "result depends on the order in which rows of different workers arrive";

/// What is to be drawn.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// The job's name.
    pub title: String,
    /// One line below it.
    pub subtitle: String,
    /// The boxes, in data order.
    pub chains: Vec<Chain>,
    /// The arrows between them. One that names no box, or one and the same twice, is not drawn.
    pub arrows: Vec<Arrow>,
    /// Lines below the picture; what the marks mean is added in front.
    pub notes: Vec<String>,
}

/// Operators that run as one loop.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// In order, the first being what the chain begins with.
    pub operators: Vec<Operator>,
}

/// One operator of a chain.
#[derive(Clone, Debug, Default)]
pub struct Operator {
    /// The stream it makes, or the source's or sink's name; empty for an operator inside a chain.
    pub name: String,
    /// `filter`, `window tumbling 1h`, ..
    pub what: String,
    /// Whether it keeps state.
    pub stateful: bool,
    /// Whether its result depends on the order of arrival.
    pub arrival_ordered: bool,
    /// Whether it is a sink.
    pub sink: bool,
    /// The operator whose rows it takes, by index; whatever is no operator in front of it counts as the first.
    pub input: usize,
}

/// An edge.
#[derive(Clone, Debug)]
pub struct Arrow {
    /// Index of the sending chain.
    pub from: usize,
    /// Index of the receiving chain.
    pub to: usize,
    /// How rows go.
    pub kind: EdgeKind,
    /// The lines of its label; the first stands out.
    pub label: Vec<String>,
    /// What a pointer on it shows.
    pub about: String,
}

impl Picture {
    /// The picture as an SVG document that needs nothing else: no scripts, no fonts, no links. It is light or dark as the
    /// viewer asks.
    pub fn to_svg(&self) -> String {
        svg::document(self)
    }

    /// The picture as an element for a page of rustdoc, whose theme it follows. It has no blank line, so that Markdown
    /// takes it as it is.
    pub fn to_rustdoc(&self) -> String {
        svg::in_rustdoc(self)
    }

    /// The marks that occur.
    fn marks(&self) -> impl Iterator<Item = Mark> {
        let any = |test: fn(&Operator) -> bool| self.chains.iter().flat_map(|c| &c.operators).any(test);
        let state = any(|o| o.stateful).then_some(Mark::State);
        let arrival = any(|o| o.arrival_ordered).then_some(Mark::Arrival);
        let sink = any(|o| o.sink).then_some(Mark::Sink);
        state.into_iter().chain(arrival).chain(sink)
    }
}

/// A mark behind an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    State,
    Arrival,
    Sink,
}

impl Mark {
    fn means(self) -> &'static str {
        match self {
            Mark::State => STATEFUL_MEANS,
            Mark::Arrival => ARRIVAL_MEANS,
            Mark::Sink => "is a sink: rows leave the job",
        }
    }
}

impl Operator {
    fn marks(&self) -> impl Iterator<Item = Mark> {
        let state = self.stateful.then_some(Mark::State);
        let arrival = self.arrival_ordered.then_some(Mark::Arrival);
        let sink = self.sink.then_some(Mark::Sink);
        state.into_iter().chain(arrival).chain(sink)
    }
}
