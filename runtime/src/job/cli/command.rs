//! The whole command line as one table, which reads it, and of which help and completions are made.

use std::time::Duration;

use clap::{Arg, Command};

use super::flags::{config_flag, format_flag, help_flag, run_flags, switch, workers_flag};
use super::params::paragraphs;
use super::{completions, examples, exit, files, layers, params, state, tell};
use crate::config::{Defaults, Restart};
use crate::job::{Job, Param};
use crate::time::TimeSpan;

/// The table.
pub(super) fn command<J: Job>(program: &str, params: &[Param]) -> Command {
    table::<J>(program, params, &|_| true)
}

/// The table without the flags that are only there to be refused with a reason.
pub(super) fn accepted<J: Job>(program: &str, params: &[Param]) -> Command {
    table::<J>(program, params, &|flag| !flag.is_hide_set())
}

fn table<J: Job>(program: &str, params: &[Param], has: &dyn Fn(&Arg) -> bool) -> Command {
    let (name, about, defaults) = (J::NAME, J::ABOUT, &J::DEFAULTS);
    let run_flags = || {
        let own = run_flags(defaults).into_iter().chain(files::flags(name, J::KEEPS_FILES));
        own.filter(|flag| has(flag)).chain([help_flag()])
    };
    let about = if about.trim().is_empty() { format!("The job {name}.") } else { paragraphs(about) };
    let run = Command::new("run")
        .about("Runs the job to the end of its inputs; the same without a command")
        .after_help(format!(
            "{}\n\n{}\n\nExamples:\n{}\n  {program} run --config settings.toml --print-config",
            layers_help(name),
            exit::HELP,
            examples::run(program, params)
        ))
        .args(params::flags(params))
        .args(run_flags())
        .disable_help_flag(true);
    let restore = Command::new("restore")
        .about(
            "Runs the job from its newest checkpoint, or from the one that `--from` names, with any number of workers",
        )
        .after_help(format!(
            "Example:\n  {program} restore{} --checkpoints checkpoints --from checkpoints/savepoints/12 --workers 4",
            examples::with_params(params)
        ))
        .args(params::flags(params))
        .args(run_flags().filter(|flag| flag.get_id() != "fresh").map(|flag| {
            let place = flag.get_id() == "checkpoints";
            if place { flag.required(true) } else { flag }
        }))
        .disable_help_flag(true);
    let plan = Command::new("plan")
        .about("Prints the plan of the job and reads nothing: chains, exchanges between them, their bounds")
        .after_help(format!("Example:\n{}", examples::plan(program, params)))
        .args(params::flags(params))
        .args([workers_flag(), format_flag(), config_flag(), help_flag()])
        .disable_help_flag(true);
    let (state, completions) = (state::command(program, params), completions::command(program));
    let lock = Command::new("lock")
        .about("Shows how what is stored has changed since it was accepted, or accepts the change")
        .after_help(format!(
            "The exit code is 0 if nothing has changed, or all of it was accepted, and 1 otherwise.\n\n\
             Example:\n  {program} lock{} --accept",
            examples::with_params(params)
        ))
        .args(params::flags(params))
        .args([
            switch("accept", "Writes what is stored from now on into the lock, and some values of it beside it"),
            config_flag(),
            help_flag(),
        ])
        .disable_help_flag(true);
    Command::new(name)
        .bin_name(program)
        .about(about)
        .after_help(format!(
            "Data goes to standard output, messages to standard error.{}\n\n{}\n\n{}\n\nExamples:\n{}\n{}",
            block_says(defaults),
            layers_help(name),
            exit::HELP,
            examples::run(program, params),
            examples::plan(program, params),
        ))
        .args(params::flags(params))
        .args(run_flags())
        .subcommands([
            run,
            restore,
            tell::savepoint_command(program),
            tell::stop_command(program),
            plan,
            lock,
            state,
            completions,
        ])
        .args_conflicts_with_subcommands(true)
        .subcommand_negates_reqs(true)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .max_term_width(100)
}

/// Where settings may stand, from the strongest to the weakest.
fn layers_help(job: &str) -> String {
    format!(
        "A setting that no flag says is that of the environment ({} for --checkpoint-every), or else that of the file of \
         --config, or else the default.",
        layers::variable(job, "checkpoint-every")
    )
}

/// What the job's block says of checkpoints and restarts, in a sentence of its own.
pub(super) fn block_says(defaults: &Defaults) -> String {
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
