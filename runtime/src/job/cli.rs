//! The command line of a job's binary: what may stand on it, what it means, and what is answered. It and the files below it are the
//! only ones that name clap.

mod files;
mod state;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};

use super::values::flag_name;
use super::{Job, Param, Values, lock, tell};
use crate::config::{Config, Defaults, Restart};
use crate::error::{Error, Fault};
use crate::plan::Plan;
use crate::socket::What;
use crate::time::TimeSpan;

/// Everything went well.
const DONE: u8 = 0;
/// The run, or the making of the plan, failed.
const FAILED: u8 = 1;
/// The command line is wrong.
const USAGE: u8 = 2;
/// As a shell says it of a program that Ctrl-C has ended: 128 and the signal's number.
const INTERRUPTED: u8 = 130;

/// Flags that every job has. A param of one of these names is refused.
const RESERVED: [&str; 16] = [
    "workers",
    "pin",
    "quiet",
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

/// From one checkpoint to the next, if neither the command line nor the block says it.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

/// Over the flags that every job has.
const HEADING: &str = "Options";

/// Reads the command line, does what it says and gives the exit code. `args` begins with the program's own name.
pub(super) fn answer<J: Job>(args: Vec<OsString>, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let program = program_name(&args, J::NAME);
    let params = J::params();
    if let Err(fault) = check_names(J::NAME, &params) {
        say(err, format_args!("error: {fault}\n"));
        return USAGE;
    }
    let matches = match command::<J>(&program, &params).try_get_matches_from(args) {
        Ok(matches) => matches,
        // A call for help comes this way too.
        Err(said) => {
            let to: &mut dyn Write = if said.use_stderr() { err } else { out };
            say(to, format_args!("{}", said.render()));
            return if said.use_stderr() { USAGE } else { DONE };
        }
    };
    let (command, matches) = matches.subcommand().unwrap_or(("run", &matches));
    match command {
        "state" => return state::answer::<J>(&program, &params, matches, out, err),
        "savepoint" | "stop" => return tell_running(J::NAME, command, matches, out, err),
        _ => {}
    }
    let job = match J::from_values(&mut values(&params, matches)) {
        Ok(job) => job,
        Err(fault) => {
            say(err, format_args!("error: {fault}\n\nFor more information, try '{program} --help'.\n"));
            return USAGE;
        }
    };
    match command {
        "plan" => show_plan(&job, matches, out, err),
        "lock" => show_lock(&job, matches, out, err),
        _ => run(job, matches, command == "restore", err),
    }
}

fn run<J: Job>(job: J, matches: &ArgMatches, restore: bool, err: &mut dyn Write) -> u8 {
    let quiet = matches.get_flag("quiet");
    let config = config(matches)
        .pin(matches.get_flag("pin"))
        .progress(!quiet && io::stderr().is_terminal())
        .handle_interrupt(true);
    let config = files::settings(config, matches, J::KEEPS_FILES);
    let config = match matches.get_one::<String>("checkpoints") {
        None => config,
        Some(place) => {
            let every = matches.get_one("checkpoint-every").copied().or(J::DEFAULTS.every);
            // `restore` has no `--fresh`.
            let fresh = !restore && matches.get_flag("fresh");
            let config = config.checkpoints(place).fresh(fresh).must_resume(restore);
            let config = match every {
                // the job knows it by its param
                None if J::DEFAULTS.every_param.is_some() => config,
                every => config.checkpoint_every(every.unwrap_or(CHECKPOINT_EVERY)),
            };
            let config = config.fork(matches.get_flag("fork"));
            match matches.get_one::<String>("from") {
                Some(from) => config.from(from),
                None => config,
            }
        }
    };
    let config = match matches.get_one::<PathBuf>("control") {
        Some(path) => config.control(path),
        None => config.control_beside(),
    };
    match job.run_job(config) {
        Ok(summary) => {
            if !quiet {
                say(err, format_args!("{summary}"));
            }
            DONE
        }
        // Not an error: it did what it was told.
        Err(interrupted @ Error::Interrupted) => {
            say(err, format_args!("{interrupted}\n"));
            INTERRUPTED
        }
        Err(error) => {
            say(err, format_args!("error: {error}\n"));
            FAILED
        }
    }
}

fn show_plan<J: Job>(job: &J, matches: &ArgMatches, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let plan = match job.plan_job(&config(matches)) {
        Ok(plan) => plan,
        Err(error) => {
            say(err, format_args!("error: {error}\n"));
            return FAILED;
        }
    };
    let format = matches.get_one::<String>("format").map_or("text", |format| format);
    let text = drawn(&plan, format);
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => DONE,
        // `JOB plan | head` has what it wants.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => DONE,
        Err(error) => {
            say(err, format_args!("error: the plan could not be written to standard output: {error}\n"));
            FAILED
        }
    }
}

/// `savepoint` and `stop`.
fn tell_running(job: &str, command: &str, matches: &ArgMatches, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let at = tell::Whereabouts {
        checkpoints: matches.get_one::<String>("checkpoints").map(|place| &**place),
        control: matches.get_one::<PathBuf>("control").map(|path| &**path),
    };
    let to = matches.get_one::<String>("to").map(|to| tell::absolute(to)).transpose();
    let told = to.and_then(|to| {
        let what = match command {
            "savepoint" => What::Savepoint(to),
            _ if matches.get_flag("savepoint") => What::StopWithSavepoint(to),
            _ => What::Drain,
        };
        tell::tell(job, &at, what)
    });
    match told {
        Ok(told) => {
            say(out, format_args!("{}", told.out));
            say(err, format_args!("{}", told.note));
            DONE
        }
        Err(fault) => {
            say(err, format_args!("error: {fault}\n"));
            FAILED
        }
    }
}

fn show_lock<J: Job>(job: &J, matches: &ArgMatches, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let answer = lock::place::<J>()
        .and_then(|place| if matches.get_flag("accept") { lock::accept(job, place) } else { lock::show(job, place) });
    match answer {
        Ok(lock::Answer { text, open }) => {
            say(out, format_args!("{text}"));
            if open { FAILED } else { DONE }
        }
        Err(error) => {
            say(err, format_args!("error: {error}\n"));
            FAILED
        }
    }
}

fn drawn(plan: &Plan, format: &str) -> String {
    match format {
        "svg" => plan.to_svg(),
        "dot" => plan.to_dot(),
        "json" => plan.to_json() + "\n",
        _ => plan.to_string(),
    }
}

/// What both commands understand. `--workers` is never 0 here.
fn config(matches: &ArgMatches) -> Config {
    let config = Config::default();
    match matches.get_one::<usize>("workers") {
        Some(&workers) => config.workers(workers),
        None => config,
    }
}

fn values(params: &[Param], matches: &ArgMatches) -> Values {
    let mut values = Values::new(params);
    for param in params {
        if let Some(text) = matches.get_one::<OsString>(param.name) {
            values.give(param.name, text.clone());
        }
    }
    values
}

/// Writes a message. One that cannot be written has no one to read it.
fn say(to: &mut dyn Write, message: std::fmt::Arguments<'_>) {
    let _ = to.write_fmt(message).and_then(|()| to.flush());
}

/// The name by which the program was called, for messages and examples.
fn program_name(args: &[OsString], job: &str) -> String {
    let name = args.first().and_then(|program| Path::new(program).file_name());
    name.map_or_else(|| job.to_owned(), |name| name.to_string_lossy().into_owned())
}

fn check_names(job: &str, params: &[Param]) -> Result<(), Fault> {
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

fn command<J: Job>(program: &str, params: &[Param]) -> Command {
    let (name, about, defaults) = (J::NAME, J::ABOUT, &J::DEFAULTS);
    let run_flags = || run_flags(defaults).into_iter().chain(files::flags(name, J::KEEPS_FILES)).chain([help_flag()]);
    let about = if about.trim().is_empty() { format!("The job {name}.") } else { paragraphs(about) };
    let run = Command::new("run")
        .about("Runs the job to the end of its inputs; the same without a command")
        .after_help(run_examples(program, params))
        .args(param_flags(params))
        .args(run_flags())
        .disable_help_flag(true);
    let restore = Command::new("restore")
        .about(
            "Runs the job from its newest checkpoint, or from the one that `--from` names, with any number of workers",
        )
        .after_help(format!(
            "Example:\n  {program} restore{} --checkpoints checkpoints --from checkpoints/savepoints/12 --workers 4",
            example_params(params)
        ))
        .args(param_flags(params))
        .args(run_flags().filter(|flag| flag.get_id() != "fresh").map(|flag| {
            let place = flag.get_id() == "checkpoints";
            if place { flag.required(true) } else { flag }
        }))
        .disable_help_flag(true);
    let plan = Command::new("plan")
        .about("Prints the plan of the job and reads nothing: chains, exchanges between them, their bounds")
        .after_help(plan_examples(program, params))
        .args(param_flags(params))
        .args([workers_flag(), format_flag(), help_flag()])
        .disable_help_flag(true);
    let state = state::command(program, params);
    let lock = Command::new("lock")
        .about("Shows how what is stored has changed since it was accepted, or accepts the change")
        .after_help(format!(
            "The exit code is 0 if nothing has changed, or all of it was accepted, and 1 otherwise.\n\n\
             Example:\n  {program} lock{} --accept",
            example_params(params)
        ))
        .args(param_flags(params))
        .args([
            switch("accept", "Writes what is stored from now on into the lock, and some values of it beside it"),
            help_flag(),
        ])
        .disable_help_flag(true);
    Command::new(name)
        .bin_name(program)
        .about(about)
        .after_help(format!(
            "Data goes to standard output, messages to standard error. The exit code is 0 after a complete run, and \
             after one that was told to stop; 1 after a failed one, 2 if the command line is wrong, 130 if Ctrl-C has \
             ended the run.{}\n\n\
             Examples:\n{}\n{}",
            block_says(defaults),
            example_run(program, params),
            example_plan(program, params),
        ))
        .args(param_flags(params))
        .args(run_flags())
        .subcommands([run, restore, savepoint_command(program), stop_command(program), plan, lock, state])
        .args_conflicts_with_subcommands(true)
        .subcommand_negates_reqs(true)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .max_term_width(100)
}

fn param_flags(params: &[Param]) -> impl Iterator<Item = Arg> + '_ {
    params.iter().map(|param| {
        let flag = Arg::new(param.name)
            .long(static_flag(param.name))
            .value_name(if is_secret(param) { "env:NAME|file:PATH" } else { param.ty })
            .value_parser(ValueParser::os_string())
            .help(param_help(param))
            .help_heading("Params")
            .required(is_required(param))
            .allow_negative_numbers(true);
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
fn is_secret(param: &Param) -> bool {
    param.ty.rsplit("::").next() == Some("Secret")
}

fn is_required(param: &Param) -> bool {
    param.default.is_none() && !param.optional
}

fn param_help(param: &Param) -> String {
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

fn run_flags(defaults: &Defaults) -> [Arg; 9] {
    let every = TimeSpan::try_from(defaults.every.unwrap_or(CHECKPOINT_EVERY));
    let every = match defaults.every_param {
        Some(param) => format!(" [default: that of --{}]", flag_name(param)),
        None => every.map_or_else(|_| String::new(), |every| format!(" [default: {every}]")),
    };
    [
        workers_flag(),
        switch("pin", "Keeps each worker on a core of its own"),
        switch("quiet", "Shows neither progress nor the summary, only errors"),
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

fn savepoint_command(program: &str) -> Command {
    Command::new("savepoint")
        .about("Asks the running job for a savepoint: a checkpoint that stays, and prints its place")
        .after_help(format!("Example:\n  {program} savepoint --checkpoints checkpoints --to before-the-change"))
        .args(whereabouts())
        .args([to_flag(), help_flag()])
        .disable_help_flag(true)
}

fn stop_command(program: &str) -> Command {
    Command::new("stop")
        .about("Ends the running job: as if its inputs had ended, or with a savepoint from which it goes on later")
        .after_help(format!("Example:\n  {program} stop --savepoint --checkpoints checkpoints"))
        .args([
            switch("drain", "Reads no more, gives the results of what was read, and ends; the next run is a new one"),
            switch("savepoint", "Takes a savepoint and ends there; the next run goes on from it"),
        ])
        .group(ArgGroup::new("how").args(["drain", "savepoint"]).required(true))
        .args(whereabouts())
        .args([to_flag().conflicts_with("drain"), help_flag()])
        .disable_help_flag(true)
}

/// Where a running job is found; one of the two is needed.
fn whereabouts() -> [Arg; 2] {
    [
        Arg::new("checkpoints")
            .long("checkpoints")
            .value_name("PLACE")
            .required_unless_present("control")
            .help_heading(HEADING)
            .help("The directory that the job was run with"),
        Arg::new("control")
            .long("control")
            .value_name("PATH")
            .value_parser(ValueParser::path_buf())
            .help_heading(HEADING)
            .help("The socket that the job was run with, if it was given one"),
    ]
}

fn to_flag() -> Arg {
    Arg::new("to")
        .long("to")
        .value_name("PLACE")
        .help_heading(HEADING)
        .help("An empty directory or URL for the savepoint [default: savepoints/NUMBER in that of the checkpoints]")
}

/// What the job's block says of checkpoints and restarts, in a sentence of its own.
fn block_says(defaults: &Defaults) -> String {
    let span = |time: Duration| TimeSpan::try_from(time).map_or_else(|_| format!("{time:?}"), |span| span.to_string());
    let mut checkpoint = Vec::new();
    checkpoint.extend(defaults.every.map(|every| format!("every {}", span(every))));
    checkpoint.extend(defaults.timeout.map(|timeout| format!("timeout {}", span(timeout))));
    checkpoint.extend(defaults.pause.map(|pause| format!("pause {}", span(pause))));
    checkpoint.extend(defaults.keep.map(|keep| format!("keep {keep}")));
    checkpoint.extend(defaults.tolerate.map(|tolerate| format!("tolerate {tolerate}")));
    let mut said = Vec::new();
    if !checkpoint.is_empty() {
        said.push(format!("checkpoint {}", checkpoint.join(", ")));
    }
    match defaults.restart {
        Restart::Usual => {}
        Restart::Never => said.push("restart none".to_owned()),
        Restart::Fixed { pause, at_most } => said.push(format!("restart fixed {}, at_most {at_most}", span(pause))),
        Restart::Exponential { first, longest } => {
            said.push(format!("restart exponential {}..={}", span(first), span(longest)));
        }
        Restart::FailureRate { at_most, per } => said.push(format!("restart failure_rate {at_most} per {}", span(per))),
    }
    match said.is_empty() {
        true => String::new(),
        false => format!(" With `--checkpoints` the job says: {}.", said.join("; ")),
    }
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue).help_heading(HEADING)
}

/// clap's own stands under a heading that comes before all others; what a job is about are its params.
fn help_flag() -> Arg {
    Arg::new("help").short('h').long("help").help("Prints this").action(ArgAction::Help).help_heading(HEADING)
}

fn workers_flag() -> Arg {
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

fn format_flag() -> Arg {
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(PossibleValuesParser::new(["text", "svg", "dot", "json"]))
        .hide_possible_values(true)
        .help_heading(HEADING)
        .help("text for the terminal, svg as a picture, dot for Graphviz, json for programs [default: text]")
}

fn run_examples(program: &str, params: &[Param]) -> String {
    format!("Example:\n{}", example_run(program, params))
}

fn plan_examples(program: &str, params: &[Param]) -> String {
    format!("Example:\n{}", example_plan(program, params))
}

fn example_run(program: &str, params: &[Param]) -> String {
    format!("  {program} run{} --workers 2", example_params(params))
}

fn example_plan(program: &str, params: &[Param]) -> String {
    format!("  {program} plan{} --format svg > plan.svg", example_params(params))
}

/// The params that must be given, or the first one where none must, so that an example shows how it is done.
fn example_params(params: &[Param]) -> String {
    let required = params.iter().filter(|p| is_required(p));
    let shown: Vec<&Param> =
        if params.iter().any(is_required) { required.collect() } else { params.iter().take(1).collect() };
    shown.into_iter().map(|param| format!(" --{}{}", flag_name(param.name), example_value(param))).collect()
}

/// The default where it can stand on a command line as it is, else a word that says what belongs there.
fn example_value(param: &Param) -> String {
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

/// A default that is a string literal without its quotes, as one would write it on the command line.
fn unquoted(default: &str) -> &str {
    let inner = default.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.filter(|text| !text.contains(['"', '\\'])).unwrap_or(default)
}

/// The lines of a doc comment as paragraphs, which clap breaks where the terminal ends.
fn paragraphs(doc: &str) -> String {
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

#[cfg(test)]
mod tests;
