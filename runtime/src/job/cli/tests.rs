//! What the binary answers, on a job that runs nothing: it says what it was asked to do.

mod config;
mod flags;
mod log;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use std::io;

use clap::Command;

use super::command::{block_says, command};
use super::examples::with_params as example_params;
use super::flags::RESERVED;
use super::*;
use crate::config::{Config, Control, Defaults, Restart};
use crate::error::Error;
use crate::job::{Flag, NoFlag as _, Param, ParseFlag as _, Summary, Values, main_from};
use crate::plan::{Chain, Operator, Plan};

/// The parser of a type, as `stream!` asks for it.
macro_rules! flag {
    ($type:ty) => {
        (&Flag::<$type>::new()).parser()
    };
}

struct Rules;

/// Departures per airport
/// and hour.
struct Board {
    departures: PathBuf,
    out: Option<PathBuf>,
    least: i32,
    dry_run: bool,
    ending: String,
}

/// What `run_job` was called with, by the text in `ending`, so that tests do not see each other's.
static RUNS: Mutex<Vec<(String, Board, Config)>> = Mutex::new(Vec::new());

const fn param(name: &'static str, ty: &'static str, help: &'static str) -> Param {
    Param { name, help, ty, default: None, value: None, optional: false }
}

impl Job for Board {
    const NAME: &'static str = "Board";
    const ABOUT: &'static str = " Departures per airport\n and hour.\n\n Late ones are dropped.";

    fn params() -> Vec<Param> {
        vec![
            param("departures", "PathBuf", "The file of departures,\nplain or gz."),
            Param { optional: true, ..param("out", "PathBuf", "Where the board goes.") },
            Param { default: Some("-5"), value: Some("-5"), ..param("least", "i32", "The least delay.") },
            Param { default: Some("false"), value: Some("false"), ..param("dry_run", "bool", "") },
            Param { default: Some("well"), value: Some("well"), ..param("ending", "String", "How it ends.") },
        ]
    }

    fn from_values(values: &mut Values) -> Result<Self, Fault> {
        Ok(Board {
            departures: values.required("departures", flag!(PathBuf))?,
            out: values.optional("out", flag!(PathBuf))?,
            least: values.or("least", flag!(i32), || -5)?,
            dry_run: values.or("dry_run", flag!(bool), || false)?,
            ending: values.or("ending", flag!(String), || From::from("well"))?,
        })
    }

    fn run_job(self, config: Config) -> Result<Summary, Error> {
        let ending = self.ending.clone();
        RUNS.lock().unwrap().push((ending.clone(), self, config));
        match &*ending {
            "broken" => Err(Error::Setup(Fault::new("the file is broken").help("mend it"))),
            "interrupted" => Err(Error::Interrupted),
            _ => Ok(Summary {
                job: "Board".to_owned(),
                workers: 2,
                elapsed: Duration::from_secs(2),
                records_in: 1000,
                ..Summary::default()
            }),
        }
    }

    fn plan_job(&self, config: &Config) -> Result<Plan, Error> {
        if self.ending == "broken" {
            return Err(Error::Setup(Fault::new("the file is broken")));
        }
        let what = format!("csv {}", self.departures.display());
        let operator = Operator {
            what,
            name: "flights".to_owned(),
            arrival_ordered: false,
            stateful: false,
            sink: false,
            input: 0,
            counted: None,
        };
        Ok(Plan {
            job: "Board".to_owned(),
            backend: "Memory".to_owned(),
            workers: config.workers,
            chains: vec![Chain { operators: vec![operator] }],
            edges: Vec::new(),
            dropped: Vec::new(),
        })
    }
}

struct Answer {
    code: u8,
    out: String,
    err: String,
}

fn ask_os<J: Job>(args: Vec<OsString>) -> Answer {
    ask_in::<J>(args, &[])
}

/// With these environment variables, and no others.
fn ask_in<J: Job>(args: Vec<OsString>, variables: &[(&str, &str)]) -> Answer {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
    let code = answer_in::<J>(args, &environment, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Answer { code, out: text(out), err: text(err) }
}

/// The words of a command line behind the program's name.
fn ask(line: &str) -> Answer {
    ask_os::<Board>(["target/board"].into_iter().chain(line.split_whitespace()).map(OsString::from).collect())
}

/// What the run with this ending was called with.
#[track_caller]
fn taken(ending: &str) -> (Board, Config) {
    let mut runs = RUNS.lock().unwrap();
    let at = runs.iter().position(|run| run.0 == ending).expect("the job did not run");
    let (_, board, config) = runs.swap_remove(at);
    (board, config)
}

#[test]
fn run_and_no_command_are_the_same() {
    for (command, ending) in [("run ", "named"), ("", "bare")] {
        let answer =
            ask(&format!("{command}--departures in.csv --least -7 --dry-run --workers 3 --pin --ending {ending}"));
        assert_eq!((answer.code, &*answer.out), (0, ""), "{}", answer.err);
        assert!(answer.err.starts_with("Board finished in 2 s on 2 workers\n"), "{}", answer.err);
        let (board, config) = taken(ending);
        assert_eq!((board.departures, board.least, board.dry_run), (PathBuf::from("in.csv"), -7, true));
        assert_eq!(board.out, None);
        assert_eq!((config.workers, config.pin, config.handle_interrupt), (3, true, true));
    }
}

#[test]
fn defaults_are_the_jobs_and_the_machines() {
    let answer = ask("--departures in.csv --dry-run=false --ending defaults --out=b.csv");
    assert_eq!(answer.code, 0, "{}", answer.err);
    let (board, config) = taken("defaults");
    assert_eq!((board.least, board.dry_run, board.out), (-5, false, Some(PathBuf::from("b.csv"))));
    assert_eq!((config.workers, config.pin), (Config::default().workers, false));
}

#[test]
fn quiet_says_nothing() {
    let answer = ask("run --departures in.csv --quiet --ending quiet");
    assert_eq!((answer.code, &*answer.out, &*answer.err), (0, "", ""));
    assert!(!taken("quiet").1.progress);
}

#[test]
fn endings_have_their_exit_codes() {
    let broken = ask("run --departures in.csv --ending broken");
    assert_eq!((broken.code, &*broken.err), (1, "error: the file is broken\n  help: mend it\n"));
    let interrupted = ask("run --departures in.csv --ending interrupted");
    assert_eq!(interrupted.code, 130);
    assert!(interrupted.err.starts_with("interrupted before the inputs had ended"), "{}", interrupted.err);
    let plan = ask("plan --departures in.csv --ending broken");
    assert_eq!((plan.code, &*plan.out, &*plan.err), (1, "", "error: the file is broken\n"));
}

#[test]
fn a_wrong_command_line_says_what_is_wrong() {
    let cases = [
        ("run", "--departures <PathBuf>"),
        ("", "--departures <PathBuf>"),
        ("plan", "--departures <PathBuf>"),
        ("run --departure in.csv", "a similar argument exists: '--departures'"),
        ("run --departures in.csv --workers 0", "'--workers <N>': a job needs at least one worker"),
        ("run --departures in.csv --workers two", "expected a number of threads, 1 or more"),
        ("plan --departures in.csv --workers 0", "'--workers <N>': a job needs at least one worker"),
        (
            "run --departures in.csv --least many",
            "flag `--least` takes a value of type `i32`, not `many`: invalid digit",
        ),
        ("run --departures in.csv --dry-run=maybe", "flag `--dry-run` takes a value of type `bool`, not `maybe`"),
        ("plan --departures in.csv --format png", "[possible values: text, svg, dot, json]"),
        ("run --departures in.csv --format svg", "unexpected argument '--format'"),
        ("plan --departures in.csv --pin", "unexpected argument '--pin'"),
        ("walk --departures in.csv", "'walk'"),
        ("--departures in.csv plan", "the subcommand 'plan' cannot be used with"),
        ("run --departures", "a value is required for '--departures <PathBuf>'"),
    ];
    for (line, message) in cases {
        let answer = ask(line);
        assert_eq!((answer.code, &*answer.out), (2, ""), "{line}: {}", answer.err);
        assert!(answer.err.contains(message), "{line}: no {message:?} in\n{}", answer.err);
        assert!(answer.err.contains("--help"), "{line}:\n{}", answer.err);
    }
}

#[test]
fn help_teaches() {
    let help = ask("--help");
    assert_eq!((help.code, &*help.err), (0, ""));
    let workers = Config::default().workers;
    let expected = format!(
        "\
Departures per airport and hour.

Late ones are dropped.

Usage: board [OPTIONS] --departures <PathBuf>
       board <COMMAND>

Commands:
  run          Runs the job to the end of its inputs; the same without a command
  restore      Runs the job from its newest checkpoint, or from the one that `--from` names, with
               any number of workers
  savepoint    Asks the running job for a savepoint: a checkpoint that stays, and prints its place
  stop         Ends the running job: as if its inputs had ended, or with a savepoint from which it
               goes on later
  plan         Prints the plan of the job and reads nothing: chains, exchanges between them, their
               bounds
  lock         Shows how what is stored has changed since it was accepted, or accepts the change
  state        Looks into a place of checkpoints; takes state out as JSON, and puts it into another
               place
  completions  Prints a script with which a shell completes commands, flags and files

Params:
      --departures <PathBuf>  The file of departures, plain or gz. [required]
      --out <PathBuf>         Where the board goes. [optional]
      --least <i32>           The least delay. [default: -5]
      --dry-run[=<bool>]      [default: false]
      --ending <String>       How it ends. [default: well]

Options:
      --workers <N>              How many worker threads [default: {workers}, one per core]
      --pin[=<bool>]             Keeps each worker on a core of its own
      --quiet[=<bool>]           Shows neither progress nor the summary, only warnings and errors
      --log <FORM>               text or json: how progress, restarts, warnings and checkpoints are
                                 told [default: text]
      --summary <FORM>           text or json: how the numbers at the end are told [default: as the
                                 log]
      --config <FILE>            Takes settings that no flag and no environment variable says from
                                 this file, a line of TOML each
      --print-config             Prints each setting with where it comes from, as a config file, and
                                 runs nothing
      --checkpoints <PLACE>      Keeps checkpoints in this directory (or at this URL) and goes on
                                 from the newest one that is there
      --checkpoint-every <TIME>  From the start of one checkpoint to the next, like 500ms or 1min
                                 [default: 10s]
      --fresh                    Begins anew, though there is a checkpoint to go on from
      --from <CHECKPOINT>        Goes on from this one: its number, as `state list` shows it, or the
                                 place of a savepoint
      --fork                     Allows a new branch of history: from an older checkpoint, or with
                                 other params
      --control <PATH>           Listens for `savepoint` and `stop` at this socket, and not in the
                                 directory of checkpoints
  -h, --help                     Prints this

Data goes to standard output, messages to standard error.

A setting that no flag says is that of the environment (BOARD_CHECKPOINT_EVERY for
--checkpoint-every), or else that of the file of --config, or else the default.

Exit codes:
  0    done: the inputs have ended, or the run was told to stop
  1    the run failed, or what was asked for could not be done
  2    the command line, the environment or the config file is wrong; nothing was begun
  130  ended by a signal (Ctrl-C, SIGTERM) before the inputs had ended

Examples:
  board run --departures DEPARTURES --workers 2
  board plan --departures DEPARTURES --format svg > plan.svg
"
    );
    assert_eq!(help.out, expected);
}

#[test]
fn each_command_has_its_own_help_with_an_example() {
    let table = command::<Board>("board", &Board::params());
    for command in table.get_subcommands().map(Command::get_name) {
        let help = ask(&format!("{command} --help"));
        assert_eq!((help.code, &*help.err), (0, ""), "{command}");
        let examples = help.out.split_once("Example").map_or("", |(_, behind)| behind);
        assert!(examples.contains(&format!("\n  board {command} ")), "no example in\n{}", help.out);
    }
    let run = ask("run --help");
    for param in
        ["--departures <PathBuf>  The file of departures, plain or gz. [required]", "Where the board goes. [optional]"]
    {
        assert!(run.out.contains(param), "no {param:?} in\n{}", run.out);
    }
    for text in ["--pin", "Exit codes:\n  0 ", "\n  board run --departures DEPARTURES --workers 2\n"] {
        assert!(run.out.contains(text), "no {text:?} in\n{}", run.out);
    }
    let plan = ask("plan --help");
    assert!(plan.out.contains("--format <FORMAT>") && !plan.out.contains("--pin"), "{}", plan.out);
}

#[test]
fn the_plan_in_each_format() {
    let text = ask("plan --departures in.csv --workers 4");
    assert_eq!((text.code, &*text.err), (0, ""));
    assert!(text.out.starts_with("Board<Memory> on 4 workers: 1 chain, 0 edges\n"), "{}", text.out);
    for (format, start) in [("text", "Board<"), ("svg", "<svg "), ("dot", "digraph "), ("json", "{\n")] {
        let answer = ask(&format!("plan --departures in.csv --format {format}"));
        assert_eq!(answer.code, 0, "{}", answer.err);
        assert!(answer.out.starts_with(start) && answer.out.ends_with('\n'), "{format}:\n{}", answer.out);
    }
}

/// Takes so many bytes and then is a pipe that no one reads from.
struct Pipe(usize, io::ErrorKind);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        if taken == 0 { Err(self.1.into()) } else { Ok(taken) }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_has_enough_is_no_failure_and_a_full_disk_is() {
    let args = || ["board", "plan", "--departures", "in.csv"].map(OsString::from).to_vec();
    let mut err = Vec::new();
    assert_eq!(answer::<Board>(args(), &mut Pipe(10, io::ErrorKind::BrokenPipe), &mut err), 0);
    assert!(err.is_empty());
    assert_eq!(answer::<Board>(args(), &mut Pipe(10, io::ErrorKind::StorageFull), &mut err), 1);
    assert!(String::from_utf8(err).unwrap().starts_with("error: the plan could not be written"));
}

#[cfg(unix)]
#[test]
fn a_path_that_is_no_utf8_arrives_as_it_is() {
    use std::os::unix::ffi::OsStrExt as _;
    let path = OsStr::from_bytes(b"f\xff.csv");
    let mut args = ["board", "--ending", "bytes", "--departures"].map(OsString::from).to_vec();
    args.push(path.to_owned());
    assert_eq!(ask_os::<Board>(args).code, 0);
    assert_eq!(taken("bytes").0.departures, PathBuf::from(path));
}

/// A job whose params have the names it is given, and types that no text can give.
struct Odd<const CASE: u8>;

impl<const CASE: u8> Job for Odd<CASE> {
    const NAME: &'static str = "Odd";
    const ABOUT: &'static str = "";
    fn params() -> Vec<Param> {
        match CASE {
            0 => vec![param("workers", "u32", "")],
            1 => vec![param("a", "u32", ""), param("a_", "u32", "")],
            2 => vec![param("rules", "Rules", "")],
            _ => Vec::new(),
        }
    }
    fn from_values(values: &mut Values) -> Result<Self, Fault> {
        if CASE == 2 {
            let _: Rules = values.required("rules", flag!(Rules))?;
        }
        Ok(Odd)
    }
    fn run_job(self, _: Config) -> Result<Summary, Error> {
        Ok(Summary::default())
    }
    fn plan_job(&self, _: &Config) -> Result<Plan, Error> {
        Err(Error::Interrupted)
    }
}

#[test]
fn params_that_cannot_be_flags() {
    let line = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    let taken = ask_os::<Odd<0>>(line(&["odd"]));
    assert_eq!(taken.code, 2);
    assert!(taken.err.starts_with("error: param `workers` of `Odd` has the name of a flag"), "{}", taken.err);
    let twins = ask_os::<Odd<1>>(line(&["odd"]));
    assert!(twins.err.starts_with("error: params `a` and `a_` of `Odd` are the same flag: `--a`"), "{}", twins.err);
    let opaque = ask_os::<Odd<2>>(line(&["odd", "--rules", "x"]));
    assert_eq!(opaque.code, 2);
    assert!(opaque.err.starts_with("error: param `rules` of type `Rules` cannot be given as a flag"), "{}", opaque.err);
}

#[test]
fn a_job_without_params_needs_nothing() {
    assert_eq!(ask_os::<Odd<3>>(vec!["odd".into()]).code, 0);
    assert_eq!(ask_os::<Odd<3>>(Vec::new()).code, 0, "not even a name");
    let help = ask_os::<Odd<3>>(vec!["odd".into(), "-h".into()]);
    assert!(help.out.starts_with("The job Odd.\n\nUsage: odd"), "{}", help.out);
    assert!(help.out.contains("\n  odd plan --format svg > plan.svg"), "{}", help.out);
    assert_eq!(main_from::<Odd<3>>([OsString::from("odd")]), std::process::ExitCode::SUCCESS);
}

#[test]
fn examples_use_defaults_that_fit_a_command_line() {
    let with = |default| Param { default: Some(default), ..param("in_file", "PathBuf", "") };
    assert_eq!(example_params(&[with("\"data/in.csv\"")]), " --in-file data/in.csv");
    assert_eq!(example_params(&[with("\"my file\"")]), " --in-file IN_FILE");
    assert_eq!(example_params(&[with("home().join(\"x\")")]), " --in-file IN_FILE");
    let required = param("brokers", "String", "");
    assert_eq!(example_params(&[with("\"a\""), required]), " --brokers BROKERS", "what must be given is shown alone");
}

#[test]
fn the_command_is_what_clap_allows() {
    command::<Board>("board", &Board::params()).debug_assert();
    command::<Odd<3>>("odd", &[]).debug_assert();
}

#[test]
fn checkpoints_are_where_and_as_often_as_was_said() {
    let answer = ask("--departures in.csv --checkpoints ck --checkpoint-every 500ms --fresh --ending kept");
    assert_eq!(answer.code, 0, "{}", answer.err);
    let (_, config) = taken("kept");
    let kept = config.checkpoints.unwrap();
    assert_eq!((&*kept.place, kept.every, config.fresh), ("ck", Some(Duration::from_millis(500)), true));
    for (line, said) in [
        ("--departures in.csv --fresh", "--checkpoints"),
        ("--departures in.csv --checkpoints ck --checkpoint-every 0s", "a time above zero"),
        ("--departures in.csv --checkpoints ck --checkpoint-every soon", "soon"),
    ] {
        let answer = ask(line);
        assert_eq!(answer.code, 2, "{line}");
        assert!(answer.err.contains(said), "{line}: {}", answer.err);
    }
}

#[test]
fn what_is_gone_on_from_is_what_was_said() {
    let answer = ask("restore --departures in.csv --checkpoints ck --from 12 --fork --control c.sock --ending chosen");
    assert_eq!(answer.code, 0, "{}", answer.err);
    let (_, config) = taken("chosen");
    assert_eq!(
        (config.from.as_deref(), config.fork, config.must_resume, config.fresh),
        (Some("12"), true, true, false)
    );
    assert_eq!(config.control, Control::At("c.sock".into()));
    let answer = ask("--departures in.csv --checkpoints ck --ending unchosen");
    assert_eq!(answer.code, 0, "{}", answer.err);
    let (_, config) = taken("unchosen");
    assert_eq!((config.from, config.fork, config.must_resume, config.fresh), (None, false, false, false));
    assert_eq!(config.control, Control::Beside);
    for (line, said) in [
        ("restore --departures in.csv", "--checkpoints"),
        ("restore --departures in.csv --checkpoints ck --fresh", "--fresh"),
        ("--departures in.csv --from 12", "--checkpoints"),
        ("--departures in.csv --checkpoints ck --from 12 --fresh", "cannot be used with"),
    ] {
        let answer = ask(line);
        assert_eq!(answer.code, 2, "{line}");
        assert!(answer.err.contains(said), "{line}: {}", answer.err);
    }
}

#[test]
fn whoever_asks_a_job_that_does_not_run_is_told() {
    for (line, code, said) in [
        ("savepoint", 2, "--checkpoints"),
        ("stop --checkpoints ck", 2, "--drain|--savepoint"),
        ("stop --drain --savepoint --checkpoints ck", 2, "cannot be used with"),
        ("stop --drain --to x --checkpoints ck", 2, "cannot be used with"),
        ("savepoint --checkpoints not-there", 1, "there is no such directory of checkpoints"),
        ("savepoint --checkpoints s3://bucket/x", 1, "run the job with `--control PATH`"),
        ("savepoint --control not-there.sock", 1, "no job is running here"),
        ("stop --savepoint --control c.sock --to memory://x", 1, "dies with it"),
    ] {
        let answer = ask(line);
        assert_eq!((answer.code, &*answer.out), (code, ""), "{line}: {}", answer.err);
        assert!(answer.err.contains(said), "{line}: no {said:?} in {}", answer.err);
    }
}

#[test]
fn state_says_what_is_there_and_whether_it_is_whole() {
    use crate::checkpoint::entry::Attempt;
    use crate::checkpoint::log::Log;
    use crate::checkpoint::manifest::Manifest;
    use crate::checkpoint::store;
    let store = store::open("memory://cli-state").unwrap();
    let attempt = Attempt { job: "Board".to_owned(), width: 2, plan: 0, params: Vec::new(), time: 0 };
    let mut log = Log::begin(store.clone(), attempt).unwrap();
    let number = log.complete(Manifest::new("Board", 2, 3), 2).unwrap();
    let list = ask("state list --checkpoints memory://cli-state");
    assert_eq!(list.code, 0, "{}", list.err);
    assert!(list.out.contains("job `Board`") && list.out.contains("epoch 3"), "{}", list.out);
    let whole = ask("state verify --checkpoints memory://cli-state");
    assert_eq!(whole.code, 0, "{}", whole.out);
    let name = format!("log/{number:020}");
    let mut bytes = store.get(&name).unwrap().unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    store.put(&name, &bytes).unwrap();
    let damaged = ask("state verify --checkpoints memory://cli-state");
    assert_eq!(damaged.code, 1);
    assert!(damaged.out.contains("damaged"), "{}", damaged.out);
    assert_eq!(ask("state verify").code, 2);
}

#[test]
fn state_and_its_commands_teach() {
    let help = ask("state --help");
    assert_eq!((help.code, &*help.err), (0, ""));
    for command in ["list", "verify", "key", "export", "import", "copy"] {
        assert!(help.out.contains(&format!("\n  {command}")), "no {command} in\n{}", help.out);
        let own = ask(&format!("state {command} --help"));
        assert_eq!((own.code, &*own.err), (0, ""), "{command}");
        let examples = own.out.split_once("Example").map_or("", |(_, behind)| behind);
        assert!(examples.contains(&format!("board state {command}")), "no example in\n{}", own.out);
        assert!(own.out.contains("--checkpoints <PLACE>"), "{}", own.out);
    }
    let import = ask("state import --help").out;
    for text in
        ["--departures <PathBuf>", "--base <PLACE>", "--base-checkpoint <N>", "state.jsonl --departures DEPARTURES"]
    {
        assert!(import.contains(text), "no {text:?} in\n{import}");
    }
    for (line, message) in [
        ("state", "Usage: board state"),
        ("state keys --checkpoints ck", "a similar subcommand exists: 'key'"),
        ("state key totals --checkpoints ck", "<KEY>"),
        ("state key totals 1", "--checkpoints <PLACE>"),
        ("state export --checkpoints ck --checkpoint new", "invalid value 'new'"),
        ("state copy --checkpoints ck", "--to <PLACE>"),
        ("state import --checkpoints ck", "--departures <PathBuf>"),
        ("state import --checkpoints ck --departures in.csv --base-checkpoint 3", "--base <PLACE>"),
        (
            "state import --checkpoints ck --departures in.csv --least many",
            "flag `--least` takes a value of type `i32`",
        ),
    ] {
        let answer = ask(line);
        assert_eq!((answer.code, &*answer.out), (2, ""), "{line}: {}", answer.err);
        assert!(answer.err.contains(message), "{line}: no {message:?} in\n{}", answer.err);
    }
}
