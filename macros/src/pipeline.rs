//! The whole way of a block, on one page: parse, resolve, check, lower, emit. Mistakes are collected on the way; what
//! they spoil is left out, and everything else is emitted, so that one broken statement takes nothing else down.

use proc_macro2::TokenStream;

use crate::diag::Diagnostics;
use crate::lock::Lock;
use crate::model::{Known, Model};
use crate::{check, emit, lock, lower, model, syntax};

/// Under rust-analyzer half-written closures are pasted as they are: completion needs them.
const EDITOR: &str = "RUST_ANALYZER_INTERNALS_DO_NOT_USE";

/// What a block becomes.
pub(crate) fn expand(block: TokenStream) -> TokenStream {
    let mut diag = Diagnostics::default();
    diag.editor = std::env::var_os(EDITOR).is_some();
    let (root, models) = understand(block, &mut diag);
    // what was accepted, as far as it can be known without types; the rest is asked of rustc
    let locks: Vec<Lock> = models.iter().map(|model| lock::read(model, &mut diag)).collect();
    let jobs = models.iter().zip(&locks);
    let editor = diag.editor;
    let items = jobs.map(|(model, lock)| {
        let plan = lower::lower(model);
        if model.flow.is_some() { emit::flow(&plan, &root) } else { emit::job(&plan, lock, &root, editor) }
    });
    let jobs: TokenStream = items.collect();
    let errors = diag.into_tokens();
    // An editor expands the block a second time, with a name where the cursor is, and looks for the same place in both: what
    // is said of a half-written statement must not stand in front of it.
    if editor { quote::quote!(#jobs #errors) } else { quote::quote!(#errors #jobs) }
}

/// The phases that report.
pub(crate) fn understand(block: TokenStream, diag: &mut Diagnostics) -> (TokenStream, Vec<Model>) {
    let (root, jobs) = syntax::parse(block, diag);
    let flows: Vec<Known> = jobs.iter().filter_map(|job| Some(Known::of(&job.name, job.flow.as_ref()?))).collect();
    let mut models: Vec<Model> = vec![];
    for job in jobs {
        let mut model = model::resolve(job, &flows, diag);
        model.spread_taint(); // first gate: what has no meaning is out
        check::check(&mut model, diag);
        model.spread_taint(); // second gate: what has no sense is out; behind it nothing reports
        models.push(model);
    }
    check::flow::recursion(&mut models, diag);
    check::flow::timed(&mut models);
    check::flow::handed(&mut models);
    (root, models)
}
