//! `--print-config`: each setting with its value and where that comes from, in a form that is a config file itself.

use clap::ArgMatches;

use super::config_file::quoted;
use super::flags::CHECKPOINT_EVERY;
use super::layers::{Origins, SETTINGS};
use crate::config::{Config, Defaults};
use crate::job::Param;
use crate::job::origin::Origin;
use crate::job::values::flag_name;
use crate::time::TimeSpan;

/// A line: what stands in front of the comment, and the comment.
struct Line(String, String);

/// What the settings of a run are; their values have been read and are good. Secrets are where they are, and are not looked up.
pub(super) fn print(
    job: &str,
    params: &[Param],
    defaults: &Defaults,
    keeps_files: bool,
    matches: &ArgMatches,
    origins: &Origins,
) -> String {
    let mut text = format!(
        "# The settings of {job}, each with where it comes from: a flag counts more than the environment, that more\n\
         # than a config file, that more than a default. This is a config file itself: --config FILE.\n"
    );
    let of_params: Vec<Line> = params
        .iter()
        .map(|param| {
            let flag = flag_name(param.name);
            match given(param.name, matches) {
                Some(Ok(value)) => Line(assigned(&flag, &value, param.ty), origins.of(param.name).to_string()),
                Some(Err(lossy)) => not_text(&flag, &lossy, origins.of(param.name)),
                None => match (param.value, param.default) {
                    (Some(value), _) => Line(assigned(&flag, value, param.ty), Origin::Default.to_string()),
                    (None, Some(expression)) => {
                        Line(format!("# {flag}"), format!("default, an expression: {}", one_line(expression)))
                    }
                    (None, None) => Line(format!("# {flag}"), "not given".to_owned()),
                },
            }
        })
        .collect();
    let of_runs: Vec<Line> = SETTINGS
        .into_iter()
        .filter(|name| keeps_files || !name.starts_with("state"))
        .map(|name| {
            let ty = if matches!(name, "pin" | "quiet") { "bool" } else { "String" };
            match given(name, matches) {
                Some(Ok(value)) if name == "workers" => {
                    Line(assigned(name, &value, "usize"), origins.of(name).to_string())
                }
                Some(Ok(value)) => Line(assigned(name, &value, ty), origins.of(name).to_string()),
                Some(Err(lossy)) => not_text(name, &lossy, origins.of(name)),
                None => default(name, defaults, matches),
            }
        })
        .collect();
    for (heading, lines) in [("Params", of_params), ("Options", of_runs)] {
        if lines.is_empty() {
            continue;
        }
        text += &format!("\n# {heading}\n");
        let width = lines.iter().map(|line| line.0.chars().count()).filter(|width| *width <= 40).max().unwrap_or(0);
        for Line(front, comment) in lines {
            text += &format!("{front:<width$}  # {comment}\n");
        }
    }
    text
}

/// The value that was given, if it is text.
fn given(name: &str, matches: &ArgMatches) -> Option<Result<String, String>> {
    let raw = matches.try_get_raw(name).ok().flatten()?.next()?;
    Some(raw.to_str().map(str::to_owned).ok_or_else(|| raw.to_string_lossy().into_owned()))
}

fn not_text(flag: &str, lossy: &str, origin: Origin) -> Line {
    let comment = format!("{origin}: {}, which is not UTF-8 and cannot stand in a file", quoted(lossy));
    Line(format!("# {flag}"), comment)
}

/// `least = -5`: as a number or a boolean where the type is one, else as text.
fn assigned(flag: &str, value: &str, ty: &str) -> String {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let decimal = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let bare = match ty {
        "bool" => matches!(value, "true" | "false"),
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" | "isize" => {
            decimal && (digits == "0" || !digits.starts_with('0')) && value.parse::<i64>().is_ok()
        }
        _ => false,
    };
    if bare { format!("{flag} = {value}") } else { format!("{flag} = {}", quoted(value)) }
}

/// A comment ends with its line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A setting of the run that nobody has said.
fn default(name: &str, defaults: &Defaults, matches: &ArgMatches) -> Line {
    let usual = Origin::Default.to_string();
    let line = |value: String| Line(format!("{name} = {value}"), usual.clone());
    match name {
        "workers" => Line(format!("workers = {}", Config::default().workers), "default, one per core".to_owned()),
        "pin" | "quiet" => line("false".to_owned()),
        "log" => line(quoted("text")),
        // as it is said in the log
        "summary" => match matches.get_one::<String>("log") {
            Some(log) => Line(format!("summary = {}", quoted(log)), "default, as `log`".to_owned()),
            None => line(quoted("text")),
        },
        "checkpoint-every" => {
            let every = TimeSpan::try_from(defaults.every.unwrap_or(CHECKPOINT_EVERY));
            let every = every.map_or_else(|_| String::new(), |every| every.to_string());
            match (defaults.every_param, matches.contains_id("checkpoints")) {
                (Some(param), _) => Line(format!("# {name}"), format!("default, that of `{}`", flag_name(param))),
                (None, true) => line(quoted(&every)),
                (None, false) => {
                    Line(format!("# {name} = {}", quoted(&every)), "default, with `checkpoints`".to_owned())
                }
            }
        }
        "state" => Line(format!("# {name}"), "default, the system's folder for temporary files".to_owned()),
        "state-memory" => line(quoted("2GiB")),
        _ => Line(format!("# {name}"), "not given".to_owned()),
    }
}
