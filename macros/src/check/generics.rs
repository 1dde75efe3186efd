//! Type parameters of a job: whoever makes the job names them by the params, so each is in the type of one.

use crate::diag::Diagnostics;
use crate::model::Model;
use crate::syntax::code::mentions;

pub(crate) fn check(model: &mut Model, diag: &mut Diagnostics) {
    if model.flow.is_some() {
        return;
    }
    let Model { generics, params, .. } = model;
    generics.retain(|name| {
        let has = params.iter().any(|param| mentions(param.ty.clone(), &name.to_string()));
        if !has {
            let help = format!("write a param whose type has it, such as `param rows: Vec<{name}>;`, or remove it");
            diag.report_mild(name, format!("no param has `{name}` in its type"), help);
        }
        has
    });
}
