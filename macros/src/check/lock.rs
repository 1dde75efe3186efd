//! Old names: they belong to operators that keep state, and lead to one place.

use crate::catalog::Role;
use crate::diag::Diagnostics;
use crate::model::Model;

pub(crate) fn check(model: &Model, diag: &mut Diagnostics) {
    let mut claimed: Vec<&proc_macro2::Ident> = vec![];
    for stream in model.streams.iter().filter(|stream| stream.sound) {
        let keeps = stream.ops.iter().any(|op| op.role() == Role::Stateful);
        for old in &stream.was {
            if !keeps {
                let help = "remove it: names are looked up in what is stored";
                diag.report_mild(old, format!("`{}` keeps no state, so it needs no old name", stream.name), help);
            } else if model.streams.iter().any(|it| it.name == *old) {
                diag.report_mild(
                    old,
                    format!("`{old}` is the name of a stream here"),
                    "an old name is free now; remove it",
                );
            } else if claimed.contains(&old) {
                diag.report_mild(old, format!("`{old}` is the old name of another stream"), "remove one of the two");
            }
            claimed.push(old);
        }
    }
}
