//! The command line of `state`: its commands, and what each is answered.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::builder::ValueParser;
use clap::{Arg, ArgMatches, Command};

use super::examples::with_params;
use super::exit::{DONE, FAILED, USAGE};
use super::flags::{HEADING, config_flag, help_flag};
use super::layers::Origins;
use super::{params, say};
use crate::error::Fault;
use crate::job::state::{self, At};
use crate::job::{Job, Param};

/// The command with its commands.
pub(super) fn command(program: &str, params: &[Param]) -> Command {
    let list = Command::new("list")
        .about("Shows each checkpoint, its operators and their states; how much is in each state, of the newest one")
        .after_help(format!("Example:\n  {program} state list --checkpoints checkpoints"))
        .args([place_flag(), config_flag(), help_flag()]);
    let verify = Command::new("verify")
        .about("Reads every block of every object, and says what is damaged")
        .after_help(format!(
            "The exit code is 1 if something is damaged.\n\nExample:\n  {program} state verify --checkpoints checkpoints"
        ))
        .args([place_flag(), config_flag(), help_flag()]);
    let key = Command::new("key")
        .about("Prints what an operator keeps of one key: a line of JSON per state and namespace")
        .after_help(format!(
            "A key is written as JSON; a text alone needs no quotes. All of the operator's entries are read.\n\n\
             Examples:\n  {program} state key totals JFK --checkpoints checkpoints\n  \
             {program} state key totals '[\"JFK\",7]' --checkpoints checkpoints --checkpoint 12"
        ))
        .args([
            operator_arg().required(true).help("The operator, by the name of its `let`"),
            Arg::new("the-key").value_name("KEY").required(true).allow_hyphen_values(true).help("The key, as JSON"),
            place_flag(),
            checkpoint_flag(),
            config_flag(),
            help_flag(),
        ]);
    let export = Command::new("export")
        .about("Writes all entries as lines of JSON, with operator, state, namespace, key and value")
        .after_help(format!(
            "Lines come in the same order for the same state. The namespace of a window's entry is its start, in ms since \
             1970; that of others is 0. How values look, docs/state.md says.\n\n\
             Examples:\n  {program} state export totals --checkpoints checkpoints | jq .value\n  \
             {program} state export --checkpoints checkpoints --out state.jsonl"
        ))
        .args([
            operator_arg().help("The operator, by the name of its `let`; all of them if nothing is said"),
            place_flag(),
            checkpoint_flag(),
            Arg::new("out")
                .long("out")
                .value_name("FILE")
                .value_parser(ValueParser::os_string())
                .help_heading(HEADING)
                .help("Where they go, instead of to standard output; the file appears whole or not at all"),
            config_flag(),
            help_flag(),
        ]);
    let import = Command::new("import")
        .about("Makes a checkpoint of lines of JSON, in a new place: a run with `--checkpoints` there goes on from it")
        .after_help(format!(
            "Of several lines of the same key the last one counts. The params may be any, nothing is read or run. With \
             `--base` the operators that have lines consist of these alone, and all else is that checkpoint's, with the \
             places in the inputs; without it the next run reads its inputs from their beginning.\n\n\
             Examples:\n  {program} state import state.jsonl{params} --checkpoints bootstrapped\n  \
             {program} state import mended.jsonl{params} --checkpoints mended --base checkpoints",
            params = with_params(params)
        ))
        .args([Arg::new("lines-file")
            .value_name("FILE")
            .value_parser(ValueParser::os_string())
            .help("The lines, as `state export` writes them; standard input if nothing is said")])
        .args(params::flags(params))
        .args([
            place_flag().help("The new place: a directory or URL where nothing is yet"),
            Arg::new("base")
                .long("base")
                .value_name("PLACE")
                .help_heading(HEADING)
                .help("Where the checkpoint is that is changed by the lines"),
            Arg::new("base-checkpoint")
                .long("base-checkpoint")
                .value_name("N")
                .value_parser(clap::value_parser!(u64))
                .requires("base")
                .help_heading(HEADING)
                .help("Which one, by its number in `state list` [default: the newest]"),
            config_flag(),
            help_flag(),
        ]);
    let copy = Command::new("copy")
        .about("Copies a checkpoint to another place, with all that it needs, and reads it back")
        .after_help(format!(
            "Run the job with `--checkpoints` there to go on from the copy; not while another run goes on from the \
             original, since both would publish the same.\n\n\
             Example:\n  {program} state copy --checkpoints checkpoints --to s3://backups/today"
        ))
        .args([
            place_flag(),
            checkpoint_flag(),
            Arg::new("to")
                .long("to")
                .value_name("PLACE")
                .required(true)
                .help_heading(HEADING)
                .help("The new place: a directory or URL where nothing is yet"),
            config_flag(),
            help_flag(),
        ]);
    let quiet = |command: Command| command.disable_help_flag(true);
    Command::new("state")
        .about("Looks into a place of checkpoints; takes state out as JSON, and puts it into another place")
        .after_help(format!(
            "Examples:\n  {program} state list --checkpoints checkpoints\n  {program} state export --help"
        ))
        .subcommands([list, verify, key, export, import, copy].map(quiet))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .args([help_flag()])
        .disable_help_flag(true)
}

fn place_flag() -> Arg {
    Arg::new("checkpoints")
        .long("checkpoints")
        .value_name("PLACE")
        .required(true)
        .help_heading(HEADING)
        .help("The directory or URL that the job was run with")
}

fn checkpoint_flag() -> Arg {
    Arg::new("checkpoint")
        .long("checkpoint")
        .value_name("N")
        .value_parser(clap::value_parser!(u64))
        .help_heading(HEADING)
        .help("Which one, by its number in `state list` [default: the newest]")
}

fn operator_arg() -> Arg {
    Arg::new("operator").value_name("OPERATOR")
}

/// Does what one of the commands says.
pub(super) fn answer<J: Job>(
    program: &str,
    params: &[Param],
    matches: &ArgMatches,
    origins: &Origins,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let Some((command, matches)) = matches.subcommand() else { return USAGE };
    let text = |name: &str| matches.try_get_one::<String>(name).ok().flatten().map(String::as_str);
    let number = |name: &str| matches.try_get_one::<u64>(name).ok().flatten().copied();
    let path = |name: &str| matches.try_get_one::<OsString>(name).ok().flatten().map(Path::new);
    let place = text("checkpoints").unwrap_or_default();
    let at = At { place, checkpoint: number("checkpoint") };
    let said = match command {
        "list" => state::list(place).map(|text| (text, true)),
        "verify" => state::verify(place),
        "key" => {
            let (operator, key) = (text("operator").unwrap_or_default(), text("the-key").unwrap_or_default());
            return match state::key(at, operator, key, out) {
                Ok(true) => DONE,
                Ok(false) => {
                    say(err, format_args!("`{operator}` keeps nothing of the key {key}\n"));
                    FAILED
                }
                Err(fault) => failed(err, &fault),
            };
        }
        "export" => {
            return match state::export(at, text("operator"), path("out"), out) {
                Ok(text) => told(err, &text),
                Err(fault) => failed(err, &fault),
            };
        }
        "import" => {
            let job = match J::from_values(&mut params::values(params, matches, origins)) {
                Ok(job) => job,
                Err(fault) => {
                    failed(err, &fault);
                    say(err, format_args!("\nFor more information, try '{program} state import --help'.\n"));
                    return USAGE;
                }
            };
            let base = text("base").map(|place| At { place, checkpoint: number("base-checkpoint") });
            return match state::import(&job, path("lines-file"), place, base) {
                Ok(text) => told(err, &text),
                Err(error) => {
                    say(err, format_args!("error: {error}\n"));
                    FAILED
                }
            };
        }
        _ => {
            return match state::copy(at, text("to").unwrap_or_default()) {
                Ok(text) => told(err, &text),
                Err(fault) => failed(err, &fault),
            };
        }
    };
    match said {
        Ok((text, good)) => {
            say(out, format_args!("{}\n", text.trim_end()));
            if good { DONE } else { FAILED }
        }
        Err(fault) => failed(err, &fault),
    }
}

fn told(err: &mut dyn Write, text: &str) -> u8 {
    say(err, format_args!("{text}\n"));
    DONE
}

fn failed(err: &mut dyn Write, fault: &Fault) -> u8 {
    // `JOB state export | head` has what it wants.
    let cause = fault.cause.as_ref().and_then(|cause| cause.downcast_ref::<io::Error>());
    if cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe) {
        return DONE;
    }
    say(err, format_args!("error: {fault}\n"));
    FAILED
}
