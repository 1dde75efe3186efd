//! `savepoint` and `stop`: what is told to a job that runs.

use std::io::Write;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Arg, ArgGroup, ArgMatches, Command};

use super::exit::{DONE, FAILED};
use super::flags::{HEADING, config_flag, help_flag, switch};
use super::say;
use crate::job::tell;
use crate::socket::What;

pub(super) fn savepoint_command(program: &str) -> Command {
    Command::new("savepoint")
        .about("Asks the running job for a savepoint: a checkpoint that stays, and prints its place")
        .after_help(format!("Example:\n  {program} savepoint --checkpoints checkpoints --to before-the-change"))
        .args(whereabouts())
        .args([to_flag(), config_flag(), help_flag()])
        .disable_help_flag(true)
}

pub(super) fn stop_command(program: &str) -> Command {
    Command::new("stop")
        .about("Ends the running job: as if its inputs had ended, or with a savepoint from which it goes on later")
        .after_help(format!("Example:\n  {program} stop --savepoint --checkpoints checkpoints"))
        .args([
            switch("drain", "Reads no more, gives the results of what was read, and ends; the next run is a new one"),
            switch("savepoint", "Takes a savepoint and ends there; the next run goes on from it"),
        ])
        .group(ArgGroup::new("how").args(["drain", "savepoint"]).required(true))
        .args(whereabouts())
        .args([to_flag().conflicts_with("drain"), config_flag(), help_flag()])
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

/// `savepoint` and `stop`.
pub(super) fn tell_running(
    job: &str,
    command: &str,
    matches: &ArgMatches,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
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
