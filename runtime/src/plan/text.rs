//! The plan as text: chains as numbered boxes from top to bottom, under each the edges that leave it. What a person
//! reads on a terminal and what snapshot tests compare. It prints what [`Plan`] holds and decides nothing.

use std::fmt;

use pelton_picture::{ARRIVAL, ARRIVAL_MEANS, STATEFUL, STATEFUL_MEANS};

use super::units::bytes;
use super::{Edge, EdgeKind, Operator, Plan};

/// The plan as a tree of boxes, for a terminal.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title())?;
        let columns = Columns::of(self);
        for (index, chain) in self.chains.iter().enumerate() {
            writeln!(f)?;
            let number = index + 1;
            let rule = columns.inner().saturating_sub(digits(number) + 3);
            writeln!(f, "┌─ {number} {}┐", "─".repeat(rule))?;
            for operator in &chain.operators {
                writeln!(f, "│{}│", columns.row(operator))?;
            }
            writeln!(f, "└{}┘", "─".repeat(columns.inner()))?;
            let out: Vec<&Edge> = self.edges.iter().filter(|e| e.from == index).collect();
            for (i, edge) in out.iter().enumerate() {
                let (tee, down) = if i + 1 < out.len() { ("├", "│") } else { ("└", " ") };
                writeln!(f, "  {tee}─▶ {}  {}; cut because of {}", edge.to + 1, edge.how(), edge.because)?;
                let indent = digits(edge.to + 1) + 5;
                writeln!(f, "  {down}{:indent$}{}", "", edge.details())?;
            }
        }
        let mut legend = self.legend().peekable();
        if legend.peek().is_some() || !self.dropped.is_empty() {
            writeln!(f)?;
        }
        for (mark, meaning) in legend {
            writeln!(f, "{mark} {meaning}")?;
        }
        if !self.dropped.is_empty() {
            writeln!(f, "dropped: {}", self.dropped.join(", "))?;
        }
        Ok(())
    }
}

impl Plan {
    /// `Board<Memory> on 2 workers: 3 chains, 2 edges`, and on a line of its own the bound.
    fn title(&self) -> String {
        let Plan { job, backend, .. } = self;
        let workers = count(self.workers, "worker");
        let (chains, edges) = (count(self.chains.len(), "chain"), count(self.edges.len(), "edge"));
        format!("{job}<{backend}> on {workers}: {chains}, {edges}\n{}", self.bound_text())
    }

    /// `At most 8 MiB under way between 2 workers`.
    pub(super) fn bound_text(&self) -> String {
        let bound = bytes(self.bound_bytes());
        match self.workers {
            _ if self.edges.is_empty() => "Nothing is under way between chains: there are no edges".to_owned(),
            1 => format!("At most {bound} under way between chains"),
            n => format!("At most {bound} under way between {n} workers"),
        }
    }

    /// The marks that occur, and what they mean.
    pub(super) fn legend(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let any = |test: fn(&Operator) -> bool| self.chains.iter().flat_map(|c| &c.operators).any(test);
        let stateful = any(|o| o.stateful).then_some((STATEFUL, STATEFUL_MEANS));
        let arrival = any(|o| o.arrival_ordered).then_some((ARRIVAL, ARRIVAL_MEANS));
        stateful.into_iter().chain(arrival)
    }
}

impl Operator {
    /// `■≈`, or nothing.
    pub(super) fn marks(&self) -> String {
        let mut marks = String::new();
        if self.stateful {
            marks.push_str(STATEFUL);
        }
        if self.arrival_ordered {
            marks.push_str(ARRIVAL);
        }
        marks
    }
}

impl Edge {
    /// `by key Airport`, or that it stays on its worker.
    pub(super) fn how(&self) -> String {
        match self.kind {
            EdgeKind::ByKey if self.key.is_empty() => "by key, to the worker that owns it".to_owned(),
            EdgeKind::ByKey => format!("by key {}, to the worker that owns it", self.key),
            EdgeKind::Local => "to the same worker".to_owned(),
            EdgeKind::Rebalance => "to each worker in turn".to_owned(),
            EdgeKind::Shuffle => "to any worker, by chance".to_owned(),
            EdgeKind::Broadcast => "to every worker".to_owned(),
            EdgeKind::Global => "to one worker".to_owned(),
            EdgeKind::Partition => "to the worker that the block names".to_owned(),
        }
    }

    /// `(u64, i64), 16 B`.
    pub(super) fn row_text(&self) -> String {
        format!("{}, {}", self.row, bytes(self.row_bytes as u64))
    }

    /// `at most 4 MiB under way`.
    pub(super) fn bound_text(&self) -> String {
        format!("at most {} under way", bytes(self.bound_bytes))
    }

    /// What stands beside an arrow, where there is little room: kind, cause, rows, bound.
    pub(super) fn label(&self) -> Vec<String> {
        let mut rows = self.row_text();
        if self.timed {
            rows.push_str(", timed");
        }
        if self.combined {
            rows.push_str(", combined");
        }
        vec![self.kind.words(&self.key), format!("cut at {}", self.because), rows, self.bound_text()]
    }

    /// What crosses, and how much of it.
    fn details(&self) -> String {
        let time = if self.timed { "with event time" } else { "without event time" };
        let combined = if self.combined { ", combined first" } else { "" };
        format!("rows: {}, {time}{combined}; {}", self.row_text(), self.bound_text())
    }
}

/// `1 worker`, `2 workers`.
fn count(n: usize, of: &str) -> String {
    format!("{n} {of}{}", if n == 1 { "" } else { "s" })
}

fn digits(n: usize) -> usize {
    n.to_string().len()
}

/// Widths, the same for every box, so that the eye can go straight down.
struct Columns {
    name: usize,
    what: usize,
    marks: usize,
}

impl Columns {
    fn of(plan: &Plan) -> Columns {
        let widest = |measure: fn(&Operator) -> usize| {
            plan.chains.iter().flat_map(|c| &c.operators).map(measure).max().unwrap_or_default()
        };
        Columns {
            name: widest(|o| o.name.chars().count()),
            what: widest(|o| o.what.chars().count()),
            marks: widest(|o| o.marks().chars().count()),
        }
    }

    /// Width between the two sides of a box.
    fn inner(&self) -> usize {
        let marks = if self.marks > 0 { self.marks + 2 } else { 0 };
        self.name + self.what + marks + 4
    }

    fn row(&self, operator: &Operator) -> String {
        let Columns { name, what, .. } = *self;
        let row = format!(" {:name$}  {:what$}", operator.name, operator.what);
        let row = if self.marks > 0 { format!("{row}  {}", operator.marks()) } else { row };
        let width = self.inner();
        format!("{row:width$}")
    }
}
