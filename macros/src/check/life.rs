//! State that could grow for ever says how long it lives, or why it stays small.

use quote::ToTokens;

use super::options::{absurd, whole_millis};
use crate::diag::Diagnostics;
use crate::syntax::life::FORM;
use crate::syntax::{Length, Life};

/// What is wrong with the bound of `what`, which stands at `at`. `timed`: its rows have event time.
pub(super) fn check(life: &Life, what: &str, at: impl ToTokens, timed: bool, diag: &mut Diagnostics) {
    if let (Some(_), Some(second)) = (&life.ttl, &life.unbounded) {
        diag.report_mild(second, "`ttl` and `unbounded` exclude each other", "keep one of them");
    }
    match &life.ttl {
        Some((_, Length::Literal { micros: 0, token })) => {
            diag.report_mild(
                token,
                "a `ttl` of no length keeps nothing",
                "write how long it is kept, such as `ttl 24h`",
            );
        }
        Some((_, length)) => {
            absurd(length, "a `ttl`", "what may stay for ever is `unbounded(\"why\")`", diag);
            if timed {
                whole_millis(length, diag);
            }
        }
        None if !life.said => {
            let help = format!("write {FORM}");
            diag.report_mild(at, format!("{what} can grow for ever: it keeps something per key"), help);
        }
        None => {}
    }
}
