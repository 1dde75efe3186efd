//! What the README says is true: its first job, word by word, in a crate outside of the workspace; its picture.

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

/// Where cargo has built this test, so that the crate can use the dependencies that are there already.
fn target() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests.parent().unwrap().parent().unwrap().parent().unwrap().join("first_job")
}

#[test]
fn the_first_job_works_word_by_word() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let step = |number: u32, language: &str| block(&readme, &format!("**{number}.**"), language);
    let folder = Folder::new();
    let crate_of = folder.path();
    std::fs::create_dir(crate_of.join("src")).unwrap();
    let manifest = step(1, "toml");
    assert!(manifest.contains("\"../pelton/runtime\""));
    let runtime = repository().join("runtime").display().to_string().replace('\\', "/");
    folder.file("Cargo.toml", manifest.replace("../pelton/runtime", &runtime));
    folder.file("src/main.rs", step(2, "rust"));
    folder.file("readings.csv", step(3, "csv"));
    // The same versions as here, so that nothing is fetched.
    std::fs::copy(repository().join("Cargo.lock"), crate_of.join("Cargo.lock")).unwrap();
    let (_, command) = readme.split_once("**4.** `cargo run --release").unwrap();
    let (flags, _) = command.split_once('`').unwrap();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The profile of the tests is built faster, and says the same.
    cargo.args(["run", "--offline", "--quiet"]).args(flags.split_whitespace()).current_dir(crate_of);
    cargo.env("CARGO_TARGET_DIR", target());
    let table = said(cargo.output().unwrap());
    let mut found: Vec<&str> = table.lines().collect();
    let expected = step(4, "text");
    let mut expected: Vec<&str> = expected.lines().collect();
    // The order of keys within a window is left open.
    found[1..].sort_unstable();
    expected[1..].sort_unstable();
    assert_eq!(found, expected);
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

#[test]
fn what_documents_point_to_is_there() {
    let mut documents = vec![];
    let mut folders = vec![repository().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".md") {
                documents.push(path);
            }
        }
    }
    assert!(documents.len() > 5, "{documents:?}");
    let mut broken = vec![];
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            let file = target.split('#').next().unwrap();
            // Names of items are checked by rustdoc.
            let elsewhere = target.contains("://") || target.starts_with("crate::") || target.contains("@crate::");
            if !elsewhere && !file.is_empty() && !document.parent().unwrap().join(file).exists() {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
