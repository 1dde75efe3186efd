//! [`Meets`]: which sources come together in front of an operator that goes by event time. One in which nothing comes for long does not
//! hold the others back there, and what it gives later is judged by what they have come to.

use crate::plan::Plan;
use std::collections::{BTreeMap, BTreeSet};

/// By the number of a source: for each operator behind it that goes by event time, the other sources in front of that. Only sources
/// that meet another one are in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meets(BTreeMap<usize, Vec<BTreeSet<usize>>>);

impl Meets {
    /// Those of a plan. Sources have the numbers of their chains' order.
    pub fn of(plan: &Plan) -> Meets {
        let begins = (0..plan.chains.len()).filter(|chain| plan.edges.iter().all(|edge| edge.to != *chain));
        let reached: Vec<BTreeSet<usize>> = begins.map(|chain| timed_behind(plan, chain)).collect();
        let mut meets = BTreeMap::new();
        for (source, behind) in reached.iter().enumerate() {
            let others = |chain: &usize| {
                let others =
                    reached.iter().enumerate().filter(|(other, there)| *other != source && there.contains(chain));
                others.map(|(other, _)| other).collect::<BTreeSet<usize>>()
            };
            let groups: BTreeSet<BTreeSet<usize>> = behind.iter().map(others).collect();
            if groups.iter().any(|group| !group.is_empty()) {
                meets.insert(source, groups.into_iter().collect());
            }
        }
        Meets(meets)
    }

    /// Whether a source meets another one.
    pub fn has(&self, source: usize) -> bool {
        self.0.contains_key(&source)
    }

    /// Each source that meets others: for each operator behind it, which.
    pub fn all(&self) -> impl Iterator<Item = (usize, &[BTreeSet<usize>])> {
        self.0.iter().map(|(source, groups)| (*source, &groups[..]))
    }
}

#[cfg(test)]
impl FromIterator<(usize, Vec<BTreeSet<usize>>)> for Meets {
    fn from_iter<I: IntoIterator<Item = (usize, Vec<BTreeSet<usize>>)>>(all: I) -> Self {
        Meets(all.into_iter().collect())
    }
}

/// The chains behind this one to which rows come by key and with their time.
fn timed_behind(plan: &Plan, chain: usize) -> BTreeSet<usize> {
    let (mut found, mut seen, mut next) = (BTreeSet::new(), BTreeSet::new(), vec![chain]);
    while let Some(chain) = next.pop() {
        if !seen.insert(chain) {
            continue;
        }
        for edge in plan.edges.iter().filter(|edge| edge.from == chain) {
            let keeps =
                plan.chains.get(edge.to).is_some_and(|chain| chain.operators.first().is_some_and(|o| o.stateful));
            if edge.timed && keeps {
                found.insert(edge.to);
            }
            next.push(edge.to);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Chain, Edge, EdgeKind, Operator};

    /// Chains, of which the capital ones keep state, and edges between them; those in the second list have times.
    fn plan(chains: &str, edges: &[(usize, usize)], timed: &[(usize, usize)]) -> Plan {
        let operator = |stateful| Operator {
            what: String::new(),
            name: String::new(),
            arrival_ordered: false,
            stateful,
            sink: false,
            input: 0,
            counted: None,
        };
        let edge = |&(from, to): &(usize, usize), timed| Edge {
            from,
            to,
            kind: EdgeKind::ByKey,
            because: String::new(),
            key: String::new(),
            row: String::new(),
            row_bytes: 0,
            timed,
            combined: false,
            bound_bytes: 0,
        };
        Plan {
            job: String::new(),
            backend: String::new(),
            workers: 1,
            chains: chains.chars().map(|c| Chain { operators: vec![operator(c.is_uppercase())] }).collect(),
            edges: edges.iter().map(|e| edge(e, false)).chain(timed.iter().map(|e| edge(e, true))).collect(),
            dropped: Vec::new(),
        }
    }

    fn shown(plan: &Plan) -> Vec<(usize, Vec<Vec<usize>>)> {
        let meets = Meets::of(plan);
        meets.all().map(|(s, groups)| (s, groups.iter().map(|g| g.iter().copied().collect()).collect())).collect()
    }

    #[test]
    fn sources_meet_in_front_of_what_goes_by_time() {
        // Two sources into one window.
        assert_eq!(shown(&plan("abW", &[], &[(0, 2), (1, 2)])), [(0, vec![vec![1]]), (1, vec![vec![0]])]);
        // Each into a window of its own; into a total, which has no time; into a sink.
        assert_eq!(shown(&plan("abWV", &[], &[(0, 2), (1, 3)])), []);
        assert_eq!(shown(&plan("abW", &[(0, 2), (1, 2)], &[])), []);
        assert_eq!(shown(&plan("abs", &[], &[(0, 2), (1, 2)])), []);
        // Through a union; and the second source has a window for itself, too.
        let union = plan("abuWV", &[], &[(0, 2), (1, 2), (2, 3), (1, 4)]);
        assert_eq!(shown(&union), [(0, vec![vec![1]]), (1, vec![vec![], vec![0]])]);
        // Behind the window of one of them: the window of the first is its own.
        let behind = plan("abWV", &[], &[(0, 2), (2, 3), (1, 3)]);
        assert_eq!(shown(&behind), [(0, vec![vec![], vec![1]]), (1, vec![vec![0]])]);
        assert!(Meets::of(&behind).has(1) && !Meets::of(&behind).has(2));
    }
}
