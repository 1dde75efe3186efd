//! `split { .. }`: outputs one by one, a way for every row, what it becomes.

use super::*;

fn split(arms: &str) -> String {
    format!("let s = plain.split {{ {arms} }}; drop s.a, s.b;")
}

#[test]
fn outputs_that_cannot_be_read() {
    for (arms, expected) in [
        ("", "split | this `split` has no outputs | `name: |r| test;`"),
        ("a |r| r.x; b: _;", "| | expected `:`, found `|` | `name: |r| test;`"),
        ("a: ; b: _;", "a | `a` does not say which rows it gets | rest: _"),
        ("a: => x; b: _;", "a | `a` lacks its pattern | `name: Pattern(x) => x;`"),
        ("a: A(x) B => x; b: _;", "A(x) B | this is no pattern: expected `=>`, `if` or `;` | "),
        ("a: A(x); b: _;", "x | the pattern names `x`, and nothing uses it | `a: A(x) => x;`; a test is a closure"),
        ("a: big; b: _;", "big | the pattern names `big`, and nothing uses it | a test is a closure: `a: |r| ..;`"),
        ("a: A(x) => ; b: _;", "= | expected what goes on | "),
        ("a: A(x) if => x; b: _;", "a | expected a test | "),
        ("a: |r| ; b: _;", "| | the expression stops here | something is missing behind this"),
    ] {
        wrong_behind_sources(&split(arms), &[expected]);
    }
}

#[test]
fn what_a_split_must_be() {
    for (arms, expected) in [
        ("a: |r| r.x; b: |r| r.y;", "b | a row that does not pass the test of `b` goes nowhere | `rest: _;`"),
        ("a: A(x) => x; b: B(x) if x > 1 => x;", "b | does not pass the test of `b` goes nowhere | `rest: _;`"),
        ("a: _; b: |r| r.x;", "b | no row comes to `b`: `a` takes whatever is left | put `a: _;` last"),
        ("a: A; a: B; b: _;", "a | `a` is the name of an output already | give it another name"),
        ("a: A; b: B; late: _;", "late | `late` is the name of an output of the language | another name"),
    ] {
        wrong_behind_sources(&split(arms), &[expected]);
    }
    wrong_behind_sources(
        "let s = plain.split { a: _; }; drop s.a;",
        &["a | every row goes the same way | remove the `split`, or say what else there is"],
    );
    wrong_behind_sources(
        "let s: T = plain.split { a: A; b: _; }; drop s.a, s.b;",
        &["T | `s` is split and has no rows of its own to declare | `let name: Type = s.output;`"],
    );
    wrong_behind_sources(
        "let s = plain.split { a: A; b: _; }.map(f); drop s.a, s.b;",
        &["map | `map` cannot follow `split` | `let next = s.a.map(..);`"],
    );
    wrong_behind_sources(
        "let s = plain.key_by(k).split { a: A; b: _; }; drop s.a, s.b;",
        &["split | `split` cannot follow `key_by` | goes in front of `key_by`"],
    );
    wrong_behind_sources(
        "let s = plain.split(|r| r);",
        &["split | `split` has a body in braces | .split { a: Pattern(x)"],
    );
}

#[test]
fn each_output_is_used_or_dropped() {
    wrong_behind_sources(
        "let s = plain.split { a: A; b: _; }; sink x(s.a) = stdout();",
        &["b | nothing uses `s.b` | `sink name(s.b) = ..;`, or say that it goes: `drop s.b;`"],
    );
    wrong_behind_sources(
        "let s = plain.split { a: A; b: _; }; sink x(s) = stdout(); ",
        &["s | `s` is split and has no rows of its own | they are `s.a` and `s.b`"],
    );
    wrong_behind_sources(
        "let s = plain.split { all: A; rest: _; }; sink x(s.al, s.rest) = stdout();",
        &["al | `s` has no output `al` | did you mean `all`?"],
    );
}

#[test]
fn each_output_is_an_operator_of_the_plan() {
    let found = plan(
        "source a: T = rows(d); let s = a.filter(f).split { x: |r| r.x; y: |r| r.y; z: _; };
         let m = s.x.map(f); sink one(m, s.y) = stdout(); drop s.z; sink all(a) = stdout();",
    );
    let expected = "\
chain a: source, no time
  for a takes
    1 filter #0
    2 split
      x #1
        4 map = m
        -> one.0
      y #2
        -> one.1
      z #3
  -> all.0 takes
";
    assert_eq!(found, expected, "\n{found}");
}

#[test]
fn tests_alone_look_and_patterns_take() {
    let of = |arms: &str| {
        plan(&format!(
            "source a: T = rows(d); let s = a.split {{ {arms} }};
             let x = s.x.key_by(k).aggregate(count(), unbounded(\"few\")); drop s.y; sink all(a, x) = stdout();"
        ))
    };
    assert!(of("x: |r| r.x; y: _;").contains("for a looks"));
    assert!(!of("x: A(x) => x; y: _;").contains("for a looks"));
}
