//! What a block gives, on plain tokens: mistakes with their places, plans as short text, a few expansions.

mod arms;
mod exchange;
mod expand;
mod flows;
mod mistakes;
mod names;
mod near;
mod options;
mod plans;
mod process;
mod reference;
mod resource;
mod several;
mod statements;

use std::fmt::Write;

use crate::diag::Diagnostics;
use crate::model::Model;
use crate::{lower, pipeline};

/// Two sources with and without event time, which most cases build on.
const SOURCES: &str = "source timed: T = rows(d), event_time |r| r.at, late_by 1min; source plain: T = rows(d);";

/// The phases that report, over the statements of a job.
fn understand(statements: &str) -> (Vec<Model>, Diagnostics) {
    understand_block(&format!("(pelton) pub job J<Memory> {{ {statements} }}"))
}

fn understand_block(block: &str) -> (Vec<Model>, Diagnostics) {
    let mut diag = Diagnostics::default();
    let (_, models) = pipeline::understand(block.parse().unwrap(), &mut diag);
    (models, diag)
}

/// Each mistake as `at | fact | help`.
fn mistakes(diag: &Diagnostics) -> Vec<String> {
    let line = |error: &syn::Error| {
        let at = error.span().source_text().unwrap_or_default();
        let (fact, help) =
            error.to_string().split_once("\n\nhelp: ").map(|(f, h)| (f.to_string(), h.to_string())).unwrap();
        format!("{} | {fact} | {help}", at.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    diag.errors().iter().map(line).collect()
}

/// The statements have exactly these mistakes, in this order: `at | part of the fact | part of the help`.
#[track_caller]
fn wrong(statements: &str, expected: &[&str]) {
    wrong_block(&format!("(pelton) pub job J<Memory> {{ {statements} }}"), expected);
}

#[track_caller]
fn wrong_block(block: &str, expected: &[&str]) {
    let found = mistakes(&understand_block(block).1);
    let fits = |found: &String, expected: &str| {
        let (found, expected): (Vec<&str>, Vec<&str>) = (found.split(" | ").collect(), expected.split(" | ").collect());
        expected.len() == 3 && found[0] == expected[0] && (1..3).all(|n| found[n].contains(expected[n]))
    };
    let all = found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| fits(f, e));
    let mut shown = String::new();
    for mistake in &found {
        let _ = writeln!(shown, "  {mistake}");
    }
    assert!(all, "\nin    {block}\nfound\n{shown}but expected\n  {}\n", expected.join("\n  "));
    // whatever is wrong, what comes out is Rust
    syn::parse2::<syn::File>(pipeline::expand(block.parse().unwrap())).unwrap();
}

/// With a source `timed` and a source `plain`, what is made of them goes to sinks or is dropped in the case itself.
#[track_caller]
fn wrong_behind_sources(statements: &str, expected: &[&str]) {
    wrong(&format!("{SOURCES} {statements} sink keep(timed, plain) = stdout();"), expected);
}

/// The statements have no mistake.
#[track_caller]
fn right(statements: &str) -> Vec<Model> {
    let (models, diag) = understand(statements);
    assert_eq!(mistakes(&diag), [""; 0], "in {statements}");
    models
}

/// The plan of the statements.
#[track_caller]
fn plan(statements: &str) -> String {
    let models = right(statements);
    lower::explain::explain(&lower::lower(&models[0]))
}
