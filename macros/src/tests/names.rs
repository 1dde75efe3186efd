//! Names: unknown, doubled, too early, reserved.

use super::*;

#[test]
fn unknown_streams() {
    wrong_behind_sources("let a = timd.map(f); drop a;", &["timd | there is no stream `timd` | did you mean `timed`?"]);
    wrong_behind_sources("sink a(xyz) = stdout();", &["xyz | there is no stream `xyz` | are `plain` and `timed`"]);
    wrong_behind_sources("drop xyz;", &["xyz | there is no stream `xyz` | are `plain` and `timed`"]);
    wrong_behind_sources(
        "let u = union(timed, plan); drop u;",
        &["plan | there is no stream `plan` | did you mean `plain`?"],
    );
    wrong_behind_sources(
        "let a = csv(x).map(f); drop a;",
        &["csv | `csv(..)` is no stream | `source name: Type = csv(..);`"],
    );
}

#[test]
fn what_was_probably_meant_is_not_called_unused() {
    wrong("source trades: T = rows(d); sink a(trade) = stdout();", &["trade | there is no stream `trade` | `trades`"]);
    wrong(
        "source a: T = rows(d); sink c(b) = stdout(); let b = a.map(f);",
        &["b | `b` is made further down | move the statement that makes `b`"],
    );
}

#[test]
fn doubled_names() {
    wrong(
        "source a: T = rows(d); let b = a.map(f); let b = a.map(g); sink c(b) = stdout();",
        &["b | `b` is the name of a stream already | rename one"],
    );
    wrong(
        "param a: T; source a: T = rows(d); sink c(a) = stdout();",
        &["a | `a` is the name of a param already | rename"],
    );
    wrong("source a: T = rows(d); sink a(a) = stdout();", &["a | `a` is the name of a stream already | rename"]);
}

#[test]
fn reserved_names() {
    wrong(
        "source union: T = rows(d); sink c(union) = stdout();",
        &["union | `union` is a word of the language | another name"],
    );
    wrong(
        "source a: T = rows(d); sink summary(a) = stdout();",
        &["summary | `summary` is a field of every job's results | another"],
    );
    wrong(
        "source a: T = rows(d); let mut b = a.map(f); sink c(a) = stdout();",
        &["mut | a stream is not `mut` | let name"],
    );
}

#[test]
fn kinds_of_names() {
    wrong_behind_sources(
        "param p: T; let a = p.map(f); drop a;",
        &["p | `p` is a param, not a stream | `source rows: Type = csv(p);`"],
    );
    wrong_behind_sources("sink s(timed) = stdout(); drop s;", &["s | `s` is a sink, not a stream | goes into `s`"]);
}

#[test]
fn outputs() {
    wrong_behind_sources(
        "let a = timed.late; drop a;",
        &["late | `timed` has no late rows | only a `let` with a `window`"],
    );
    wrong_behind_sources(
        "let a = timed.map; drop a;",
        &["map | `timed` has no output `map` | write `.map(|r| ..)` in a `let`"],
    );
    wrong_behind_sources(
        "let a = timed.key_by(k).window(tumbling 1h).aggregate(count()); drop a, a.lat, a.late;",
        &["lat | `a` has no output `lat` | did you mean `late`?"],
    );
}

#[test]
fn params_as_durations() {
    wrong_behind_sources(
        "param size: TimeSpan; let a = timed.key_by(k).window(tumbling siz).aggregate(count()); drop a, a.late;",
        &["siz | there is no param `siz` | did you mean `size`?"],
    );
    wrong_behind_sources(
        "let a = timed.key_by(k).aggregate(count(), emit every often, unbounded(\"few\")); drop a;",
        &["often | there is no param `often` | `param often: TimeSpan;`"],
    );
}

#[test]
fn errors_of_a_source() {
    wrong_behind_sources(
        "drop plain.errors;",
        &["errors | `plain` has no errors | write `on_error divert` at the source `plain`"],
    );
    wrong(
        "source a: T = csv(d), on_error divert; let b = a.map(f); sink s(b) = stdout(); sink t(b.errors) = stdout();",
        &[
            "errors | `b` has no output `errors` | write `b`",
            "divert | nothing uses the records of `a` that are no rows | `sink name(a.errors) = ..;`",
        ],
    );
    wrong(
        "source a: T = csv(d), event_time f, late_by 1h, on_error divert; drop a;
         let n = a.errors.map(f).key_by(k).window(tumbling 1h).aggregate(count()); sink s(n) = stdout(); drop n.late;",
        &["window | `window` needs event time, and what could not be read has none: `a.errors` | without a window"],
    );
    wrong(
        "source a: T = csv(d), on_error divert; drop a; sink s(a.errors) = collect();",
        &["a | the type of `a.errors` is not declared | `let errors: BadRecord = a.errors;`"],
    );
}
