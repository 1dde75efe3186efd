//! What a `split` must be: the last operator of its chain, with names that are free, and a way for every row.

use std::collections::BTreeSet;

use crate::catalog;
use crate::diag::Diagnostics;
use crate::model::{Model, Port, StreamId};
use crate::syntax::{Call, Split, When};

/// Gives the streams that cannot be emitted.
pub(super) fn check(model: &Model, diag: &mut Diagnostics) -> Vec<StreamId> {
    let mut wrong = vec![];
    for id in model.ids().filter(|id| model.stream(*id).sound) {
        let stream = model.stream(id);
        let mark = diag.mark();
        for (n, op) in stream.ops.iter().enumerate() {
            let Call::Split(split) = &op.call else { continue };
            if let Some(next) = stream.ops.get(n + 1) {
                let first = split.arms.first().map_or("output".to_string(), |arm| arm.name.to_string());
                let help = format!(
                    "end the chain here with `;` and go on with an output: `let next = {}.{first}.{}(..);`",
                    stream.name, next.name
                );
                diag.report(&next.name, format!("`{}` cannot follow `split`", next.name), help);
                break;
            }
            let others: BTreeSet<String> = stream
                .others()
                .into_iter()
                .filter(|(port, ..)| !matches!(port, Port::Arm(_)))
                .map(|(_, name, _)| name)
                .collect();
            names(split, others, diag);
            whole(split, diag);
            if let Some(ty) = &stream.declared {
                let fact = format!("`{}` is split and has no rows of its own to declare", stream.name);
                let help = format!("declare an output: `let name: Type = {}.output;`", stream.name);
                diag.report_mild(ty, fact, help);
            }
        }
        if diag.spoiled_since(mark) {
            wrong.push(id);
        }
    }
    wrong
}

/// Every name once.
fn names(split: &Split, mut known: BTreeSet<String>, diag: &mut Diagnostics) {
    for arm in &split.arms {
        let name = &arm.name;
        if catalog::OUTPUTS.contains(&&*name.to_string()) {
            diag.report(name, format!("`{name}` is the name of an output of the language"), "give it another name");
        } else if !known.insert(name.to_string()) {
            let help = "give it another name; two patterns of one output are one: `A | B`";
            diag.report(name, format!("`{name}` is the name of an output already"), help);
        }
    }
}

/// The first that fits takes the row, and one must. What patterns leave open is for rustc to find; what follows a test is seen here.
fn whole(split: &Split, diag: &mut Diagnostics) {
    let rest = split.arms.iter().position(|arm| matches!(arm.when, When::Rest(_)));
    if let Some(at) = rest
        && let Some(after) = split.arms.get(at + 1)
    {
        let fact = format!("no row comes to `{}`: `{}` takes whatever is left", after.name, split.arms[at].name);
        diag.report(&after.name, fact, format!("put `{}: _;` last", split.arms[at].name));
        return;
    }
    match &split.arms[..] {
        [one] if matches!(one.when, When::Rest(_)) => {
            diag.report(&one.name, "every row goes the same way", "remove the `split`, or say what else there is");
        }
        [.., last] if tests(&last.when) => {
            let fact = format!("a row that does not pass the test of `{}` goes nowhere", last.name);
            diag.report(&last.name, fact, "name what is left, behind it: `rest: _;`");
        }
        _ => {}
    }
}

/// Whether a row may fail it, whatever rustc finds.
fn tests(when: &When) -> bool {
    matches!(when, When::Test(_) | When::Pattern { test: Some(_), .. })
}
