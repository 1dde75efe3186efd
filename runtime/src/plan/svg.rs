//! The plan as a picture, to look at in a browser or to put in a talk: what stands in it. How it is drawn is
//! `pelton-picture`'s, which draws for the macro too.

use pelton_picture::{Arrow, Picture};

use super::{Edge, Operator, Plan};

impl Plan {
    /// The plan as an SVG document that needs nothing else: no scripts, no fonts, no links. It is light or dark as the
    /// viewer asks.
    pub fn to_svg(&self) -> String {
        self.picture().to_svg()
    }

    fn picture(&self) -> Picture {
        let operators = |chain: &super::Chain| chain.operators.iter().map(Operator::drawn).collect();
        let dropped = (!self.dropped.is_empty()).then(|| format!("dropped: {}", self.dropped.join(", ")));
        Picture {
            title: self.job.clone(),
            subtitle: format!("State in {}. {}.", self.backend, self.bound_text()),
            chains: self.chains.iter().map(|chain| pelton_picture::Chain { operators: operators(chain) }).collect(),
            arrows: self.edges.iter().map(Edge::drawn).collect(),
            notes: dropped.into_iter().collect(),
        }
    }
}

impl Operator {
    fn drawn(&self) -> pelton_picture::Operator {
        let Operator { what, name, arrival_ordered, stateful, sink, input, counted: _ } = self.clone();
        pelton_picture::Operator { name, what, stateful, arrival_ordered, sink, input }
    }
}

impl Edge {
    fn drawn(&self) -> Arrow {
        let about = format!("{}; cut here because of {}", self.how(), self.because);
        Arrow { from: self.from, to: self.to, kind: self.kind, label: self.label(), about }
    }
}
