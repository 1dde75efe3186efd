//! What the graph must be. Every check runs, none stops at a mistake; each leaves the statement it blames unsound if it
//! cannot be emitted. Checks read the model and know nothing of tokens beyond where to point.

mod arms;
mod chain;
mod checkpoint;
mod ends;
pub(crate) mod flow;
mod generics;
mod life;
mod lock;
mod options;
mod process;
mod resource;
mod time;
mod usage;

use crate::diag::Diagnostics;
use crate::model::Model;

pub(crate) fn check(model: &mut Model, diag: &mut Diagnostics) {
    checkpoint::check(model, diag);
    generics::check(model, diag);
    resource::check(model, diag);
    options::check(model, diag);
    // what is wrong inside of a process is no reason to be silent of where it stands
    let mut wrong = process::check(model, diag);
    wrong.extend(arms::check(model, diag));
    flow::check(model, diag);
    chain::check(model, diag);
    time::check(model, diag);
    wrong.into_iter().for_each(|id| model.streams[id.0].sound = false);
    model.spread_taint();
    ends::check(model, diag);
    lock::check(model, diag);
    usage::check(model, diag);
}
