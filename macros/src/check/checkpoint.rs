//! Checkpoints and restarts that cannot be meant: of no length, of no number, the wrong way round.

use proc_macro2::Literal;

use crate::diag::Diagnostics;
use crate::model::Model;
use crate::syntax::Length;
use crate::syntax::checkpoint::{Checkpoint, Count};
use crate::syntax::restart::How;

pub(crate) fn check(model: &Model, diag: &mut Diagnostics) {
    if let Some(it) = &model.checkpoint {
        checkpoint(it, diag);
    }
    match model.restart.as_ref().and_then(|it| it.how.as_ref()) {
        Some(How::Exponential { first, longest }) => {
            let lengths = (length(first, "exponential", diag), length(longest, "exponential", diag));
            if let (Some((first, _)), Some((longest, token))) = lengths
                && longest < first
            {
                let fact = format!("the longest pause, {token}, is shorter than the first");
                diag.report_mild(
                    token,
                    fact,
                    "write the first pause, then the longest: `restart exponential 1s..=1min`",
                );
            }
        }
        Some(How::Fixed { pause, at_most }) => {
            length(pause, "fixed", diag);
            times(at_most, diag);
        }
        Some(How::FailureRate { at_most, per }) => {
            times(at_most, diag);
            length(per, "per", diag);
        }
        Some(How::None) | None => {}
    }
}

fn checkpoint(it: &Checkpoint, diag: &mut Diagnostics) {
    for (word, value) in [&it.every, &it.timeout].into_iter().flatten() {
        length(value, &word.to_string(), diag);
    }
    match &it.pause {
        Some((_, Length::Literal { micros: 0, token })) => {
            diag.report_mild(token, "a pause of no length has no effect", "remove `pause`, or write a duration");
        }
        Some((word, value)) => drop(length(value, &word.to_string(), diag)),
        None => {}
    }
    if let Some(Count { number: 0, token }) = &it.keep {
        let help = "write `keep 1` or more; without `checkpoint` and `--checkpoints` none are kept";
        diag.report_mild(token, "a job that keeps none of its checkpoints cannot go on from one", help);
    }
}

/// A duration above zero that is known here.
fn length<'l>(length: &'l Length, of: &str, diag: &mut Diagnostics) -> Option<(i64, &'l Literal)> {
    match length {
        Length::Literal { micros: 0, token } => {
            diag.report_mild(token, format!("`{of}` of no length"), format!("write a duration above zero: `{of} 10s`"));
            None
        }
        Length::Literal { micros, token } => Some((*micros, token)),
        // it is looked at when a run starts
        Length::Param(_) => None,
    }
}

fn times(count: &Count, diag: &mut Diagnostics) {
    if count.number == 0 {
        diag.report_mild(&count.token, "a restart that never happens", "write `restart none`");
    }
}
