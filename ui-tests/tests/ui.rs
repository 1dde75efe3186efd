//! What users read when a block is wrong: each `ui/<theme>/<mistake>.rs` must fail in `cargo check` with exactly the text
//! beside it.
//!
//! - `UI=keys/float cargo test -p pelton-ui-tests --test ui` runs the cases whose path contains `keys/float`.
//! - `TRYBUILD=overwrite` writes the texts anew. Read them as a user would: what is wrong, at the user's token, once per
//!   mistake, and what to write instead.
//!
//! The texts are those of the pinned compiler, and of no other. trybuild builds in a target folder of its own,
//! `tests/trybuild` below the workspace's: one more check of the dependencies, once, and then a check per case. A script
//! that gives `CARGO_TARGET_DIR` shares it among all its steps, this one too.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the cases of a theme that are asked for.
fn theme(name: &str) {
    pinned();
    let cases = asked(name);
    if cases.is_empty() {
        return;
    }
    let all = trybuild::TestCases::new();
    cases.iter().for_each(|case| all.compile_fail(case));
}

/// The cases of a theme whose path contains `UI`.
fn asked(theme: &str) -> Vec<PathBuf> {
    let part = std::env::var("UI").unwrap_or_default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui").join(theme);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut cases: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    cases.retain(|case| {
        let path = format!("{theme}/{}", case.file_stem().unwrap().to_string_lossy());
        case.extension().is_some_and(|it| it == "rs") && path.contains(&part)
    });
    cases.sort();
    cases
}

/// Another compiler words its messages in another way: better one clear failure than fifty diffs.
fn pinned() {
    let toolchain = include_str!("../../rust-toolchain.toml");
    let pinned = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap().trim_matches('"');
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(&rustc).arg("--version").output().unwrap_or_else(|e| panic!("{}: {e}", rustc.display()));
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    assert!(
        version.split_whitespace().nth(1) == Some(pinned),
        "the texts of these tests are those of rustc {pinned}, and this is {}: run them with the toolchain of \
         rust-toolchain.toml",
        version.trim()
    );
}

macro_rules! themes {
    ($($name:ident)*) => {
        const THEMES: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                theme(stringify!($name));
            }
        )*
    };
}
themes!(names shape keys time split aggregates moves window process options checkpoints params resources types derive sinks lock flow several);

#[test]
fn what_is_asked_for_is_there() {
    assert!(THEMES.iter().any(|theme| !asked(theme).is_empty()), "no case has `UI` in its path");
}

#[test]
fn every_folder_is_a_theme() {
    let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("ui")).unwrap();
    for folder in folders {
        let name = folder.unwrap().file_name();
        assert!(THEMES.iter().any(|it| name == *it), "ui/{} is not in the list of themes", name.display());
    }
}

#[test]
fn one_mistake_is_one_message() {
    for theme in THEMES.iter().filter(|theme| **theme != "several") {
        for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("ui").join(theme)).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_none_or(|it| it != "stderr") {
                continue;
            }
            let name = format!("{theme}/{}", file.file_stem().unwrap().to_string_lossy());
            let text = std::fs::read_to_string(&file).unwrap();
            let messages = text.lines().filter(|line| line.starts_with("error") || line.starts_with("warning")).count();
            assert_eq!(messages, 1, "{name}");
        }
    }
}
