//! A word that is written wrong is one mistake, and its message knows the right one.

use super::*;

#[test]
fn what_stands_behind_a_word_that_is_none_is_no_mistake_too() {
    wrong(
        "source a: T = rows(d); sink s(a) = stdout(); source b: T = rows(d); dorp b;",
        &["dorp | `dorp` starts no statement | did you mean `drop`?"],
    );
    wrong(
        "parm d: Vec<T>; resorce http: C = c(); source a: T = rows(d); sink s(a) = stdout();",
        &[
            "parm | `parm` starts no statement | did you mean `param`?",
            "resorce | `resorce` starts no statement | did you mean `resource`?",
        ],
    );
    wrong(
        "source a: T = rows(d); sink s(a) = stdout(); print a; show a, s;",
        &["print | `print` starts no statement | starts with", "show | `show` starts no statement | starts with"],
    );
    wrong(
        "source a: T = rows(d); #[wsa(old)] let b = a.map(f); #[cfg(unix)] let c = a.map(f); sink s(a, b, c) = stdout();",
        &[
            "#[wsa(old)] | a `let` takes no attribute `wsa` | did you mean `was`?",
            "#[cfg(unix)] | a `let` takes no attribute `cfg` | doc comments, and `#[was(..)]`",
        ],
    );
    wrong_block(
        "(pelton) flow big(rows: Stream<T>) -> T { let b = rows.filter(f); retrun b; }",
        &["retrun | `retrun` starts no statement | did you mean `return`?"],
    );
    wrong_behind_sources(
        "let p = timed.key_by(k).process { timer t: event_time; no event(r, cx) { cx.set(t, r.at); } on timer t(at, cx) { cx.emit(1) } }; drop p;",
        &["no | `no` starts no item of a `process` | did you mean `on`?"],
    );
}

#[test]
fn a_stream_that_is_not_there_may_have_been_any() {
    let window = "let h = timed.key_by(k).window(tumbling 1h).aggregate(count());";
    wrong_behind_sources(
        &format!("{window} sink s(h) = stdout(); drop gone.late;"),
        &["gone | there is no stream `gone` | the streams made before this are"],
    );
    wrong_behind_sources(
        &format!("{window} let o = h.map(f); sink s(o) = stdout(); drop o.late;"),
        &["late | `o` has no late rows | write `o`"],
    );
    wrong(
        "source a: T = rows(d); sink s(b) = stdout();",
        &["b | there is no stream `b` | streams made before this are `a`"],
    );
}

#[test]
fn the_types_of_the_streams_of_a_flow() {
    for (written, meant) in [("Straem<T>", "Stream"), ("Keyd<u32, T>", "Keyed")] {
        let word = written.split('<').next().unwrap();
        wrong_block(
            &format!("(pelton) flow big(rows: {written}) -> T {{ let b = rows.filter(f); return b; }}"),
            &[&format!("{word} | there are no rows of type `{word}` | did you mean `{meant}`?")],
        );
    }
}

#[test]
fn what_nothing_uses_was_perhaps_meant_by_another_word() {
    wrong(
        "resource http: C = c(); source a: T = rows(d); let b = a.map(|r| htp.get(r)); sink s(b) = stdout();",
        &["http | nothing uses the resource `http` | did you mean it by `htp`?"],
    );
    // the name of something else, a field, a type
    wrong(
        "resource rates: Rates = c(); source trades: T = rows(d); let b = trades.map(|r| r.rate); sink s(b) = stdout();",
        &["rates | nothing uses the resource `rates` | look at it in a closure, or remove it"],
    );
    wrong_behind_sources(
        "let p = timed.key_by(k).process { timer quiet: event_time; on event(r, cx) { cx.set(quite, r.at); cx.emit(r) } on timer quiet(at, cx) { } }; drop p;",
        &["quiet | no handler sets the timer `quiet` | did you mean it by `quite`?"],
    );
}

#[test]
fn an_aggregate_that_is_written_as_an_operator() {
    for (chain, expected) in [
        (
            "timed.first(f)",
            "first | there is no operator `first` | write `.key_by(|r| ..).aggregate(first(|r| r.x), ttl 24h)`",
        ),
        ("timed.top(3, by f)", "top | the operator `top` is not built yet | .aggregate(top(3, by |r| r.x), ttl 24h)`"),
    ] {
        wrong_behind_sources(&format!("let a = {chain}; drop a;"), &[expected]);
    }
}

#[test]
fn units_as_they_are_called_elsewhere() {
    for (written, meant) in
        [("1hr", "1h"), ("2hours", "2h"), ("10sec", "10s"), ("5mins", "5min"), ("1day", "1d"), ("9msec", "")]
    {
        let help = if meant.is_empty() { "one of `us`, `ms`".to_string() } else { format!("write `tumbling {meant}`") };
        wrong_behind_sources(
            &format!("let a = timed.key_by(k).window(tumbling {written}).aggregate(count()); drop a, a.late;"),
            &[&format!("{written} | `{written}` is no duration | {help}")],
        );
    }
}
