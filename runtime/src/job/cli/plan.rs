//! `plan`: the graph of a job as a picture or a text.

use std::io::Write;

use clap::ArgMatches;

use super::exit::FAILED;
use super::run::config;
use super::{say, write};
use crate::job::Job;
use crate::plan::Plan;

/// Prints it and gives the exit code.
pub(super) fn show<J: Job>(job: &J, matches: &ArgMatches, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let plan = match job.plan_job(&config(matches)) {
        Ok(plan) => plan,
        Err(error) => {
            say(err, format_args!("error: {error}\n"));
            return FAILED;
        }
    };
    let format = matches.get_one::<String>("format").map_or("text", |format| format);
    write(drawn(&plan, format).as_bytes(), "the plan", out, err)
}

fn drawn(plan: &Plan, format: &str) -> String {
    match format {
        "svg" => plan.to_svg(),
        "dot" => plan.to_dot(),
        "json" => plan.to_json() + "\n",
        _ => plan.to_string(),
    }
}
