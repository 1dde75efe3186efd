//! What the graph must be, a mistake at a time.

use super::*;

#[test]
fn operators() {
    for (chain, expected) in [
        ("timed.filtr(f)", "filtr | there is no operator `filtr` | did you mean `filter`?"),
        ("timed.dedup(keep 24h)", "dedup | the operator `dedup` is not built yet | the operators are `map`"),
        ("timed.count()", "count | there is no operator `count` | .aggregate(count(), ttl 24h)"),
        ("timed.group_by(f)", "group_by | there is no operator `group_by` | `.key_by(|r| ..)`"),
        ("timed.frobnicate(f)", "frobnicate | there is no operator `frobnicate` | the operators are `map`, `filter`"),
        ("timed.map()", "map | expected a closure | write `.map(|r| ..)`"),
        ("timed.map(5)", "5 | expected a closure | `.map(|r| ..)`"),
        ("timed.map(t.symbol)", "t.symbol | expected a closure | `|t| t.symbol`"),
        ("timed.filter(t.price > 64KiB)", "t.price > 64KiB | expected a closure | `|t| t.price > 64KiB`"),
        ("timed.map(|r| r, |s| s)", "|s| s | `map` takes one closure | `.map(|r| ..)`"),
        ("timed.map(|t| t.)", ". | the expression stops here | something is missing"),
        ("timed.map(|t| t + )", "+ | the expression stops here | something is missing"),
        ("timed.map(f).filter", "filter | `filter` lacks its arguments | `.filter(|r| ..)`"),
        ("timed.process(f)", "process | `process` has a body in braces | .process { on event(r, cx) { .. } }"),
        ("timed.process", "process | `timed` has no output `process` | .process { on event(r, cx) { .. } }"),
        (
            "process(timed, plain) { }",
            "process | `process` of several inputs is not built yet | `stream.key_by(|r| ..).process",
        ),
        ("timed.map { x }", "map | `map` has no body in braces | `.map(|r| ..)`"),
        ("timed map(f)", "map | expected `.operator(..)` or `;`, found `map` | dots"),
        ("timed.map::<u8>(f)", ": | `map` takes no type arguments | declare the type"),
        ("timed.map(|r| r.at + 10m)", "10m | `10m` could be minutes or months | write `10min`"),
        ("timed.map(|r| if r.a { f(1.5h) } else { r.b })", "1.5h | `1.5h` is not a whole number of `h` | `1h30min`"),
        ("union(timed)", "union | `union` of one stream | `union(a, b)`"),
        ("union(timed, timed)", "timed | `timed` stands twice in this `union` | once"),
        ("timed.union(plain)", "union | there is no operator `union` | `union(a, b)` at the start"),
    ] {
        wrong_behind_sources(&format!("let a = {chain}; drop a;"), &[expected]);
    }
}

#[test]
fn keys() {
    for (chain, expected) in [
        ("timed.aggregate(count(), unbounded(\"few\"))", "aggregate | `aggregate` needs a key | `.key_by(|r| ..)`"),
        ("timed.map(f).reduce(g, unbounded(\"few\"))", "reduce | `reduce` needs a key | `.key_by(|r| ..)`"),
        ("timed.key_by(k).map(f)", "map | `map` cannot follow `key_by` | `map` goes in front"),
        ("timed.key_by(k).key_by(l)", "key_by | the stream is keyed already | (r.a, r.b)"),
        ("keyed.map(f)", "map | `map` takes rows, and `keyed` is keyed | keyed operator comes next"),
        ("keyed.key_by(f)", "key_by | `keyed` is keyed already | remove one"),
        ("keyed", "a | `a` is just another name for the keyed stream `keyed` | `keyed.aggregate(count(), ttl 24h)`"),
        ("union(keyed, plain)", "keyed | `keyed` is keyed, and a `union` takes rows | union first"),
        (
            "keyed.reduce(f, unbounded(\"few\")).key_by(k).fold(0, g, unbounded(\"few\"))",
            "fold | `fold` is the second stateful operator of this `let`, behind `reduce` | `let` of its own",
        ),
        (
            "keyed.reduce(f, unbounded(\"few\")).aggregate(count(), unbounded(\"few\"))",
            "aggregate | `aggregate` is the second stateful operator | ",
        ),
        (
            "keyed.aggregate((count() as rows, sum(f)), unbounded(\"few\"))",
            "as | `count` has the name `rows`, and only the fields of a struct have names | `Stats { rows: count(), .. }`",
        ),
        (
            "keyed.aggregate((total: sum(f), count()), unbounded(\"few\"))",
            "total | `sum` has the name `total`, and only the fields of a struct have names | `Stats { total: sum(",
        ),
        (
            "keyed.aggregate(count() + 1, unbounded(\"few\"))",
            "+ | `count` is an aggregate of its own, and nothing follows it | `.map(|result| ..)`",
        ),
        ("keyed.window(tumbling 1h)", "window | `window` lacks its `.aggregate(..)` | right behind it"),
        ("keyed.window(tumbling 1h).map(f)", "window | `window` lacks its `.aggregate(..)` | right behind it"),
    ] {
        let statements = format!(
            "let keyed = timed.key_by(k); let used = keyed.reduce(f, unbounded(\"few\")); let a = {chain}; drop a, used;"
        );
        wrong_behind_sources(&statements, &[expected]);
    }
}

#[test]
fn sinks_take_rows() {
    wrong_behind_sources(
        "let keyed = timed.key_by(k); sink s(keyed) = stdout();",
        &["keyed | `keyed` is keyed, and a sink takes rows | `let totals = keyed.aggregate(count(), ttl 24h);`"],
    );
    wrong_behind_sources("sink s(timed, timed) = stdout();", &["timed | `timed` goes into `s` twice | once"]);
}

#[test]
fn what_is_collected_is_declared() {
    wrong_behind_sources(
        "let a = timed.map(f); sink s(a) = collect();",
        &["a | the type of `a` is not declared | `let a: Type = ..;`"],
    );
    wrong_behind_sources(
        "let a: W = timed.key_by(k).window(tumbling 1h).aggregate(count()); sink s(a, a.late) = collect();",
        &["a | the type of `a.late` is not declared | `let late: Type = a.late;`"],
    );
    wrong(
        "source a: &str = lines(x); sink s(a) = collect();",
        &["a | the rows of `a` borrow from the source | `let owned: Type = a.map(|r| ..);`"],
    );
    wrong_behind_sources(
        "let k: T = timed.key_by(f); let a = k.reduce(f, unbounded(\"few\")); drop a;",
        &["T | `k` is keyed and has no rows of its own to declare | in front of `key_by`"],
    );
    right("source a: T = rows(x); sink s(a) = collect();");
}

#[test]
fn time() {
    let window = ".key_by(k).window(tumbling 1h).aggregate(count())";
    wrong_behind_sources(
        &format!("let a = plain{window}; let b = plain.map(f){window}; drop a, b, a.late, b.late;"),
        &["window | `window` needs event time, and `plain` has none | on the source `plain`"],
    );
    wrong_behind_sources(
        &format!("let u = union(timed, plain); let a = u{window}; drop a, a.late;"),
        &["window | `window` needs event time, and `plain` has none | "],
    );
    right(&format!(
        "{SOURCES} let a = timed.key_by(k).aggregate(count(), unbounded(\"few\")); let b = union(a, timed){window}; drop b, b.late, plain; sink s(b) = stdout();"
    ).replace("drop b, ", "drop "));
}

#[test]
fn nothing_is_lost_in_silence() {
    wrong(
        "source a: T = rows(d); let b = a.map(f);",
        &["b | nothing uses `b` | `sink name(b) = ..;`, or say that it goes: `drop b;`"],
    );
    wrong("source a: T = rows(d); source b: T = rows(d); sink s(a) = stdout();", &["b | nothing uses `b` | `drop b;`"]);
    wrong(
        "source a: T = rows(d); let k = a.key_by(f); sink s(a) = stdout();",
        &["k | nothing uses `k` | `let totals = k.aggregate(count(), ttl 24h);`"],
    );
    wrong_behind_sources(
        "let a = timed.key_by(k).window(tumbling 1h).aggregate(count()); sink s(a) = stdout();",
        &["window | nothing uses the late rows of `a` | `drop a.late;`"],
    );
    wrong(
        "source a: T = rows(d); sink s(a) = stdout(); drop a;",
        &["a | `a` is dropped, and `s` uses it | remove `a` from `drop`"],
    );
    wrong(
        "source a: T = rows(d); source b: T = rows(d); sink s(a) = stdout(); drop b, b;",
        &["b | `b` is dropped twice | once"],
    );
}

#[test]
fn a_job_reads_and_writes() {
    wrong("", &["J | `J` has no source and no sink | `source name: Type = connector;`"]);
    wrong("source a: T = rows(d); drop a;", &["J | `J` has no sink | `sink name(stream) = connector;`"]);
    wrong("sink s(a) = stdout();", &["a | there is no stream `a` | write `source name: Type = connector;`"]);
    wrong("source a: T = rows(d); snk s(a) = stdout();", &["snk | `snk` starts no statement | did you mean `sink`?"]);
}
