//! The plan in the language of Graphviz: `JOB plan --format dot | dot -Tpdf > plan.pdf`. Graphviz draws it; here is
//! only what stands in it. For a picture without any tool there is `svg`.

use std::fmt::Write as _;

use super::{EdgeKind, Plan};

impl Plan {
    /// The plan as a directed graph for Graphviz: a box per chain, an arrow per edge.
    pub fn to_dot(&self) -> String {
        let mut out = String::new();
        self.write_dot(&mut out);
        out
    }

    fn write_dot(&self, out: &mut String) {
        // Writing into a String does not fail, hence the ignored results.
        let title = format!("{}<{}>\n{}", self.job, self.backend, self.bound_text());
        let _ = writeln!(out, "digraph {} {{", quoted(&self.job));
        let _ = writeln!(out, "  graph [rankdir=TB, labelloc=t, fontname=\"Helvetica\", label={}];", quoted(&title));
        let _ = writeln!(out, "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#eef4fb\", color=\"#3b6ea5\",");
        let _ = writeln!(out, "        fontname=\"Courier\", fontsize=11, margin=\"0.2,0.12\"];");
        let _ = writeln!(out, "  edge [color=\"#5b6b7d\", fontname=\"Helvetica\", fontsize=10];");
        for (index, chain) in self.chains.iter().enumerate() {
            let width = chain.operators.iter().map(|o| o.name.chars().count()).max().unwrap_or_default();
            let mut lines = vec![format!("chain {}", index + 1)];
            for operator in &chain.operators {
                let line = format!("{:width$}  {} {}", operator.name, operator.what, operator.marks());
                lines.push(if width == 0 { line.trim().to_owned() } else { line.trim_end().to_owned() });
            }
            let _ = writeln!(out, "  c{} [label={}];", index + 1, left_aligned(&lines));
        }
        for edge in &self.edges {
            let style = match edge.kind {
                EdgeKind::Local => "dashed",
                _ => "solid",
            };
            let label = left_aligned(&edge.label());
            let _ = writeln!(out, "  c{} -> c{} [style={style}, label={label}];", edge.from + 1, edge.to + 1);
        }
        let mut notes: Vec<String> = self.legend().map(|(mark, meaning)| format!("{mark} {meaning}")).collect();
        if !self.dropped.is_empty() {
            notes.push(format!("dropped: {}", self.dropped.join(", ")));
        }
        if !notes.is_empty() {
            let _ = writeln!(out, "  notes [shape=plaintext, style=\"\", label={}];", left_aligned(&notes));
        }
        out.push_str("}\n");
    }
}

/// A string of Graphviz, its lines centered.
fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// A string of Graphviz whose lines start at the left: `\l` ends each.
fn left_aligned(lines: &[String]) -> String {
    let lines: String = lines.iter().map(|line| escaped(line) + "\\l").collect();
    format!("\"{lines}\"")
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
