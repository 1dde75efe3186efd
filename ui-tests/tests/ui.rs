//! What users read when a block is wrong: each `ui/<theme>/<mistake>.rs` must fail in `cargo check` with exactly the text
//! beside it.
//!
//! - `UI=keys/float cargo test -p pelton-ui-tests --test ui` runs the cases whose path contains `keys/float`.
//! - `TRYBUILD=overwrite` writes the texts anew. Read them as a user would: what is wrong, at the user's token, once per
//!   mistake, and what to write instead.
//!
//! Each names its cure, in words of ours or in a `help:` of rustc's, but for a short list, [`PLAIN`].
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

/// All texts, by the names of their cases.
fn texts() -> Vec<(String, String)> {
    let mut all = vec![];
    for theme in THEMES {
        for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("ui").join(theme)).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_some_and(|it| it == "stderr") {
                let name = format!("{theme}/{}", file.file_stem().unwrap().to_string_lossy());
                all.push((name, std::fs::read_to_string(&file).unwrap()));
            }
        }
    }
    all
}

#[test]
fn one_mistake_is_one_message() {
    for (name, text) in texts().into_iter().filter(|(name, _)| !name.starts_with("several/")) {
        let messages = text.lines().filter(|line| line.starts_with("error") || line.starts_with("warning")).count();
        assert_eq!(messages, 1, "{name}");
    }
}

/// What rustc writes in a `help:` that says what to write instead.
const HELP: &[&str] = &[
    "with a similar name",
    "a similar name exists",
    "a similar path exists",
    "consider importing",
    "consider annotating",
    "consider specifying the generic argument",
    "consider using a semicolon here",
    "provide the argument",
    "swap these arguments",
    "try wrapping the expression",
    "use `Option::is_some`",
    "use the `?` operator",
];

/// Cases without either. They are mistakes against Rust alone, in a closure or a type, of which rustc says what it has found and what it has expected; to
/// have it say more would take from correct closures what they are inferred from. These words are what tells.
const PLAIN: &[(&str, &str)] = &[
    ("aggregates/field_missing", "missing `rows`"),
    // the line of the flow says what it takes, and asks
    ("flow/argument_surplus", "unexpected argument #3 of type `i64`"),
    ("flow/argument_type", "least: i64) -> hourly"),
    ("flow/bound", "required by this bound in `changed`"),
    // of another crate: rustc 1.95 names what to import of the user's own only
    ("flow/not_imported_within", "cannot find function `sums` in this scope"),
    ("names/import", "cannot find function `csv` in this scope"),
    ("flow/private", "`Amount` declared as private"),
    ("flow/private_elsewhere", "the function `small` is defined here"),
    ("resources/moved", "you could clone this value"),
    ("split/pattern_type", "expected `Trade`, found `Option<_>`"),
    ("types/declared", "expected `(String, u32)`, found `(String, f64)`"),
    ("types/fold", "method not found in `&mut u64`"),
    ("types/reduce", "expected `u32`, found `u64`"),
    ("types/two_arguments", "expected closure that takes 1 argument"),
];

/// Whether a text has a line with a cure of ours: a `help` of the macro's, a note of a gate, or a line of the runtime that rustc shows for the sake
/// of the comment in it.
fn has_cure_of_ours(text: &str) -> bool {
    let notes_of_rustc = ["this error originates in the macro", "expected ", "cannot satisfy "];
    let mut shows_ours = false;
    text.lines().any(|line| {
        if line.contains("--> ") || line.contains("::: ") {
            shows_ours = line.contains("$WORKSPACE/runtime/");
        }
        let help = line.starts_with("    ") && line.trim_start().starts_with("help: ");
        let note = line.trim_start().strip_prefix("= note: ");
        let note = note.is_some_and(|note| !notes_of_rustc.iter().any(|it| note.starts_with(it)));
        help || note || (shows_ours && line.contains(" // "))
    })
}

/// Whether rustc says what to write instead.
fn has_cure_of_rustc(text: &str) -> bool {
    let helps = text.lines().filter_map(|line| line.split_once("help: "));
    helps.into_iter().any(|(_, help)| HELP.iter().any(|cure| help.contains(cure)))
}

#[test]
fn each_message_names_its_cure() {
    let texts = texts();
    for (name, text) in &texts {
        let named = has_cure_of_ours(text) || has_cure_of_rustc(text);
        match PLAIN.iter().find(|(case, _)| case == name) {
            Some((_, words)) => {
                assert!(text.contains(words), "{name} does not say `{words}`:\n{text}");
                assert!(!named, "{name} names its cure: take it off the list");
            }
            None => assert!(named, "{name} says what is wrong, and not what to write:\n{text}"),
        }
    }
    let gone: Vec<_> = PLAIN.iter().filter(|(case, _)| !texts.iter().any(|(name, _)| name == case)).collect();
    assert!(gone.is_empty(), "no such cases: {gone:?}");
}
