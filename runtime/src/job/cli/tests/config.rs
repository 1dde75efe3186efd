//! Settings from the environment and from a config file, and `--print-config`.

use super::*;
use crate::job::values::flag_name;

/// A file of one test; removed when it is dropped.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> File {
        let path = std::env::temp_dir().join(format!("pelton-config-{}-{name}.toml", std::process::id()));
        std::fs::write(&path, text).unwrap();
        File(path)
    }
    fn path(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn ask_with(line: &str, variables: &[(&str, &str)]) -> Answer {
    ask_in::<Board>(["board"].into_iter().chain(line.split_whitespace()).map(OsString::from).collect(), variables)
}

#[test]
fn a_flag_counts_more_than_the_environment_and_that_more_than_the_file() {
    let text = "departures = 'file.csv'\nleast = 1\nworkers = 5\npin = true\nending = 'layers'\ncheckpoints = 'ck'\n";
    let file = File::new("layers", text);
    let variables = [("BOARD_LEAST", "2"), ("BOARD_WORKERS", "6"), ("BOARD_CHECKPOINT_EVERY", "250ms")];
    for command in ["", "run "] {
        let answer = ask_with(&format!("{command}--workers 7 --pin=false --config {}", file.path()), &variables);
        assert_eq!(answer.code, 0, "{}", answer.err);
        let (board, config) = taken("layers");
        assert_eq!((board.departures, board.least), (PathBuf::from("file.csv"), 2));
        assert_eq!((config.workers, config.pin), (7, false));
        let kept = config.checkpoints.unwrap();
        assert_eq!((&*kept.place, kept.every), ("ck", Some(Duration::from_millis(250))));
    }
    // The file itself may be named by the environment.
    let answer = ask_with("restore", &[("BOARD_CONFIG", &file.path())]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let (board, config) = taken("layers");
    assert_eq!((board.least, config.workers, config.pin, config.must_resume), (1, 5, true, true));
}

#[test]
fn a_variable_that_is_nearly_one_of_the_jobs_is_told_of() {
    let variables =
        [("BOARD_WORKRS", "6"), ("BOARD_MEMBERS", "of somebody else"), ("BORD_PIN", "true"), ("BOARD_PIN", "true")];
    let answer = ask_with("--departures in.csv --ending misspelt", &variables);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let warning = "warning: the environment variable `BOARD_WORKRS` is not read; `BOARD_WORKERS` is near it\n";
    assert!(answer.err.starts_with(warning) && answer.err.matches("warning").count() == 1, "{}", answer.err);
    let (_, config) = taken("misspelt");
    assert_eq!((config.workers, config.pin), (Config::default().workers, true));
    let answer = ask_with("--departures in.csv --ending misspelt --log json", &variables);
    let first = answer.err.lines().next().unwrap_or_default();
    assert!(first.ends_with(r#""variable":"BOARD_WORKRS","near":"BOARD_WORKERS"}"#), "{first}");
    taken("misspelt");
}

#[test]
fn each_command_takes_what_it_has_a_flag_for() {
    let file = File::new("commands", "departures = 'file.csv'\nworkers = 3\ncheckpoints = 'not-there'\nquiet = true\n");
    let config = format!("--config {}", file.path());
    let plan = ask_with(&format!("plan {config}"), &[]);
    assert_eq!(plan.code, 0, "{}", plan.err);
    assert!(plan.out.starts_with("Board<Memory> on 3 workers") && plan.out.contains("csv file.csv"), "{}", plan.out);
    for line in ["savepoint", "stop --drain", "state list"] {
        let answer = ask_with(&format!("{line} {config}"), &[]);
        assert_eq!(answer.code, 1, "{line}: {}", answer.err);
        assert!(answer.err.contains("not-there"), "{line}: {}", answer.err);
    }
    // An import goes to a new place, which is named for it.
    let import = ask_with(&format!("state import {config}"), &[]);
    assert_eq!(import.code, 2);
    assert!(import.err.contains("--checkpoints <PLACE>"), "{}", import.err);
}

#[test]
fn every_mistake_of_a_file_is_told_with_its_line() {
    let file = File::new("mistakes", "departure = 'x.csv'\n\nworkers = 2\nfresh = true\nzzz = 1\n");
    let answer = ask_with(&format!("run --config {}", file.path()), &[]);
    assert_eq!((answer.code, &*answer.out), (2, ""));
    let at = |line: u32| format!("at {}, line {line}", file.path());
    for said in [
        &format!("error: there is no setting `departure`\n  {}\n  help: `departures` is near it; there are ", at(1)),
        &format!("error: `fresh` is decided for each run, and cannot stand in a config file\n  {}\n", at(4)),
        &format!("error: there is no setting `zzz`\n  {}\n  help: there are `departures`, ", at(5)),
    ] {
        assert!(answer.err.contains(said), "no {said:?} in {}", answer.err);
    }
    let missing = ask_with("run --config /nowhere/c.toml", &[]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("the config file cannot be read") && missing.err.contains("/nowhere/c.toml"));
}

#[test]
fn a_wrong_value_is_told_with_where_it_comes_from() {
    let file = File::new("values", "departures = 'x.csv'\nworkers = 0\n");
    let in_file = ask_with(&format!("run --config {}", file.path()), &[]);
    assert_eq!(in_file.code, 2);
    let said = format!("error: key `workers` is `0`: a job needs at least one worker\n  at {}, line 2\n", file.path());
    assert!(in_file.err.starts_with(&said), "{}", in_file.err);
    let file = File::new("param", "departures = 'x.csv'\nleast = 'many'\n");
    let of_param = ask_with(&format!("run --config {}", file.path()), &[]);
    assert_eq!(of_param.code, 2);
    let said = format!(
        "error: key `least` takes a value of type `i32`, not `many`: invalid digit found in string\n  at {}, line 2\n",
        file.path()
    );
    assert!(of_param.err.starts_with(&said), "{}", of_param.err);
    for (variables, said) in [
        (
            [("BOARD_LOG", "yaml")],
            "error: environment variable `BOARD_LOG` is `yaml`: expected one of `text`, `json`\n",
        ),
        ([("BOARD_PIN", "maybe")], "error: environment variable `BOARD_PIN` is `maybe`: "),
        (
            [("BOARD_LEAST", "many")],
            "error: environment variable `BOARD_LEAST` takes a value of type `i32`, not `many`",
        ),
        (
            [("BOARD_STATE", "dir")],
            "error: environment variable `BOARD_STATE` is `dir`: `Board` keeps its state in memory",
        ),
    ] {
        let answer = ask_with("run --departures x.csv", &variables);
        assert_eq!(answer.code, 2, "{}", answer.err);
        assert!(answer.err.starts_with(said), "no {said:?} in {}", answer.err);
    }
}

#[test]
fn what_is_printed_says_where_it_comes_from_and_is_a_config_file() {
    let file = File::new("print", "departures = 'a \"b\".csv'\nworkers = 3\ncheckpoints = 'ck'\n");
    let variables = [("BOARD_LEAST", "-9")];
    let printed = ask_with(&format!("run --ending printed --print-config --config {}", file.path()), &variables);
    assert_eq!((printed.code, &*printed.err), (0, ""));
    let expected = format!(
        "\
# The settings of Board, each with where it comes from: a flag counts more than the environment, that more
# than a config file, that more than a default. This is a config file itself: --config FILE.

# Params
departures = \"a \\\"b\\\".csv\"  # {path}, line 1
# out                       # not given
least = -9                  # environment variable BOARD_LEAST
dry-run = false             # default
ending = \"printed\"          # flag

# Options
workers = 3               # {path}, line 2
pin = false               # default
quiet = false             # default
log = \"text\"              # default
summary = \"text\"          # default
checkpoints = \"ck\"        # {path}, line 3
checkpoint-every = \"10s\"  # default
# control                 # not given
",
        path = file.path()
    );
    assert_eq!(printed.out, expected);
    assert!(RUNS.lock().unwrap().iter().all(|run| run.0 != "printed"), "it has run");
    // The same settings again, all from one file.
    let again = File::new("again", &printed.out);
    let second = ask_with(&format!("--print-config --config {}", again.path()), &[]);
    assert_eq!(second.code, 0, "{}", second.err);
    let settings = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        lines.map(|line| line.split("  #").next().unwrap().trim_end().to_owned()).collect()
    };
    assert_eq!(settings(&second.out), settings(&printed.out));
    let ran = ask_with(&format!("run --config {}", again.path()), &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let (board, config) = taken("printed");
    assert_eq!((board.departures, board.least, config.workers), (PathBuf::from("a \"b\".csv"), -9, 3));
    // Without checkpoints nothing says how often they are kept.
    let bare = ask_with("--departures x.csv --print-config", &[]);
    assert!(bare.out.contains("# checkpoint-every = \"10s\"  # default, with `checkpoints`"), "{}", bare.out);
    let bare_file = File::new("bare", &bare.out);
    assert_eq!(ask_with(&format!("--print-config --config {}", bare_file.path()), &[]).code, 0);
}

#[test]
fn what_a_run_would_refuse_is_not_printed() {
    let wrong = ask_with("--departures x.csv --least many --print-config", &[]);
    assert_eq!((wrong.code, &*wrong.out), (2, ""));
    assert!(wrong.err.contains("flag `--least` takes a value of type `i32`"), "{}", wrong.err);
    let missing = ask_with("--print-config", &[]);
    assert!(missing.code == 2 && missing.err.contains("--departures <PathBuf>"), "{}", missing.err);
}

#[test]
fn variables_have_the_names_of_the_job_and_of_the_flag() {
    for (job, flag, name) in [
        ("DelayBoard", "checkpoint-every", "DELAY_BOARD_CHECKPOINT_EVERY"),
        ("Board", "workers", "BOARD_WORKERS"),
        ("HTTPLog", "out", "HTTPLOG_OUT"),
        ("Board2", "a", "BOARD2_A"),
    ] {
        assert_eq!(layers::variable(job, flag), name);
    }
}

#[test]
fn every_setting_is_a_flag_of_run_and_no_decision_is_a_setting() {
    let table = command::<Board>("board", &Board::params());
    let run = table.find_subcommand("run").unwrap();
    for name in layers::SETTINGS {
        assert!(run.get_arguments().any(|arg| arg.get_long() == Some(name)), "{name}");
    }
    let params: Vec<String> = Board::params().iter().map(|param| flag_name(param.name)).collect();
    let left: Vec<&str> = run
        .get_arguments()
        .filter_map(|arg| arg.get_long())
        .filter(|flag| !layers::SETTINGS.contains(flag) && !params.iter().any(|param| param == flag))
        .collect();
    assert_eq!(left, ["config", "print-config", "fresh", "from", "fork", "help"]);
}

#[test]
fn shells_complete_what_the_table_has() {
    for shell in ["bash", "zsh", "fish"] {
        let script = ask(&format!("completions {shell}"));
        assert_eq!((script.code, &*script.err), (0, ""), "{shell}");
        for word in ["departures", "checkpoint-every", "print-config", "restore", "completions", "verify", "board"] {
            assert!(script.out.contains(word), "{shell}: no {word} in\n{}", script.out);
        }
        assert!(!script.out.contains("state-memory"), "{shell}: a flag that is only there to be refused");
    }
    let wrong = ask("completions tcsh");
    assert!(wrong.code == 2 && wrong.err.contains("[possible values: bash, zsh, fish]"), "{}", wrong.err);
    assert_eq!(ask("completions").code, 2);
    // A config file that is wrong does not matter to them.
    assert_eq!(ask_with("completions bash", &[("BOARD_CONFIG", "/nowhere.toml")]).code, 0);
}
