//! Commands in documents work. Those of blocks that are called `console` are run, in their order, in one folder per document, and what they
//! say is compared. All others are held against what there is: examples, packages, scripts, and for the binary of a job its `--help`. Those of `sh`
//! blocks are run, too, by `shell_blocks.rs`.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod kit;

use kit::documents::{Document, all, repository};
use kit::{Folder, program, run};
use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

/// Programs of others, which are not looked at.
const OTHERS: &[&str] = &[
    "apt", "cat", "cd", "curl", "diff", "git", "gzip", "head", "jq", "kill", "ls", "mdbook", "mkdir", "mv", "nc",
    "printf", "rm", "rustup", "sed", "sort", "tail", "zcat",
];

/// What commands can name.
struct There {
    /// Names of examples that are jobs, and so have the command line of one.
    jobs: Vec<String>,
    examples: Vec<String>,
    /// Manifests of packages by their names.
    packages: HashMap<String, String>,
    help: HashMap<Vec<String>, Result<String, String>>,
}

impl There {
    fn new() -> There {
        let mut packages = HashMap::new();
        let manifest = std::fs::read_to_string(repository().join("Cargo.toml")).unwrap();
        let members = manifest.split_once("members = [").unwrap().1.split_once(']').unwrap().0;
        for member in members.split(',').map(|member| member.trim().trim_matches('"')) {
            let manifest = std::fs::read_to_string(repository().join(member).join("Cargo.toml")).unwrap();
            let name = manifest.split_once("name = \"").unwrap().1.split_once('"').unwrap().0.to_owned();
            packages.insert(name, manifest);
        }
        let targets = packages["pelton-examples"].split("[[example]]\nname = \"").skip(1);
        let examples: Vec<String> = targets.map(|behind| behind.split_once('"').unwrap().0.to_owned()).collect();
        // The driver of the jobs that are killed and the server have command lines of their own.
        let jobs = examples.iter().filter(|name| !["chaos", "embedded"].contains(&&***name)).cloned().collect();
        There { jobs, examples, packages, help: HashMap::new() }
    }

    /// What `JOB WORDS --help` says.
    fn help(&mut self, job: &str, words: &[String]) -> Result<String, String> {
        let key = [&[job.to_owned()], words].concat();
        let ask = || {
            let output = run(job, words.iter().map(|word| &**word).chain(["--help"]));
            match output.status.success() {
                true => Ok(String::from_utf8(output.stdout).unwrap()),
                false => Err(String::from_utf8(output.stderr).unwrap()),
            }
        };
        self.help.entry(key).or_insert_with(ask).clone()
    }

    /// Why the binary of a job does not understand these words.
    fn job(&mut self, job: &str, words: &[String]) -> Option<String> {
        // Words in capitals, and those in brackets, stand for something.
        let stands_for = |word: &str| word.chars().all(|c| c.is_ascii_uppercase() || "[]()|._".contains(c));
        let commands: Vec<String> = words.iter().take_while(|word| !word.starts_with('-')).cloned().collect();
        let commands: Vec<String> = commands.into_iter().filter(|word| !stands_for(word)).collect();
        let help = match self.help(job, &commands) {
            Ok(help) => help,
            Err(said) => return Some(said),
        };
        let flags = words.iter().map(|word| word.trim_start_matches('[').trim_end_matches(']'));
        let flags = flags.filter(|word| word.starts_with('-')).map(|flag| flag.split('=').next().unwrap());
        let known = |flag: &str| help.split(|c: char| c.is_whitespace() || ",=[".contains(c)).any(|word| word == flag);
        let unknown: Vec<&str> = flags.filter(|flag| !known(flag)).collect();
        (!unknown.is_empty()).then(|| format!("{commands:?} has no {unknown:?}"))
    }

    fn cargo(&mut self, words: &[String]) -> Option<String> {
        let (own, behind) = match words.iter().position(|word| word == "--") {
            Some(at) => (&words[..at], &words[at + 1..]),
            None => (words, &[][..]),
        };
        let own: Vec<&str> = own.iter().map(|word| &**word).filter(|word| !word.starts_with('+')).collect();
        let value =
            |names: &[&str]| own.iter().position(|word| names.contains(word)).and_then(|at| own.get(at + 1)).copied();
        let package = value(&["-p", "--package"]);
        if let Some(package) = package.filter(|package| !self.packages.contains_key(*package)) {
            return Some(format!("there is no package {package}"));
        }
        for feature in value(&["--features"]).into_iter().flat_map(|features| features.split(',')) {
            let (of, feature) = feature.split_once('/').unwrap_or((package.unwrap_or("pelton"), feature));
            let manifest = self.packages.get(of);
            if !manifest.is_some_and(|manifest| manifest.contains(&format!("\n{feature} = ["))) {
                return Some(format!("{of} has no feature {feature}"));
            }
        }
        if let Some(binary) = value(&["--bin"]) {
            let manifest = &self.packages[package.unwrap_or("pelton-benches")];
            return (!manifest.contains(&format!("name = \"{binary}\""))).then(|| format!("no binary {binary}"));
        }
        match (own.first().copied(), value(&["--example"])) {
            (Some("run"), Some(example)) if self.jobs.iter().any(|job| job == example) => self.job(example, behind),
            (Some("run"), Some(example)) if self.examples.iter().any(|known| known == example) => None,
            (Some("run"), Some(example)) => Some(format!("there is no example {example}")),
            // A job of the reader's.
            (Some("run"), None) => self.job("delay_board", behind),
            (Some("new" | "build" | "check" | "test" | "doc" | "add" | "install"), _) => None,
            (other, _) => Some(format!("cargo {other:?} is not known")),
        }
    }

    /// Why a command of a pipeline would not work.
    fn wrong(&mut self, words: &[String]) -> Option<String> {
        let words: Vec<String> = words.iter().skip_while(|word| is_variable(word)).cloned().collect();
        let (first, rest) = words.split_first()?;
        let name = first.rsplit('/').next().unwrap_or(first).to_owned();
        if first.starts_with("scripts/") || first.starts_with("./scripts/") {
            return (!repository().join(first).exists()).then(|| format!("there is no {first}"));
        }
        if first == "eval" {
            let script = rest[0].trim_start_matches("$(").trim_end_matches(')');
            return (!repository().join(script).exists()).then(|| format!("there is no {script}"));
        }
        match &*name {
            "cargo" => self.cargo(rest),
            "JOB" => self.job("delay_board", rest),
            name if self.jobs.iter().any(|job| job == name) => self.job(name, rest),
            name if self.examples.iter().any(|example| example == name) => None,
            name if OTHERS.contains(&name) => None,
            _ => Some(format!("{first} is not known")),
        }
    }
}

/// `NAME=value`, in front of a command.
fn is_variable(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
}

/// The commands of a line, each as its words, without what comes from files and goes into them.
fn apart(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![vec![]];
    let (mut word, mut quote, mut any) = (String::new(), None, false);
    let mut chars = line.chars().chain([' ']).peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.push(c),
            (None, '"' | '\'') => (quote, any) = (Some(c), true),
            (None, '#') if word.is_empty() => break,
            (None, '|' | ';' | '&') if chars.peek().is_none_or(|next| next.is_whitespace() || *next == c) => {
                commands.push(vec![]);
            }
            (None, c) if c.is_whitespace() => {
                if any || !word.is_empty() {
                    commands.last_mut().unwrap().push(std::mem::take(&mut word));
                }
                any = false;
            }
            (None, c) => word.push(c),
        }
    }
    for command in &mut commands {
        if let Some(at) = command.iter().position(|word| word.contains('>') || word == "<") {
            command.truncate(at);
        }
    }
    commands.retain(|command| !command.is_empty());
    commands
}

#[test]
fn commands_are_understood() {
    let mut there = There::new();
    let mut wrong = vec![];
    let mut seen = 0;
    for document in all() {
        let begins = |code: &str| {
            let first = code.split(' ').next().unwrap();
            let program = first == "cargo" || first == "JOB" || there.examples.iter().any(|example| example == first);
            code.contains(' ') && (program || first.starts_with("scripts/") || first == "eval")
        };
        let inline: Vec<_> = document.code().into_iter().filter(|(_, code)| begins(code)).collect();
        for (line, command) in document.commands().into_iter().chain(inline) {
            for words in apart(&command) {
                seen += 1;
                if let Some(why) = there.wrong(&words) {
                    wrong.push(format!("{}:{line}: `{command}`: {why}", document.path.display()));
                }
            }
        }
    }
    assert!(seen > 30, "{seen}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_command_that_would_not_work_is_found() {
    let mut there = There::new();
    let mut wrong = |line: &str| apart(line).iter().find_map(|words| there.wrong(words));
    for good in [
        "cargo run --release --example delay_board -- run --out board.csv --workers 2   # and more",
        "PELTON_LOCK_ACCEPT=1 cargo run -- lock --accept",
        "delay_board state list --checkpoints ck | jq '.a | .b' > out.txt",
        "JOB state import [FILE] --checkpoints NEW",
        "cargo run --profile bench -p pelton-benches --bin csv",
        "eval \"$(scripts/rocksdb)\"",
    ] {
        assert_eq!(wrong(good), None, "{good}");
    }
    for bad in [
        "cargo run --example no",
        "cargo run --example delay_board -- --no-such-flag",
        "cargo run --example delay_board -- fly",
        "cargo run -- --no-such-flag",
        "cargo run -p pelton-benches --bin no",
        "cargo doc -p no",
        "cargo test -p pelton --features no",
        "cat a | delay_board state list --no",
        "JOB state no --checkpoints ck",
        "scripts/no",
        "fly away",
    ] {
        assert!(wrong(bad).is_some(), "{bad}");
    }
}

/// A command of a session, and what it says.
struct Step {
    line: usize,
    command: String,
    says: Vec<String>,
}

/// What is in the `console` blocks of a document.
fn session(document: &Document) -> Vec<Step> {
    let mut steps: Vec<Step> = vec![];
    for line in document.lines.iter().filter(|line| line.block.as_deref() == Some("console")) {
        match line.text.strip_prefix("$ ") {
            Some(command) => steps.push(Step { line: line.number, command: command.to_owned(), says: vec![] }),
            None => {
                let step =
                    steps.last_mut().unwrap_or_else(|| panic!("{}: a block says no command", document.path.display()));
                // A command that goes on.
                match step.command.strip_suffix('\\') {
                    Some(begun) => step.command = format!("{begun}{}", line.text),
                    None => step.says.push(line.text.clone()),
                }
            }
        }
    }
    steps
}

/// Whether a line is that of a document, in which `[..]` stands for anything.
fn fits(found: &str, expected: &str) -> bool {
    let mut parts = expected.split("[..]");
    let Some(mut rest) = parts.next().and_then(|first| found.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Whether lines are those of a document, in which a line `...` stands for any number of lines.
fn all_fit(found: &[&str], expected: &[String]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((first, rest)) if first == "..." => (0..=found.len()).any(|skip| all_fit(&found[skip..], rest)),
        Some((first, rest)) => found.split_first().is_some_and(|(line, more)| fits(line, first) && all_fit(more, rest)),
    }
}

#[test]
fn sessions_are_as_told() {
    // `delay_board` and the others are found as if they were installed.
    let examples = program("delay_board").get_program().to_owned();
    let mut path = Path::new(&examples).parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let mut run = 0;
    for document in all() {
        let steps = session(&document);
        let folder = Folder::new();
        for step in &steps {
            run += 1;
            let mut shell = Command::new("sh");
            // What goes to the two outputs comes in the order in which it was said.
            shell.args(["-c", &format!("exec 2>&1\n{}", step.command)]).current_dir(folder.path());
            let output = shell.env("PATH", &path).stdin(Stdio::null()).output().unwrap();
            let mut said = String::from_utf8(output.stdout).unwrap();
            match output.status.code() {
                Some(0) => {}
                Some(code) => said += &format!("[exit code {code}]\n"),
                None => panic!("{}: {}", step.command, output.status),
            }
            let lines: Vec<&str> = said.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
            let expected: Vec<String> = step.says.iter().filter(|line| !line.is_empty()).cloned().collect();
            let place = format!("{}:{}", document.path.display(), step.line);
            let shown = lines[..lines.len().min(30)].join("\n");
            assert!(all_fit(&lines, &expected), "{place}: `{}` says\n{shown}", step.command);
        }
    }
    assert!(run > 10, "{run}");
}
