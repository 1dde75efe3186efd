//! What the README says is true: its first job, word by word, in a crate outside of the workspace; the block at its top; its picture.
//! Links and commands are those of all documents (`documents.rs`).

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod kit;

use kit::{Folder, bundled, run, said};
use std::path::{Path, PathBuf};
use std::process::Command;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The first block of this language behind a text.
#[track_caller]
fn block(readme: &str, behind: &str, language: &str) -> String {
    let from = readme.split_once(behind).unwrap().1;
    let from = from.split_once(&format!("```{language}\n")).unwrap().1;
    from.split_once("```").unwrap().0.to_owned()
}

/// What the README says at one of its steps.
#[track_caller]
fn step(number: u32, language: &str) -> String {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    block(&readme, &format!("**{number}.**"), language)
}

/// A command of a step: behind its number, between two marks.
#[track_caller]
fn command(number: u32, begins: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let (_, said) = readme.split_once(&format!("**{number}.**")).unwrap();
    let (line, _) = said.split_once('\n').unwrap();
    let said = line.split('`').skip(1).step_by(2).find(|said| said.starts_with(begins));
    said.unwrap_or_else(|| panic!("no `{begins}` in {line}")).split_whitespace().map(str::to_owned).collect()
}

/// Cargo, as the test was run with it.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Where cargo has built this test, so that the crate can use the dependencies that are there already.
fn target() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests.parent().unwrap().parent().unwrap().parent().unwrap().to_owned()
}

#[test]
fn the_first_job_works_word_by_word() {
    let folder = Folder::new();
    let new = command(1, "cargo new");
    said(cargo().args(&new[1..]).current_dir(folder.path()).output().unwrap());
    let [.., name] = &new[..] else { panic!("{new:?}") };
    let crate_of = folder.path().join(name);
    assert_eq!(command(4, "cd"), ["cd", name]);
    // The clone lies elsewhere, and that is all that differs.
    let runtime = repository().join("runtime").display().to_string().replace('\\', "/");
    let dependencies = step(1, "toml");
    assert!(dependencies.contains("\"../pelton/runtime\""));
    let manifest = std::fs::read_to_string(crate_of.join("Cargo.toml")).unwrap();
    assert!(manifest.ends_with("[dependencies]\n"), "{manifest}");
    let file = |name: &str, content: String| std::fs::write(crate_of.join(name), content).unwrap();
    file("Cargo.toml", manifest + &dependencies.replace("../pelton/runtime", &runtime));
    file("src/main.rs", step(2, "rust"));
    file("readings.csv", step(3, "csv"));
    // The same versions as here, so that nothing is fetched.
    std::fs::copy(repository().join("Cargo.lock"), crate_of.join("Cargo.lock")).unwrap();
    let run = command(4, "cargo run");
    // The profile of the tests is built faster, and says the same.
    let run = run[1..].iter().filter(|flag| *flag != "--release");
    let mut cargo = cargo();
    cargo.args(["--offline", "--quiet"]).args(run).current_dir(&crate_of).env("CARGO_TARGET_DIR", target());
    let table = said(cargo.output().unwrap());
    // With one worker the order of keys within a window is the same each time, and a reader compares line by line.
    let found: Vec<&str> = table.lines().collect();
    let expected = step(4, "text");
    let expected: Vec<&str> = expected.lines().collect();
    assert_eq!(found, expected);
}

#[test]
fn the_first_job_among_the_examples_is_that_of_the_readme() {
    let kept = |name: &str| std::fs::read_to_string(bundled("first_job").join(name)).unwrap();
    assert_eq!(kept("src/main.rs"), step(2, "rust"));
    assert_eq!(kept("readings.csv"), step(3, "csv"));
    let dependencies = step(1, "toml").replace("../pelton/runtime", "../../runtime");
    let manifest = kept("Cargo.toml");
    let (_, behind) = manifest.split_once("[dependencies]\n").unwrap();
    assert!(behind.starts_with(&dependencies), "{manifest}");
    assert!(behind.ends_with("\n[workspace]\n"), "it is to build outside of the workspace");
}

#[test]
fn the_block_at_the_top_is_the_example() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let example = std::fs::read_to_string(bundled("delay_board.rs")).unwrap();
    // Code alone: the README has remarks of its own, and fewer lines.
    let code = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.split("//").next().unwrap().trim().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    };
    let example = code(&example);
    let shown = code(&block(&readme, "# Pelton", "rust"));
    let missing: Vec<&String> =
        shown.iter().filter(|line| !example.contains(line) && !line.starts_with("fn main")).collect();
    assert!(missing.is_empty(), "not in the example: {missing:#?}");
}

#[test]
fn the_picture_is_the_plan_of_today() {
    let args = ["plan", "--departures", "departures-2013-01.csv.gz", "--out", "board.csv", "--workers", "2"];
    let drawn = said(run("delay_board", args.into_iter().chain(["--format", "svg"])));
    let kept = std::fs::read_to_string(repository().join("docs/images/delay_board.svg")).unwrap();
    let how = format!("delay_board {} --format svg > docs/images/delay_board.svg", args.join(" "));
    assert!(drawn == kept, "the plan has changed; draw it anew: cargo run --example {}", how.replacen(' ', " -- ", 1));
}
