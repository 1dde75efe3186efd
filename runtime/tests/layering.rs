//! Imports point one way. This test reads the sources: which module names which, who names timely, where `unsafe` stands,
//! and that the macro's phases know only what is before them.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The runtime's modules, from the bottom to the top. A module may import those of a lower line, and nobody of its own.
const RUNTIME: &[&[&str]] = &[
    &[
        "time",
        "error",
        "schema",
        "hash",
        "json",
        "names",
        "text",
        "clock",
        "background",
        "config",
        "metrics",
        "staged",
        "guarantee",
    ],
    &["codec", "mapped", "pages", "secret", "channel"],
    &["record"],
    &["key"],
    &["state", "aggregate", "lock"],
    &["checkpoint"],
    &["frame"],
    &["source"],
    &["sink"],
    &["connect", "testing"],
    &["keyed"],
    &["window", "process"],
    &["plan", "socket"],
    &["report"],
    &["engine"],
    &["job"],
    &["__private", "prelude"],
];

/// The macro's modules, likewise.
const MACROS: &[&[&str]] =
    &[&["catalog", "diag"], &["syntax"], &["model"], &["check", "lower", "lock"], &["emit"], &["pipeline", "derive"]];

struct File {
    /// From the root of the sources: `engine/pact.rs`.
    path: PathBuf,
    /// Without comments and tests.
    code: String,
}

impl File {
    /// The first part of the path: `engine`.
    fn module(&self) -> String {
        let first = self.path.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        first.trim_end_matches(".rs").to_owned()
    }

    fn is(&self, path: &str) -> bool {
        self.path == Path::new(path)
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The files below a folder of the repository.
fn files(sources: &str) -> Vec<File> {
    let root = repository().join(sources);
    let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let inside = path.strip_prefix(&root).unwrap().to_owned();
                let is_test = inside
                    .components()
                    .any(|part| matches!(&*part.as_os_str().to_string_lossy(), "tests" | "tests.rs"));
                if !is_test {
                    files.push(File { path: inside, code: code_of(&std::fs::read_to_string(&path).unwrap()) });
                }
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 20, "the sources are somewhere else: {}", root.display());
    files
}

/// A file without its comments, and without the module of tests at its end.
fn code_of(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| line.to_owned() + "\n").collect()
}

/// The modules that a file names behind `crate::`, in one way or another.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for behind in code.split("crate::").skip(1) {
        let names: Vec<&str> = match behind.strip_prefix('{') {
            Some(group) => top_level(group),
            None => vec![behind],
        };
        for name in names {
            let name = name.trim_start();
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            found.insert(name[..end].to_owned());
        }
    }
    found
}

/// The parts of `a::{b, c}, d}`: `a::{b, c}` and `d`.
fn top_level(group: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts
}

/// What breaks the order, one line each.
fn upward(files: &[File], layers: &[&[&str]]) -> Vec<String> {
    let layer_of: BTreeMap<&str, usize> =
        layers.iter().enumerate().flat_map(|(layer, names)| names.iter().map(move |name| (*name, layer))).collect();
    let mut wrong = Vec::new();
    for file in files {
        let module = file.module();
        if module == "lib" {
            continue;
        }
        let Some(&own) = layer_of.get(&*module) else {
            wrong.push(format!("{} belongs to no layer", file.path.display()));
            continue;
        };
        for import in imports(&file.code) {
            match layer_of.get(&*import) {
                Some(&layer) if layer < own || import == module => {}
                Some(_) => {
                    wrong.push(format!("{} imports `{import}`, which is not below `{module}`", file.path.display()))
                }
                // What the root re-exports comes from all layers, so only the uppermost may take it from there.
                None if own + 1 == layers.len() => {}
                None => wrong.push(format!("{} takes `{import}` from the root", file.path.display())),
            }
        }
    }
    wrong
}

#[track_caller]
fn none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n  {}", wrong.join("\n  "));
}

#[test]
fn both_crates_read_a_lock_in_the_same_way() {
    let text = |path: &str| std::fs::read_to_string(repository().join(path)).unwrap();
    let (runtime, macros) = ("runtime/src/schema/locked/grammar.rs", "macros/src/lock/grammar.rs");
    assert!(text(runtime) == text(macros), "{runtime} and {macros} are to be the same file");
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let code = code_of(
        "use crate::time::{a, b};\nuse crate::{error::Fault, key::{Key, Column}, hash};\n// use crate::engine;\n\
         fn f() { crate::plan::units::bytes(1) }\n#[cfg(test)]\nmod tests { use crate::job; }",
    );
    let found: Vec<String> = imports(&code).into_iter().collect();
    assert_eq!(found, ["error", "hash", "key", "plan", "time"]);
    let file = |path: &str, code: &str| File { path: path.into(), code: code.into() };
    let wrong =
        upward(&[file("key.rs", "use crate::engine::x;"), file("job/mod.rs", "use crate::engine::x;")], RUNTIME);
    assert_eq!(wrong, ["key.rs imports `engine`, which is not below `key`"]);
    assert_eq!(upward(&[file("new/mod.rs", "")], RUNTIME), ["new/mod.rs belongs to no layer"]);
}

#[test]
fn the_runtime_imports_downwards() {
    none(upward(&files("runtime/src"), RUNTIME));
}

#[test]
fn the_macro_s_phases_know_what_is_before_them() {
    none(upward(&files("macros/src"), MACROS));
}

#[test]
fn behind_the_gates_nothing_reports() {
    let wrong = files("macros/src").into_iter().filter(|file| matches!(&*file.module(), "lower" | "emit"));
    let wrong = wrong.filter(|file| says(&file.code, "Diagnostics"));
    none(wrong.map(|file| format!("{} reports", file.path.display())).collect());
}

#[test]
fn the_macro_does_not_know_the_runtime() {
    let manifest = std::fs::read_to_string(repository().join("macros/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names: Vec<&str> = dependencies.lines().filter_map(|line| line.split(['.', ' ', '=']).next()).collect();
    assert!(names.contains(&"syn"), "{names:?}");
    assert!(!names.contains(&"pelton"), "{names:?}");
}

#[test]
fn the_picture_knows_nobody() {
    let manifest = std::fs::read_to_string(repository().join("runtime/picture/Cargo.toml")).unwrap();
    let dependencies = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    assert_eq!(dependencies.trim(), "", "the macro draws in front of all that a user compiles");
}

/// Whether the code has this word, and not just a longer one.
fn says(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(part) && !code[at + word.len()..].chars().next().is_some_and(part)
    })
}

#[test]
fn only_the_engine_names_timely_and_only_the_command_line_clap_and_toml() {
    let mut wrong = Vec::new();
    for file in files("runtime/src") {
        if says(&file.code, "timely") && file.module() != "engine" {
            wrong.push(format!("{} names timely", file.path.display()));
        }
        if file.code.contains("toml::") && !file.is("job/cli/config_file.rs") {
            wrong.push(format!("{} names toml", file.path.display()));
        }
        if says(&file.code, "clap") && !file.path.starts_with("job/cli") && !file.is("job/cli.rs") {
            wrong.push(format!("{} names clap", file.path.display()));
        }
    }
    none(wrong);
}

/// Where `unsafe` may stand: a measured gain needs it, and the file's head says which and what it rests on.
const UNSAFE: &[&str] = &[
    "engine/body.rs",
    "key/text.rs",
    "key/window.rs",
    "mapped.rs",
    "pages/blocks.rs",
    "pages/mod.rs",
    "pages/past.rs",
    "state/table/mod.rs",
    "state/table/slots.rs",
    "state/table/snapshot.rs",
];

#[test]
fn unsafe_code_stands_where_it_is_allowed() {
    let root = std::fs::read_to_string(repository().join("runtime/src/lib.rs")).unwrap();
    assert!(root.contains("#![deny(unsafe_code)]"));
    let mut wrong = Vec::new();
    for sources in ["runtime/src", "macros/src"] {
        for file in files(sources).iter().filter(|file| says(&file.code, "unsafe") && !file.is("lib.rs")) {
            let path = repository().join(sources).join(&file.path);
            let text = std::fs::read_to_string(&path).unwrap();
            let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
            if sources != "runtime/src" || !UNSAFE.iter().any(|allowed| file.is(allowed)) {
                wrong.push(format!("{} is unsafe", path.display()));
            } else if !head.contains("unsafe") {
                wrong.push(format!("{} does not say in its head what `unsafe` is for", path.display()));
            }
        }
    }
    none(wrong);
}

#[test]
fn each_file_says_what_it_is() {
    let mut wrong = Vec::new();
    for sources in ["runtime/src", "macros/src"] {
        for file in files(sources) {
            let text = std::fs::read_to_string(repository().join(sources).join(&file.path)).unwrap();
            if !text.starts_with("//!") {
                wrong.push(format!("{sources}/{} does not open with `//!`", file.path.display()));
            }
        }
    }
    none(wrong);
}
