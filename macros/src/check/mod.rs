//! What the graph must be. Every check runs, none stops at a mistake; each leaves the statement it blames unsound if it
//! cannot be emitted. Checks read the model and know nothing of tokens beyond where to point.

mod chain;
mod ends;
mod life;
mod options;
mod process;
mod time;
mod usage;

use crate::diag::Diagnostics;
use crate::model::Model;

pub(crate) fn check(model: &mut Model, diag: &mut Diagnostics) {
    options::check(model, diag);
    process::check(model, diag);
    chain::check(model, diag);
    time::check(model, diag);
    ends::check(model, diag);
    usage::check(model, diag);
}
