//! The command line of a job's binary: what may stand on it, what it means, and what is answered. It and the files below it are the
//! only ones that name clap.

mod command;
mod completions;
mod config_file;
mod examples;
mod exit;
mod files;
mod flags;
mod layers;
mod lock;
mod params;
mod plan;
mod print_config;
mod run;
mod state;
mod tell;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

use self::exit::{DONE, FAILED, USAGE};
use self::layers::Environment;
use super::Job;
use crate::error::Fault;

/// Reads the command line, does what it says and gives the exit code. `args` begins with the program's own name.
pub(super) fn answer<J: Job>(args: Vec<OsString>, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let environment = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    answer_in::<J>(args, &environment.collect(), out, err)
}

/// [`answer`] in an environment of one's own.
fn answer_in<J: Job>(args: Vec<OsString>, environment: &Environment, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let program = program_name(&args, J::NAME);
    let params = J::params();
    if let Err(fault) = params::check_names(J::NAME, &params) {
        say(err, format_args!("error: {fault}\n"));
        return USAGE;
    }
    let table = command::command::<J>(&program, &params);
    let (args, origins) = match layers::add(J::NAME, &table, &params, args, environment) {
        Ok(whole) => whole,
        Err(faults) => return wrong(err, &faults, &program),
    };
    let matches = match table.try_get_matches_from(args) {
        Ok(matches) => matches,
        // A call for help comes this way too.
        Err(said) => {
            let to: &mut dyn Write = if said.use_stderr() { err } else { out };
            say(to, format_args!("{}", said.render()));
            return if said.use_stderr() { USAGE } else { DONE };
        }
    };
    let (asked, matches) = matches.subcommand().unwrap_or(("run", &matches));
    let job = match asked {
        "completions" => {
            let shell = matches.get_one::<String>("shell").map_or("bash", |shell| shell);
            return write(
                &completions::script(command::accepted::<J>(&program, &params), &program, shell),
                "the script",
                out,
                err,
            );
        }
        "state" => return state::answer::<J>(&program, &params, matches, &origins, out, err),
        "savepoint" | "stop" => return tell::tell_running(J::NAME, asked, matches, out, err),
        _ => J::from_values(&mut params::values(&params, matches, &origins)),
    };
    let job = match job {
        Ok(job) => job,
        Err(fault) => return wrong(err, &[fault], &program),
    };
    match asked {
        "plan" => plan::show(&job, matches, out, err),
        "lock" => lock::show(&job, matches, out, err),
        _ if matches.get_flag("print-config") => {
            let text = print_config::print(J::NAME, &params, &J::DEFAULTS, J::KEEPS_FILES, matches, &origins);
            write(text.as_bytes(), "the settings", out, err)
        }
        _ => run::run(job, matches, &origins, asked == "restore", err),
    }
}

/// Writes what was asked for.
fn write(bytes: &[u8], what: &str, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => DONE,
        // `JOB plan | head` has what it wants.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => DONE,
        Err(error) => {
            say(err, format_args!("error: {what} could not be written to standard output: {error}\n"));
            FAILED
        }
    }
}

/// Says what is wrong with the settings.
fn wrong(err: &mut dyn Write, faults: &[Fault], program: &str) -> u8 {
    for fault in faults {
        say(err, format_args!("error: {fault}\n"));
    }
    say(err, format_args!("\nFor more information, try '{program} --help'.\n"));
    USAGE
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

#[cfg(test)]
mod tests;
