//! The flags that every job has: those of backends with files, and that nobody can take their names.

use std::collections::BTreeSet;

use super::*;

/// A job with a backend that has files.
struct Segmented;

static SEEN: Mutex<Vec<Config>> = Mutex::new(Vec::new());

impl Job for Segmented {
    const NAME: &'static str = "Segmented";
    const ABOUT: &'static str = "";
    const KEEPS_FILES: bool = true;
    const DEFAULTS: Defaults = Defaults {
        every: Some(Duration::from_secs(5)),
        keep: Some(3),
        restart: Restart::Exponential { first: Duration::from_secs(1), longest: Duration::from_secs(60) },
        ..Defaults::NONE
    };
    fn params() -> Vec<Param> {
        Vec::new()
    }
    fn from_values(_: &mut Values) -> Result<Self, Fault> {
        Ok(Segmented)
    }
    fn run_job(self, config: Config) -> Result<Summary, Error> {
        SEEN.lock().unwrap().push(config);
        Ok(Summary::default())
    }
    fn plan_job(&self, _: &Config) -> Result<Plan, Error> {
        Err(Error::Interrupted)
    }
}

fn segmented(line: &str) -> Answer {
    ask_os::<Segmented>(["segmented"].into_iter().chain(line.split_whitespace()).map(OsString::from).collect())
}

#[test]
fn where_state_is_and_how_much_memory_it_takes_is_said_to_a_backend_with_files() {
    for line in
        ["--state /fast/disk --state-memory 512MB", "restore --checkpoints c --state /fast/disk --state-memory 512MB"]
    {
        let answer = segmented(line);
        assert_eq!(answer.code, 0, "{}", answer.err);
        let config = SEEN.lock().unwrap().pop().unwrap();
        assert_eq!((config.state_dir, config.state_memory), (Some(PathBuf::from("/fast/disk")), 512_000_000));
    }
    assert_eq!(segmented("run").code, 0);
    let config = SEEN.lock().unwrap().pop().unwrap();
    assert_eq!((config.state_dir, config.state_memory), (None, 2 << 30), "what the help says");
    for command in ["--help", "run --help", "restore --help"] {
        let help = segmented(command).out;
        assert!(help.contains("--state <DIR>") && help.contains("--state-memory <SIZE>"), "{help}");
    }
    let answer = segmented("--state-memory 512");
    let said = "invalid value '512' for '--state-memory <SIZE>': expected a number and its unit, like 512MB or 2GiB";
    assert!(answer.code == 2 && answer.err.contains(said), "{}", answer.err);
}

#[test]
fn a_job_that_keeps_all_in_memory_says_that_it_has_no_files() {
    for flag in ["--state", "--state-memory"] {
        let answer = ask(&format!("--departures in.csv {flag} 2GiB"));
        let said =
            "`Board` keeps its state in memory alone; leave the flag out, or name a backend with files in the block";
        assert!(answer.code == 2 && answer.err.contains(said) && answer.err.contains(flag), "{}", answer.err);
    }
    // The whole text of its help, without them, is in `help_teaches`.
}

#[test]
fn help_says_what_the_block_says() {
    assert_eq!(
        block_says(&Segmented::DEFAULTS),
        " With `--checkpoints` the job says: checkpoint every 5s, keep 3; restart exponential 1s..=1min."
    );
    let help = segmented("--help").out;
    assert!(help.contains("[default: 5s]") && help.contains("checkpoint every 5s, keep 3"), "{help}");
    assert_eq!(block_says(&Defaults::NONE), "");
}

/// The flags of a command and of all below it, of commands that take params.
fn flags_beside_params(command: &Command, params: &[&str], found: &mut BTreeSet<String>) {
    if params.iter().all(|param| command.get_arguments().any(|arg| arg.get_id() == *param)) {
        let own = command.get_arguments().filter(|arg| !params.contains(&arg.get_id().as_str()));
        found.extend(own.filter_map(|arg| arg.get_long().map(str::to_owned)));
    }
    command.get_subcommands().for_each(|command| flags_beside_params(command, params, found));
}

#[test]
fn no_param_can_take_the_name_of_a_flag() {
    let params = Board::params();
    let names: Vec<&str> = params.iter().map(|param| param.name).collect();
    let mut flags = BTreeSet::new();
    flags_beside_params(&command::<Board>("board", &params), &names, &mut flags);
    assert_eq!(
        RESERVED.map(str::to_owned).into_iter().collect::<BTreeSet<_>>(),
        flags,
        "what is reserved, and what is a flag"
    );
    // The macro says the same of the same names, at the param.
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../macros/src/catalog.rs");
    let catalog = std::fs::read_to_string(catalog).unwrap();
    let list = catalog.split_once("FLAGS: &[&str] = &[").and_then(|(_, rest)| rest.split_once(']')).unwrap().0;
    let known: BTreeSet<String> = list.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(known, flags, "what the macro knows of, and what is a flag");
}
