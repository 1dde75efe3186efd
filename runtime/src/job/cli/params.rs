//! The params of a job as flags of its binary.

use clap::builder::ValueParser;
use clap::{Arg, ArgMatches, ValueHint};

use crate::error::Fault;
use crate::job::values::flag_name;
use crate::job::{Param, Values};

use super::flags::RESERVED;
use super::layers::Origins;

/// The flags, in the order of the block.
pub(super) fn flags(params: &[Param]) -> impl Iterator<Item = Arg> + '_ {
    params.iter().map(|param| {
        let flag = Arg::new(param.name)
            .long(static_flag(param.name))
            .value_name(if is_secret(param) { "env:NAME|file:PATH" } else { param.ty })
            .value_parser(ValueParser::os_string())
            .help(help(param))
            .help_heading("Params")
            .required(is_required(param))
            .allow_negative_numbers(true);
        let is_path = param.ty.rsplit("::").next() == Some("PathBuf");
        let flag = if is_path { flag.value_hint(ValueHint::AnyPath) } else { flag };
        if param.ty == "bool" {
            // `--dry` and `--dry=true` mean the same, and `--dry=false` is there for a default that is true.
            flag.num_args(0..=1).require_equals(true).default_missing_value("true")
        } else {
            flag
        }
    })
}

/// clap keeps the names of flags as `&'static str`. A name with an underscore is therefore leaked: some bytes, once
/// per flag in the life of a process.
fn static_flag(param: &'static str) -> &'static str {
    let flag = flag_name(param);
    if flag == param { param } else { flag.leak() }
}

/// Whether it is named by where it is.
pub(super) fn is_secret(param: &Param) -> bool {
    param.ty.rsplit("::").next() == Some("Secret")
}

pub(super) fn is_required(param: &Param) -> bool {
    param.default.is_none() && !param.optional
}

fn help(param: &Param) -> String {
    let mut help = paragraphs(param.help);
    if !help.is_empty() {
        help.push(' ');
    }
    match param.default {
        Some(default) => help + &format!("[default: {}]", unquoted(default)),
        None if param.optional => help + "[optional]",
        None => help + "[required]",
    }
}

/// A default that is a string literal without its quotes, as one would write it on the command line.
pub(super) fn unquoted(default: &str) -> &str {
    let inner = default.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.filter(|text| !text.contains(['"', '\\'])).unwrap_or(default)
}

/// The lines of a doc comment as paragraphs, which clap breaks where the terminal ends.
pub(super) fn paragraphs(doc: &str) -> String {
    let lines = doc.lines().map(str::trim);
    let mut text = String::new();
    let mut gap = false;
    for line in lines {
        if line.is_empty() {
            gap = !text.is_empty();
            continue;
        }
        if !text.is_empty() {
            text.push_str(if gap { "\n\n" } else { " " });
        }
        gap = false;
        text.push_str(line);
    }
    text
}

/// What was given for them.
pub(super) fn values(params: &[Param], matches: &ArgMatches, origins: &Origins) -> Values {
    let mut values = Values::new(params);
    for param in params {
        if let Some(text) = matches.get_one::<std::ffi::OsString>(param.name) {
            values.give(param.name, text.clone(), origins.of(param.name));
        }
    }
    values
}

/// Refuses params that cannot have flags of their names.
///
/// # Errors
/// If one has the name of a flag that every job has, or the flag of another param.
pub(super) fn check_names(job: &str, params: &[Param]) -> Result<(), Fault> {
    for (index, param) in params.iter().enumerate() {
        let flag = flag_name(param.name);
        if RESERVED.contains(&&*flag) {
            let what =
                format!("param `{}` of `{job}` has the name of a flag that every job has: `--{flag}`", param.name);
            return Err(Fault::new(what).help("give the param another name"));
        }
        if let Some(twin) = params.iter().take(index).find(|other| flag_name(other.name) == flag) {
            let what = format!("params `{}` and `{}` of `{job}` are the same flag: `--{flag}`", twin.name, param.name);
            return Err(Fault::new(what).help("give one of them another name"));
        }
    }
    Ok(())
}
