//! The examples of use in `--help`: each can be given as it stands, once the words in capitals are filled in.

use super::params::{is_required, is_secret, unquoted};
use crate::job::Param;
use crate::job::values::flag_name;

pub(super) fn run(program: &str, params: &[Param]) -> String {
    format!("  {program} run{} --workers 2", with_params(params))
}

pub(super) fn plan(program: &str, params: &[Param]) -> String {
    format!("  {program} plan{} --format svg > plan.svg", with_params(params))
}

/// The params that must be given, or the first one where none must, so that an example shows how it is done.
pub(super) fn with_params(params: &[Param]) -> String {
    let required = params.iter().filter(|p| is_required(p));
    let shown: Vec<&Param> =
        if params.iter().any(is_required) { required.collect() } else { params.iter().take(1).collect() };
    shown.into_iter().map(|param| format!(" --{}{}", flag_name(param.name), value(param))).collect()
}

/// The default where it can stand on a command line as it is, else a word that says what belongs there.
fn value(param: &Param) -> String {
    if param.ty == "bool" {
        return String::new();
    }
    if is_secret(param) && param.default.is_none() {
        return format!(" env:{}", flag_name(param.name).replace('-', "_").to_uppercase());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    match param.default.map(unquoted) {
        Some(text) if !text.is_empty() && text.chars().all(plain) => format!(" {text}"),
        _ => format!(" {}", flag_name(param.name).replace('-', "_").to_uppercase()),
    }
}
