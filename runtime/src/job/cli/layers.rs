//! What the command line leaves open, filled in by what lies below it: the environment, then the config file. What they say is
//! added to the words of the command line, so that there is one place that reads and checks settings.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::config_file::ConfigFile;
use crate::error::Fault;
use crate::job::Param;
use crate::job::origin::Origin;
use crate::job::values::flag_name;
use crate::names;

/// Settings of a run that may stand in the environment and in a config file. The other flags are decisions about one run, or about one
/// answer.
pub(super) const SETTINGS: [&str; 10] = [
    "workers",
    "pin",
    "quiet",
    "log",
    "summary",
    "checkpoints",
    "checkpoint-every",
    "control",
    "state",
    "state-memory",
];

/// The environment variables. One whose name is no text is none of ours.
pub(super) type Environment = BTreeMap<String, OsString>;

/// Where the values of the settings come from, by the names that clap knows them by.
#[derive(Debug, Default)]
pub(super) struct Origins {
    of: BTreeMap<String, Origin>,
    misspelt: Vec<Misspelt>,
}

impl Origins {
    /// That of one which has a value.
    pub(super) fn of(&self, name: &str) -> Origin {
        self.of.get(name).cloned().unwrap_or(Origin::Flag)
    }

    /// Variables that may have been meant for the job.
    pub(super) fn misspelt(&self) -> &[Misspelt] {
        &self.misspelt
    }
}

/// A variable that is nearly one of the job's.
#[derive(Debug)]
pub(super) struct Misspelt {
    pub(super) variable: String,
    pub(super) near: String,
}

/// The variable of a flag: `DELAY_BOARD_CHECKPOINT_EVERY` of the job `DelayBoard` and the flag `checkpoint-every`.
pub(super) fn variable(job: &str, flag: &str) -> String {
    let mut name = String::new();
    let mut before = ' ';
    for c in job.chars() {
        if c.is_uppercase() && !before.is_uppercase() && !matches!(before, ' ' | '_') {
            name.push('_');
        }
        name.extend(c.to_uppercase());
        before = c;
    }
    name + "_" + &flag.replace('-', "_").to_uppercase()
}

/// The words of the command line with what the environment and the config file say of settings that do not stand on it.
///
/// # Errors
/// All that is wrong with the file, and the first value that is none.
pub(super) fn add(
    job: &str,
    command: &Command,
    params: &[Param],
    mut args: Vec<OsString>,
    environment: &Environment,
) -> Result<(Vec<OsString>, Origins), Vec<Fault>> {
    let mut origins = Origins::default();
    // What is wrong with it is told by whoever reads it for good.
    let Ok(matches) = command.clone().ignore_errors(true).try_get_matches_from(args.clone()) else {
        return Ok((args, origins));
    };
    let (command, matches, words) = innermost(command, &matches);
    if words.last() == Some(&"completions") {
        return Ok((args, origins));
    }
    let config = command.get_arguments().any(|arg| arg.get_id() == "config");
    let named = matches.try_get_one::<PathBuf>("config").ok().flatten().cloned();
    let named = named.or_else(|| environment.get(&variable(job, "config")).map(PathBuf::from)).filter(|_| config);
    let file = named.map(|path| ConfigFile::read(&path)).transpose()?;
    if let Some(file) = &file {
        check_keys(file, params)?;
    }
    // The place of an import is a new one, and never that of the runs.
    let is_layered = |name: &str| match words.last() {
        Some(&"import") => params.iter().any(|param| param.name == name),
        _ => SETTINGS.contains(&name) || params.iter().any(|param| param.name == name),
    };
    let mut added = Vec::new();
    for arg in command.get_arguments().filter(|arg| is_layered(arg.get_id().as_str())) {
        let (name, flag) = (arg.get_id().as_str(), arg.get_long().unwrap_or_default());
        if matches.value_source(name) == Some(ValueSource::CommandLine) {
            continue;
        }
        let variable = variable(job, flag);
        let (text, origin) = match (environment.get(&variable), &file) {
            (Some(text), _) => (text.clone(), Origin::Environment(variable)),
            (None, Some(file)) => match file.entries().iter().find(|entry| entry.key == flag) {
                Some(entry) => {
                    let origin = Origin::File { path: file.path().to_owned(), line: entry.line };
                    (OsString::from(&entry.text), origin)
                }
                None => continue,
            },
            (None, None) => continue,
        };
        let mut word = OsString::from(format!("--{flag}="));
        word.push(&text);
        check_value(arg, &text, &origin)?;
        added.push(word);
        origins.of.insert(name.to_owned(), origin);
    }
    origins.misspelt = misspelt(job, params, environment);
    let behind = (1 + words.len()).min(args.len());
    args.splice(behind..behind, added);
    Ok((args, origins))
}

/// Variables with the job's name in front that no setting is read from, and that are near to one. Others are somebody else's.
fn misspelt(job: &str, params: &[Param], environment: &Environment) -> Vec<Misspelt> {
    let own = params.iter().map(|param| flag_name(param.name));
    let flags = own.chain(["config"].into_iter().chain(SETTINGS).map(str::to_owned));
    let known: Vec<String> = flags.map(|flag| variable(job, &flag)).collect();
    let job = variable(job, "");
    let strange = environment.keys().filter(|name| name.starts_with(&job) && !known.contains(name));
    strange
        .filter_map(|name| {
            let behind = name.strip_prefix(&job)?;
            let rests: Vec<&str> = known.iter().filter_map(|known| known.strip_prefix(&job)).collect();
            Some(Misspelt { variable: name.clone(), near: format!("{job}{}", names::nearest(behind, &rests)?) })
        })
        .collect()
}

/// The command that is meant, what was said of it, and the words that lead to it.
fn innermost<'c>(mut command: &'c Command, mut matches: &'c ArgMatches) -> (&'c Command, &'c ArgMatches, Vec<&'c str>) {
    let mut words = Vec::new();
    while let Some((name, below)) = matches.subcommand() {
        let Some(inner) = command.find_subcommand(name) else { break };
        (command, matches) = (inner, below);
        words.push(name);
    }
    (command, matches, words)
}

/// Refuses keys that no setting has.
fn check_keys(file: &ConfigFile, params: &[Param]) -> Result<(), Vec<Fault>> {
    let own = params.iter().map(|param| flag_name(param.name));
    let known: Vec<String> = own.chain(SETTINGS.map(str::to_owned)).collect();
    let mut wrong = Vec::new();
    for entry in file.entries() {
        let key = &entry.key;
        if known.contains(key) {
            continue;
        }
        let fault = match super::flags::RESERVED.contains(&&**key) {
            true => Fault::new(format!("`{key}` is decided for each run, and cannot stand in a config file"))
                .help(format!("remove the line, and give `--{key}` on the command line")),
            false => Fault::new(format!("there is no setting `{key}`")).help(names::near(key, &known)),
        };
        wrong.push(fault.in_file(file.path()).at_line(entry.line));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Reads a value alone, so that one that is wrong is told with where it comes from.
fn check_value(arg: &Arg, text: &OsStr, origin: &Origin) -> Result<(), Vec<Fault>> {
    let flag = arg.get_long().unwrap_or_default();
    let alone = Arg::new("alone").required(true).allow_hyphen_values(true).value_parser(arg.get_value_parser().clone());
    let command = Command::new("").no_binary_name(true).disable_help_flag(true).arg(alone);
    let Err(error) = command.try_get_matches_from([text]) else { return Ok(()) };
    let why = match (std::error::Error::source(&error), error.get(ContextKind::ValidValue)) {
        (Some(why), _) => why.to_string(),
        (None, Some(ContextValue::Strings(values))) => format!("expected one of {}", names::listed(values)),
        (None, _) => "it is no such value".to_owned(),
    };
    let what = format!("{} is `{}`: {why}", origin.of(flag), text.to_string_lossy());
    Err(vec![origin.at(Fault::new(what).help(format!("correct it there, or give `--{flag}`")))])
}
