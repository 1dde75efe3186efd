//! The flags that every job has.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, ValueHint};

use crate::config::{Config, Defaults};
use crate::job::values::flag_name;
use crate::time::TimeSpan;

/// Flags that every job has. A param of one of these names is refused.
pub(super) const RESERVED: [&str; 20] = [
    "workers",
    "pin",
    "quiet",
    "log",
    "summary",
    "config",
    "print-config",
    "format",
    "help",
    "checkpoints",
    "checkpoint-every",
    "fresh",
    "from",
    "fork",
    "control",
    "accept",
    "base",
    "base-checkpoint",
    "state",
    "state-memory",
];

/// From one checkpoint to the next, if neither the settings nor the block say it.
pub(super) const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

/// Over the flags that every job has.
pub(super) const HEADING: &str = "Options";

/// Those of `run` and `restore`.
pub(super) fn run_flags(defaults: &Defaults) -> Vec<Arg> {
    let every = TimeSpan::try_from(defaults.every.unwrap_or(CHECKPOINT_EVERY));
    let every = match defaults.every_param {
        Some(param) => format!(" [default: that of --{}]", flag_name(param)),
        None => every.map_or_else(|_| String::new(), |every| format!(" [default: {every}]")),
    };
    vec![
        workers_flag(),
        setting("pin", "Keeps each worker on a core of its own"),
        setting("quiet", "Shows neither progress nor the summary, only warnings and errors"),
        form_flag("log", "text or json: how progress, restarts, warnings and checkpoints are told [default: text]"),
        form_flag("summary", "text or json: how the numbers at the end are told [default: as the log]"),
        config_flag(),
        switch("print-config", "Prints each setting with where it comes from, as a config file, and runs nothing"),
        Arg::new("checkpoints")
            .long("checkpoints")
            .value_name("PLACE")
            .help_heading(HEADING)
            .help("Keeps checkpoints in this directory (or at this URL) and goes on from the newest one that is there"),
        Arg::new("checkpoint-every")
            .long("checkpoint-every")
            .value_name("TIME")
            .value_parser(parse_time)
            .requires("checkpoints")
            .help_heading(HEADING)
            .help(format!("From the start of one checkpoint to the next, like 500ms or 1min{every}")),
        switch("fresh", "Begins anew, though there is a checkpoint to go on from")
            .requires("checkpoints")
            .conflicts_with_all(["from", "fork"]),
        Arg::new("from")
            .long("from")
            .value_name("CHECKPOINT")
            .requires("checkpoints")
            .help_heading(HEADING)
            .help("Goes on from this one: its number, as `state list` shows it, or the place of a savepoint"),
        switch("fork", "Allows a new branch of history: from an older checkpoint, or with other params")
            .requires("checkpoints"),
        Arg::new("control")
            .long("control")
            .value_name("PATH")
            .value_parser(ValueParser::path_buf())
            .help_heading(HEADING)
            .help("Listens for `savepoint` and `stop` at this socket, and not in the directory of checkpoints"),
    ]
}

/// A setting that is on or off: `--pin`, and `--pin=false` where the environment or the config file says otherwise.
fn setting(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .help(help)
        .value_name("bool")
        .value_parser(clap::value_parser!(bool))
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .hide_possible_values(true)
        .help_heading(HEADING)
}

/// Text for people or JSON for programs.
fn form_flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("FORM")
        .value_parser(PossibleValuesParser::new(["text", "json"]))
        .hide_possible_values(true)
        .help_heading(HEADING)
        .help(help)
}

/// The file below the environment.
pub(super) fn config_flag() -> Arg {
    Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(ValueParser::path_buf())
        .value_hint(ValueHint::FilePath)
        .help_heading(HEADING)
        .help("Takes settings that no flag and no environment variable says from this file, a line of TOML each")
}

/// On if it is there.
pub(super) fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue).help_heading(HEADING)
}

/// clap's own stands under a heading that comes before all others; what a job is about are its params.
pub(super) fn help_flag() -> Arg {
    Arg::new("help").short('h').long("help").help("Prints this").action(ArgAction::Help).help_heading(HEADING)
}

/// How wide a job runs.
pub(super) fn workers_flag() -> Arg {
    let default = Config::default().workers;
    Arg::new("workers")
        .long("workers")
        .value_name("N")
        .value_parser(parse_workers)
        .help_heading(HEADING)
        .help(format!("How many worker threads [default: {default}, one per core]"))
}

fn parse_workers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("a job needs at least one worker".to_owned()),
        Ok(workers) => Ok(workers),
        Err(_) => Err("expected a number of threads, 1 or more".to_owned()),
    }
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let span: TimeSpan = text.parse().map_err(|e| format!("{e}"))?;
    match Duration::try_from(span) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("expected a time above zero".to_owned()),
    }
}

/// The forms of a plan.
pub(super) fn format_flag() -> Arg {
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(PossibleValuesParser::new(["text", "svg", "dot", "json"]))
        .hide_possible_values(true)
        .help_heading(HEADING)
        .help("text for the terminal, svg as a picture, dot for Graphviz, json for programs [default: text]")
}
