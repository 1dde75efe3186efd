//! `run` and `restore`: what the settings ask of the engine, and what is told of how it went.

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use clap::ArgMatches;

use super::exit::{DONE, FAILED, INTERRUPTED};
use super::flags::CHECKPOINT_EVERY;
use super::layers::{Misspelt, Origins};
use super::{files, say};
use crate::clock::unix_millis;
use crate::config::{Config, LogForm};
use crate::error::Error;
use crate::job::Job;
use crate::json::Json;
use crate::report::log::json as json_line;
use crate::report::{Event, Level, Summary};

/// Runs the job and gives the exit code.
pub(super) fn run<J: Job>(job: J, matches: &ArgMatches, origins: &Origins, restore: bool, err: &mut dyn Write) -> u8 {
    let is_on = |name: &str| matches.get_one::<bool>(name).copied().unwrap_or(false);
    let is_json = |name: &str| matches.get_one::<String>(name).map(|form| form == "json");
    let quiet = is_on("quiet");
    let log = if is_json("log") == Some(true) { LogForm::Json } else { LogForm::Text };
    let config = config(matches)
        .pin(is_on("pin"))
        .log(log)
        .progress(!quiet && (log == LogForm::Json || io::stderr().is_terminal()))
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
    let told = Told { job: J::NAME, log };
    origins.misspelt().iter().for_each(|misspelt| told.misspelt(misspelt, err));
    match job.run_job(config) {
        Ok(summary) => {
            if !quiet {
                told.summary(&summary, is_json("summary"), err);
            }
            DONE
        }
        // Not an error: it did what it was told.
        Err(interrupted @ Error::Interrupted) => {
            told.end(Event::new(Level::Warning, "interrupted"), &interrupted, "", err);
            INTERRUPTED
        }
        Err(error) => {
            told.end(Event::new(Level::Error, "failed"), &error, "error: ", err);
            FAILED
        }
    }
}

/// How the end of a run is told.
struct Told {
    job: &'static str,
    log: LogForm,
}

impl Told {
    fn summary(&self, summary: &Summary, json: Option<bool>, err: &mut dyn Write) {
        match (self.log, json) {
            // In a log of JSON every line is an event, also where a text was asked for.
            (LogForm::Json, _) => {
                let fields = summary.members().into_iter().filter(|(name, _)| *name != "job");
                let event =
                    fields.fold(Event::new(Level::Info, "finished"), |event, (name, value)| event.with(name, value));
                say(err, format_args!("{}", json_line(event, self.job, unix_millis())));
            }
            (LogForm::Text, Some(true)) => say(err, format_args!("{}\n", summary.to_json())),
            (LogForm::Text, _) => say(err, format_args!("{summary}")),
        }
    }

    fn misspelt(&self, Misspelt { variable, near }: &Misspelt, err: &mut dyn Write) {
        match self.log {
            LogForm::Json => {
                let event = Event::new(Level::Warning, "misspelt");
                let event = event.with("variable", Json::text(variable)).with("near", Json::text(near));
                say(err, format_args!("{}", json_line(event, self.job, unix_millis())));
            }
            LogForm::Text => {
                say(
                    err,
                    format_args!("warning: the environment variable `{variable}` is not read; `{near}` is near it\n"),
                );
            }
        }
    }

    fn end(&self, event: Event, error: &Error, before: &str, err: &mut dyn Write) {
        match self.log {
            LogForm::Json => say(err, format_args!("{}", json_line(event.error(error), self.job, unix_millis()))),
            LogForm::Text => say(err, format_args!("{before}{error}\n")),
        }
    }
}

/// What both commands understand. `--workers` is never 0 here.
pub(super) fn config(matches: &ArgMatches) -> Config {
    let config = Config::default();
    match matches.get_one::<usize>("workers") {
        Some(&workers) => config.workers(workers),
        None => config,
    }
}
