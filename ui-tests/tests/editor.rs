//! What an editor offers inside of a block, asked of the real rust-analyzer: fields of rows in half-written closures, hints of
//! types, definitions, and no complaint about a good block.
//!
//! It takes minutes and needs the server, so it is run by name, as `scripts/test` does where the server is there:
//! `cargo test -p pelton-ui-tests --test editor -- --ignored`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[path = "editor/server.rs"]
mod server;

use server::Server;
use std::path::{Path, PathBuf};

/// The block, in a file that is whole.
const BLOCK: &str = include_str!("editor/block.rs");

const FLIGHT: &[&str] = &["carrier", "origin", "delay", "at"];

/// What is written instead of what, with `^` where the cursor is; and what is offered there.
const HALF_WRITTEN: &[(&str, &str, &[&str])] = &[
    ("|d| d.delay > least)", "|d| d.^)", FLIGHT),
    ("|d| d.delay > least)", "|d| d.delay > 5 && d.^)", FLIGHT),
    ("|d| d.delay > least)", "|d| d.de^)", &["delay"]),
    ("|d| d.delay > least)", "|d| least.^)", &["abs"]),
    ("|p| (p.origin.clone(), p.delay))", "|p| p.^)", FLIGHT),
    ("|p| (p.origin.clone(), p.delay))", "|p| (p.origin.clone(), p.^))", FLIGHT),
    ("|p| (p.origin.clone(), p.delay))", "|p| { let origin = p.^; (origin, 1) })", FLIGHT),
    ("|k| k.carrier)", "|k| k.^)", FLIGHT),
    ("sum(|s| s.delay)", "sum(|s| s.^)", FLIGHT),
    (".map(|w| (w.key, w.value))", ".map(|w| w.^)", &["key", "start", "end", "value"]),
    ("event_time |f| f.at", "event_time |f| f.^", FLIGHT),
    ("cx.emit(now.delay - before.delay);", "cx.emit(now.^);", FLIGHT),
    ("cx.emit(now.delay - before.delay);", "cx.emit(now.delay); now.^", FLIGHT),
    ("cx.emit(now.delay - before.delay);", "cx.emit(before.^);", FLIGHT),
    ("cx.emit(now.delay - before.delay);", "cx.emit(now.delay); cx.^", &["emit"]),
    ("last.set(now);", "last.^", &["get", "set", "clear"]),
    ("limits.least_delay)", "limits.^)", &["least_delay"]),
    ("r.delay > limits.least_delay", "r.^", FLIGHT),
    // behind a statement that is broken, and behind one that is half-written itself
    (
        "let delayed = flights.filter(|d| d.delay > least);",
        "let x = flights.filtr(|d| d.y); let delayed = flights.filter(|d| d.^);",
        FLIGHT,
    ),
    (
        "let delayed = flights.filter(|d| d.delay > least);",
        "let x = flights.; let delayed = flights.filter(|d| d.^);",
        FLIGHT,
    ),
    ("let delayed = flights.filter(|d| d.delay > least);", "let delayed = flights.filter(|d| d.^)", FLIGHT),
];

/// A crate of its own with the block in it, beside what the tests build.
fn crate_of_block() -> PathBuf {
    let (folder, here) = (Path::new(env!("CARGO_TARGET_TMPDIR")).join("editor"), Path::new(env!("CARGO_MANIFEST_DIR")));
    let repository = here.parent().unwrap();
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let runtime = repository.join("runtime");
    let manifest = format!(
        "[package]\nname = \"edited\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\npelton = {{ path = {runtime:?} }}\n\n[workspace]\n"
    );
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(repository.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    std::fs::copy(repository.join("rust-toolchain.toml"), folder.join("rust-toolchain.toml")).unwrap();
    std::fs::write(folder.join("src/lib.rs"), BLOCK).unwrap();
    folder
}

/// The offset of the last character of a text in the block.
fn inside(what: &str) -> usize {
    let (at, more) = (BLOCK.find(what), BLOCK.matches(what).count());
    assert_eq!(more, 1, "{what} stands in the block {more} times");
    at.unwrap() + what.len() - 1
}

#[test]
#[ignore = "needs rust-analyzer and minutes: `scripts/test` runs it"]
fn an_editor_is_of_help_inside_of_a_block() {
    let mut server = Server::open(&crate_of_block(), "src/lib.rs");
    let mut wrong = Vec::new();

    let complaints = server.diagnostics();
    if !complaints.is_empty() {
        wrong.push(format!("the block is good, and there are complaints: {complaints:#?}"));
    }
    for (at, shows) in [
        ("filter(|d", "d: &Flight"),
        ("map(|p", "p: Flight"),
        ("sum(|s", "s: &Flight"),
        ("on event(now", "now: Flight"),
        ("filter(|r", "r: &Flight"),
        ("|d| d.delay", "delay: i64"),
    ] {
        let shown = server.hover(inside(at));
        if !shown.contains(shows) {
            wrong.push(format!("at the end of `{at}` is shown: {shown:?} without {shows:?}"));
        }
    }
    for (what, at, line) in [
        ("typeDefinition", "filter(|d", "pub struct Flight {"),
        ("typeDefinition", "map(|p", "pub struct Flight {"),
        ("definition", "|d| d.delay", "pub delay: i64,"),
        ("definition", "key_by(|k| k.carrier", "pub carrier: String,"),
    ] {
        let found = server.defined(what, inside(at));
        if !found.iter().any(|it| it == line) {
            wrong.push(format!("{what} at the end of `{at}`: {found:?} without {line:?}"));
        }
    }
    for (whole, half, offered) in HALF_WRITTEN {
        inside(whole);
        let text = BLOCK.replace(whole, half);
        let cursor = text.find('^').unwrap();
        server.change(&text.replace('^', ""));
        let found = server.completions(cursor);
        let missing: Vec<_> = offered.iter().filter(|name| !found.iter().any(|it| it == *name)).collect();
        if !missing.is_empty() {
            let some: Vec<&String> = found.iter().take(8).collect();
            wrong.push(format!("`{half}` offers {some:?} ({}) without {missing:?}", found.len()));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
