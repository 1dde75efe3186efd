//! Options: unknown, twice, without effect, absurd.

use super::*;

#[test]
fn of_a_source() {
    for (options, expected) in [
        ("event_tim |r| r.at", "event_tim | a source has no option `event_tim` | did you mean `event_time`?"),
        ("watermark 30s", "watermark | the option `watermark` is not built yet | `event_time`"),
        ("idle_after 30s", "idle_after | `idle_after` has no effect without `event_time` | which field"),
        ("never_idle", "never_idle | `never_idle` has no effect without `event_time` | which field"),
        (
            "event_time f, late_by 1h, idle_after 1s, never_idle",
            "never_idle | `idle_after` and `never_idle` exclude each other | keep one",
        ),
        (
            "event_time f, late_by 1h, idle_after 0s",
            "0s | a split that is idle at once would never be waited for | `idle_after 30s`",
        ),
        ("event_time f, late_by 1h, idle_after 5", "5 | `5` is no duration | one of `us`, `ms`"),
        ("on_error fail, on_error skip", "on_error | the option `on_error` is said twice | once"),
        ("on_error divert", "divert | nothing uses the records of `a` that are no rows | `drop a.errors;`"),
        ("on_error ignore", "ignore | there is no `on_error ignore` | `on_error skip`"),
        ("on_error", "on_error | expected `fail`, `skip` or `divert` behind this | `on_error fail`"),
        ("event_time |r| r.at", "event_time | `event_time` of `a` lacks `late_by` | `late_by 1h`"),
        ("event_time r.at + 1, late_by 1h", "r.at + 1 | expected a closure | `|r| r.at + 1`"),
        ("event_time, late_by 1h", "event_time | expected a closure | `event_time |r| r.at`"),
        ("late_by 1h", "late_by | `late_by` has no effect without `event_time` | which field"),
        (
            "event_time |r| r.at, late_by 999999d",
            "999999d | `late_by` of 999999d is longer than any input | no result comes before that",
        ),
        ("ordered_splits", "ordered_splits | `ordered_splits` has no effect without `event_time` | which field"),
        ("event_time f, late_by 5", "5 | `5` is no duration | one of `us`, `ms`"),
        ("event_time f, late_by 10m", "10m | `10m` could be minutes or months | `10min`"),
        ("event_time f, late_by -1h", "- | a duration here is not negative | `late_by 10min`"),
        ("event_time f, late_by 250us", "250us | event time is counted in milliseconds | `1ms`"),
        ("event_time f, late_by 1h 2h", "2h | expected `,` or `;`, found `2h` | commas"),
        ("5", "5 | expected an option, found `5` | the options of a source are"),
    ] {
        wrong(&format!("source a: T = rows(d), {options}; sink s(a) = stdout();"), &[expected]);
    }
    right("param p: TimeSpan; source a: T = rows(d), event_time f, late_by p, idle_after p; sink s(a) = stdout();");
    for option in ["late_by q", "late_by 1h, idle_after q"] {
        wrong(
            &format!("param p: TimeSpan; source a: T = rows(d), event_time f, {option}; sink s(a) = stdout();"),
            &["q | there is no param `q` | `param q: TimeSpan;`"],
        );
    }
}

#[test]
fn of_a_checkpoint() {
    for (options, expected) in [
        ("", "checkpoint | `checkpoint` does not say how often | `checkpoint every 10s`"),
        ("keep 3", "checkpoint | `checkpoint` does not say how often | `checkpoint every 10s`"),
        ("10s", "10s | expected an option, found `10s` | the options of `checkpoint` are"),
        ("every", "every | expected a duration behind this | `every 10min`"),
        ("every 0s", "0s | `every` of no length | `every 10s`"),
        ("every 10", "10 | `10` is no duration | one of `us`"),
        ("every 10m", "10m | `10m` could be minutes or months | `10min`"),
        ("every sise", "sise | there is no param `sise` | did you mean `size`?"),
        ("every 1s, every 2s", "every | the option `every` is said twice | once"),
        ("evry 1s", "evry | `checkpoint` has no option `evry` | did you mean `every`?"),
        ("every 1s 2s", "2s | expected `,` or `;`, found `2s` | commas"),
        ("every 1s, timeout 0s", "0s | `timeout` of no length | `timeout 10s`"),
        ("every 1s, pause 0s", "0s | a pause of no length has no effect | remove `pause`"),
        ("every 1s, keep 0", "0 | keeps none of its checkpoints | `keep 1`"),
        ("every 1s, keep", "keep | expected a number behind this | `keep 3`"),
        ("every 1s, keep many", "many | expected a number, found `many` | `keep 3`"),
        ("every 1s, tolerate 1.5", "1.5 | `1.5` is no number of times | `tolerate 3`"),
        ("every 1s, exactly_once, exactly_once", "exactly_once | the option `exactly_once` is said twice | once"),
        (
            "every 1s, exactly_once, at_least_once",
            "at_least_once | `exactly_once` and `at_least_once` exclude each other | keep one",
        ),
        (
            "every 1s, exactly_onse",
            "exactly_onse | `checkpoint` has no option `exactly_onse` | did you mean `exactly_once`?",
        ),
        ("every 1s, exactly_once yes", "yes | expected `,` or `;`, found `yes` | commas"),
        ("exactly_once", "checkpoint | `checkpoint` does not say how often | `checkpoint every 10s`"),
    ] {
        wrong_behind_sources(&format!("param size: TimeSpan; checkpoint {options};"), &[expected]);
    }
    wrong_behind_sources(
        "checkpoint every 1s; restart none; checkpoint every 2s; restart none;",
        &["checkpoint | a second `checkpoint` | once", "restart | a second `restart` | once"],
    );
    right(&format!(
        "checkpoint every 10s, at_least_once, timeout 5min, pause 1s, keep 3, tolerate 0; {SOURCES} sink keep(timed, plain) = stdout();"
    ));
}

#[test]
fn of_a_restart() {
    for (how, expected) in [
        ("", "restart | expected how to restart behind this | `restart exponential 1s..=1min`"),
        ("1s", "1s | expected how to restart, found `1s` | `restart none`"),
        ("fixd 5s", "fixd | there is no `restart fixd` | did you mean `fixed`?"),
        ("never", "never | there is no `restart never` | `restart none`"),
        ("none 5s", "5s | expected `;`, found `5s` | `restart none`"),
        ("exponential", "exponential | expected a duration behind this | `exponential 10min`"),
        ("exponential 1s", "1s | expected `.` behind this | `restart exponential 1s..=1min`"),
        ("exponential 1s..1min", ". | `..` would leave the longest pause out | `restart exponential 1s..=1min`"),
        ("exponential 0s..=1min", "0s | `exponential` of no length | above zero"),
        (
            "exponential 1min..=1s",
            "1s | the longest pause, 1s, is shorter than the first | `restart exponential 1s..=1min`",
        ),
        ("exponential sise..=1min", "sise | there is no param `sise` | did you mean `size`?"),
        ("fixed 5s", "fixed | `restart fixed` does not say how often | `restart fixed 5s, at_most 10`"),
        ("fixed 5s, at_mst 3", "at_mst | `restart fixed` has no option `at_mst` | did you mean `at_most`?"),
        ("fixed 5s, at_most 0", "0 | a restart that never happens | `restart none`"),
        ("fixed 0s, at_most 1", "0s | `fixed` of no length | above zero"),
        ("failure_rate 3", "3 | expected `per` behind this | `restart failure_rate 3 per 10min`"),
        ("failure_rate 3 in 10min", "in | expected `per`, found `in` | `restart failure_rate 3 per 10min`"),
        ("failure_rate 0 per 10min", "0 | a restart that never happens | `restart none`"),
        ("failure_rate 3 per 0s", "0s | `per` of no length | above zero"),
    ] {
        wrong_behind_sources(&format!("param size: TimeSpan; restart {how};"), &[expected]);
    }
    for how in ["none", "exponential 1s..=1min", "fixed 5s, at_most 10", "failure_rate 3 per 10min"] {
        right(&format!("restart {how}; {SOURCES} sink keep(timed, plain) = stdout();"));
    }
}

#[test]
fn of_a_window() {
    for (window, expected) in [
        ("", "window | expected a kind of window behind this | `window(tumbling 1h)`"),
        ("1h", "1h | expected a kind of window, found `1h` | `window(tumbling 1h)`"),
        ("sliding 6h by 1h", "sliding | the window `sliding` is not built yet | tumbling"),
        ("tumblin 1h", "tumblin | there is no window `tumblin` | did you mean `tumbling`?"),
        ("allow_late 1h, tumbling 1h", "allow_late | the kind of window is said first | "),
        ("tumbling", "tumbling | expected a duration behind this | `tumbling 10min`"),
        ("tumbling 0s", "0s | a window of no length | `tumbling 1h`"),
        ("tumbling 1us", "1us | event time is counted in milliseconds | `1ms`"),
        ("tumbling 999999d", "999999d | a window of 999999d is longer than any input | shorter"),
        ("tumbling 1h offset 0s", "0s | an offset of nothing has no effect | remove"),
        ("tumbling 1h offset 1h", "1h | the offset 1h is not shorter than the window, 1h | windows repeat"),
        ("tumbling 1h ofset 1min", "ofset | expected `offset` or `,`, found `ofset` | did you mean `offset`?"),
        ("tumbling 1d zone \"Europe/Berlin\"", "zone | `zone` is not built yet | "),
        ("tumbling 1h, refire", "refire | `refire` has no effect without `allow_late` | `allow_late 10min, refire`"),
        ("tumbling 1h, allow_late 1min", "allow_late | `allow_late` does not say | add `refire`"),
        ("tumbling 1h, allow_late 1min, refire, no_refire", "no_refire | exclude each other | keep one"),
        ("tumbling 1h, allow_late 0s, refire", "allow_late | `allow_late` of nothing has no effect | remove"),
        (
            "tumbling 1h, allow_late 999999d, refire",
            "999999d | `allow_late` of 999999d is longer than any input | each window is kept for so long",
        ),
        ("tumbling 1h, alow_late 1s", "alow_late | `window` has no option `alow_late` | did you mean `allow_late`?"),
        ("tumbling 1h, early every 1min", "early | the option `early` is not built yet | `allow_late`"),
        ("tumbling 1h, emit each", "emit | `window` has no option `emit` | the options of `window` are"),
    ] {
        let statements =
            format!("let a = timed.key_by(k).window({window}).aggregate(count()); sink s(a) = stdout(); drop a.late;");
        wrong_behind_sources(&statements, &[expected]);
    }
}

#[test]
fn what_keeps_something_per_key_says_how_long() {
    for (chain, expected) in [
        (
            "aggregate(count())",
            "aggregate | `aggregate` can grow for ever: it keeps something per key | `ttl 24h`, or `unbounded(",
        ),
        ("reduce(f, emit at_end)", "reduce | `reduce` can grow for ever | `ttl 24h`"),
        ("fold(0, f, emit every 1s)", "fold | `fold` can grow for ever | `ttl 24h`"),
        ("fold(0, f, ttl 9999999d)", "9999999d | a `ttl` of 9999999d is longer than any input | `unbounded("),
        ("fold(0, f, ttl 0s)", "0s | a `ttl` of no length keeps nothing | `ttl 24h`"),
        ("reduce(f, ttl 1us)", "1us | event time is counted in milliseconds | multiple of `1ms`"),
        ("reduce(f, unbounded)", "unbounded | `unbounded` gives no reason | one per country"),
        ("reduce(f, ttl forever)", "forever | there is no param `forever` | `10min`"),
        ("reduce(f, ttl 1d, unbounded(\"few\"))", "unbounded | `ttl` and `unbounded` exclude each other | one of them"),
    ] {
        wrong_behind_sources(&format!("let a = timed.key_by(k).{chain}; drop a;"), &[expected]);
    }
    // by the clock, any length is one
    right(&format!("{SOURCES} let a = plain.key_by(k).reduce(f, ttl 1us); sink s(a, timed, plain) = stdout();"));
}

#[test]
fn of_an_aggregate() {
    for (aggregate, expected) in [
        ("", "aggregate | expected an aggregate | `count()`"),
        ("()", "() | this aggregate computes nothing | `count()`"),
        ("(A, A, A, A, A, A, A, A, A, A, A, A, B)", "B | a tuple of 13 aggregates, and 12 are the most | of your own"),
        ("count", "count | `count` lacks its parentheses | `count()`"),
        ("count(|r| r.x)", "|r| r.x | `count` takes no argument | filter in front"),
        ("sum", "sum | `sum` lacks its parentheses | `sum(|r| r.x)`"),
        ("sum()", "sum | expected a closure | `sum(|r| r.x)`"),
        ("sum(t.size)", "t.size | expected a closure | `|t| t.size`"),
        ("sum(|r| r.x, |r| r.y)", "|r| r.y | `sum` takes one closure | `sum(|r| r.x)`"),
        ("sum(|r| r.)", ". | the expression stops here | "),
        (
            "count(), sum(|r| r.x)",
            "sum(|r| r.x) | `aggregate` takes one argument | `aggregate((count(), sum(|r| r.x)))`",
        ),
        ("count(), emit", "emit | expected `each`, `every` or `at_end` behind this | `emit each`"),
        ("count(), emit evry 1s", "evry | there is no `emit evry` | did you mean `every`?"),
        ("count(), emit every", "every | expected a duration behind this | `every 10min`"),
        ("count(), emit every 0s, ttl 1h", "0s | `every` of no length | `emit each`"),
        ("count(), emit each, emit at_end", "emit | the option `emit` is said twice | once"),
        ("count(), ttl 1h, as", "as | expected the name of the stream behind this | `as name`"),
        ("count(), ttl 1h, as it now", "now | expected `,` or `)`, found `now` | `as name`"),
        ("count(), ttl 1h, as it", "it | `a` is the name of what is made here already | remove `as it`"),
        ("count(), at_end", "at_end | `aggregate` has no option `at_end` | the options of `aggregate` are `emit`"),
    ] {
        wrong_behind_sources(&format!("let a = timed.key_by(k).aggregate({aggregate}); drop a;"), &[expected]);
    }
    wrong_behind_sources(
        "let a = timed.key_by(k).window(tumbling 1h).aggregate(count(), emit each); drop a, a.late;",
        &["emit | `emit` has no effect behind a window | remove `emit`"],
    );
    wrong_behind_sources(
        "let a = timed.key_by(k).window(tumbling 1h).aggregate(count(), ttl 1d); drop a, a.late;",
        &["ttl | `ttl` has no effect behind a window | remove `ttl`"],
    );
    wrong_behind_sources("let a = timed.key_by(k).fold(0); drop a;", &["fold | expected a closure | .fold(start"]);
}

#[test]
fn of_words_that_take_more() {
    for (aggregate, expected) in [
        ("top(|r| r.x)", "|r| r.x | `top` takes a number first | `top(3, by |r| r.x)`"),
        ("top(by |r| r.x)", "by |r| r.x | `top` takes a number first | `top(3, by |r| r.x)`"),
        ("top()", "top | `top` takes a number first | `top(3, by |r| r.x)`"),
        ("top(3)", "top | expected `by` behind this | `top(3, by |r| r.x)`"),
        ("top(3, |r| r.x)", "| | expected `by`, found `|` | `top(3, by |r| r.x)`"),
        ("top(3, with |r| r.x)", "with | expected `by`, found `with` | `top(3, by |r| r.x)`"),
        ("top(3, by |r| r.x, by |r| r.y)", "by |r| r.y | `top` takes one closure | "),
        ("top(0, by |r| r.x), ttl 1h", "0 | `top` of no rows | `top(3, by |r| r.x)`"),
        ("quantile(|r| r.x)", "|r| r.x | `quantile` takes a number first | `quantile(0.99, |r| r.x)`"),
        ("quantile(1.5, |r| r.x), ttl 1h", "1.5 | lies between `0.0` and `1.0`, and `1.5` does not | "),
        ("quantile(99, |r| r.x), ttl 1h", "99 | `99` is no share of all rows | lies between `0.0` and `1.0`"),
        ("quantiles([0.5, 7.0], |r| r.x), ttl 1h", "7.0 | and `7.0` does not | "),
        ("first(|r| r.x, tie)", "tie | expected a closure | `tie |r| r.sequence`"),
        ("first(|r| r.x, |r| r.y)", "| | expected an option, found `|` | the options of `first` are `tie`"),
        ("last(|r| r.x, ti |r| r.y)", "ti | `last` has no option `ti` | did you mean `tie`?"),
        ("collect(5)", "5 | expected a closure | `collect(|r| r.x)`"),
        ("count_distinct()", "count_distinct | expected a closure | `count_distinct(|r| r.x)`"),
    ] {
        wrong_behind_sources(&format!("let a = timed.key_by(k).aggregate({aggregate}); drop a;"), &[expected]);
    }
}

#[test]
fn of_an_aggregate_with_names() {
    for (aggregate, expected) in [
        (
            "{ rows: count() }",
            "{ rows: count() } | the results have names, and no struct | declare a struct with these fields",
        ),
        ("S { rows: count(), rows: sum(|r| r.x) }", "rows | the field `rows` is given twice | give it once"),
        ("S { rows: count(), ..d }", ". | every field is computed | `rows: count()`"),
        ("S { rows: count(), more }", "more | expected `:` behind this | `rows: count()`"),
        ("S { rows: count(), more: sum() }", "sum | expected a closure | `sum(|r| r.x)`"),
        ("S { rows: count }", "count | `count` lacks its parentheses | `count()`"),
    ] {
        wrong_behind_sources(&format!("let a = timed.key_by(k).aggregate({aggregate}); drop a;"), &[expected]);
    }
    // a struct without a word of the language is the user's own aggregator
    let own = plan(
        "source a: T = rows(d); let b = a.key_by(k).aggregate(Own { most: 5 }, emit at_end, ttl 1h); drop b; sink s(a) = stdout();",
    );
    assert!(own.contains("aggregate Own { most:5 }, emit at_end"), "{own}");
}

#[test]
fn words_that_go_by_order_are_combined_where_there_is_time() {
    let of = |source: &str, how: &str| {
        let source = if source == "timed" { "rows(d), event_time f, late_by 1s" } else { "rows(d)" };
        plan(&format!(
            "source a: T = {source}; let b = a.key_by(k).aggregate({how}, emit at_end, unbounded(\"few\")); drop b; sink s(a) = stdout();"
        ))
    };
    assert!(of("timed", "first(|r| r.x)").contains("edge b: combined"));
    assert!(of("plain", "first(|r| r.x)").contains("edge b: keyed"));
    assert!(
        of("plain", "first(|r| r.x)").contains("by arrival") && !of("timed", "first(|r| r.x)").contains("by arrival")
    );
    assert!(of("timed", "(count(), collect())").contains("edge b: keyed"), "rows would be no fewer");
    assert!(of("plain", "top(3, by |r| r.x)").contains("edge b: combined"));
    // what comes over an edge and goes into such a word has its time with it
    let behind = plan(
        "source a: T = rows(d), event_time f, late_by 1s; let u = a.key_by(k).reduce(g, unbounded(\"few\"));
         let b = u.key_by(k).aggregate(last(|r| r.x), unbounded(\"few\")); sink s(b) = stdout();",
    );
    assert!(behind.contains("edge u: keyed timed") && behind.contains("edge b: keyed\n"), "{behind}");
}

#[test]
fn a_name_in_a_chain_is_a_cut_between_two_lets() {
    let sources = "source a: T = rows(d), event_time f, late_by 1s;";
    let one = plan(&format!(
        "{sources} let c = a.key_by(k).window(tumbling 1h).aggregate(count(), as b).map(g).key_by(h).reduce(r, ttl 1d).filter(i);
         sink s(b, c) = stdout(); drop b.late;"
    ));
    let two = plan(&format!(
        "{sources} let b = a.key_by(k).window(tumbling 1h).aggregate(count()); let c = b.map(g).key_by(h).reduce(r, ttl 1d).filter(i);
         sink s(b, c) = stdout(); drop b.late;"
    ));
    assert_eq!(one, two);
    let process = "let c = a.key_by(k).process { as b; on event(r, cx) { cx.emit(r) } }.key_by(h).reduce(r, ttl 1d);";
    assert!(plan(&format!("{sources} {process} sink s(c) = stdout();")).contains("edge b: keyed"));
    wrong(
        &format!(
            "{sources} let c = a.key_by(k).window(tumbling 1h).aggregate(count(), as b).key_by(h).reduce(r, ttl 1d); sink s(c) = stdout();"
        ),
        &["window | nothing uses the late rows of `b` | `drop b.late;`"],
    );
    wrong(
        &format!(
            "{sources} let c = a.key_by(k).reduce(q, ttl 1d, as a).key_by(h).reduce(r, ttl 1d); sink s(c) = stdout();"
        ),
        &["a | `a` is the name of a stream already | rename one of the two"],
    );
    wrong(
        &format!("{sources} let c = a.key_by(k).reduce(q, ttl 1d).key_by(h).reduce(r, ttl 1d); sink s(c) = stdout();"),
        &["reduce | `reduce` is the second stateful operator of this `let`, behind `reduce` | the option `as name`"],
    );
}
