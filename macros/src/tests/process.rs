//! `process { .. }`: its items one by one, what they must be together, what it becomes.

use super::*;

/// A process with these items, on a stream with event time, whose rows are used.
fn on_timed(items: &str) -> String {
    format!("let p = timed.key_by(k).process {{ {items} }}; drop p;")
}

/// A process that does something, with these items in it.
fn with(items: &str) -> String {
    on_timed(&format!("{items} on event(r, cx) {{ cx.emit((a, b, c, q, o)) }}"))
}

#[test]
fn items_that_cannot_be_read() {
    for (items, expected) in [
        ("stat a: Value<u8>;", "stat | `stat` starts no item of a `process` | did you mean `state`?"),
        ("shared a: Value<u8>;", "shared | `shared` is not built yet | starts with `in_order`, `state`"),
        ("let a = 5;", "let | `let` starts no item of a `process` | starts with"),
        ("in_order now;", "now | expected `;`, found `now` | `in_order;`"),
        ("in_order; in_order;", "in_order | `in_order` is said twice | once"),
        ("state a, ttl 1h;", ", | expected `:`, found `,` | `state name: Value<T>, ttl 24h;`"),
        ("state a: Valu<u8>, ttl 1h;", "Valu | there is no kind of state `Valu` | did you mean `Value`?"),
        ("state a: u8, ttl 1h;", "u8 | there is no kind of state `u8` | `Value<T>`, `List<T>`, `Map<K, V>`"),
        ("state a: Value, ttl 1h;", "Value | `Value` does not say what it keeps | `state a: Value<T>, ttl 24h;`"),
        ("state a: Value<>, ttl 1h;", "Value | `Value` takes one type | `state a: Value<T>"),
        ("state a: Map<u8>, ttl 1h;", "Map | `Map` takes two types | `state a: Map<K, V>, ttl 24h;`"),
        ("state a: Value<u8, u8>, ttl 1h;", "Value | `Value` takes one type | Value<T>"),
        ("state a: Value<&str>, ttl 1h;", "& | a state cannot borrow | `String`, not `&str`"),
        ("state a: Value<u8> = 5, ttl 1h;", "5 | a `Value` begins empty and takes no value here | "),
        ("state a: Reducing<u8>, ttl 1h;", "Reducing | `Reducing` does not say how | = |a, b| .., ttl 24h"),
        ("state a: Aggregating<R>, ttl 1h;", "Aggregating | `Aggregating` does not say how | (count(), sum(|r| r.x))"),
        ("state a: Reducing<u8> = 5, ttl 1h;", "5 | expected a closure | |a, b| .."),
        ("state a: Value<u8>, tl 1h;", "tl | a state has no option `tl` | did you mean `ttl`?"),
        ("state a: Value<u8>, ttl 1h, ttl 2h;", "ttl | the option `ttl` is said twice | once"),
        ("state a: Value<u8>, ttl 24;", "24 | `24` is no duration | has a unit"),
        ("state a: Value<u8>, ttl nowhere;", "nowhere | there is no param `nowhere` | `10min`"),
        ("state a: Value<u8>, unbounded;", "unbounded | `unbounded` gives no reason | one per country"),
        ("state a: Value<u8>, unbounded();", "() | `unbounded` gives no reason | one per country"),
        ("state a: Value<u8>, unbounded(\" \");", "\" \" | `unbounded` gives no reason | one per country"),
        ("state a: Value<u8>, unbounded(5);", "5 | the reason of `unbounded` is a text | one per country"),
        ("timer q;", "q | expected `:` behind this | `timer name: event_time;`"),
        ("timer q: clock;", "clock | a timer goes by `event_time` or `processing_time`, not by `clock` | `timer name"),
        ("timer q: event_tim;", "event_tim | a timer goes by | did you mean `event_time`?"),
        ("output o;", "o | expected `:` behind this | `output name: Type;`"),
        ("on evnt(r, cx) { }", "evnt | there is no handler `on evnt` | did you mean `event`?"),
        ("on timer(at, cx) { }", "(at, cx) | expected the name of a timer, found `(` | `on timer name(at, cx) { .. }`"),
        ("on end(r, cx) { }", "end | `on end` takes one argument, `cx` | `on end(cx) { .. }`"),
        ("on event(r) { }", "event | `on event` takes two arguments | `on event(r, cx) { .. }`"),
        ("on event { }", "{ } | expected `(`, found `{` | `on event(r, cx) { .. }`"),
        ("on event(r, &cx) { }", "&cx | the context of a handler is a name | "),
        ("on event(r, cx)", "(r, cx) | expected `{` behind this | `on event(r, cx) { .. }`"),
        ("on event(r, cx) { r. }", ". | the expression stops here | something is missing"),
        ("on event(r, cx) { if r { r + } }", "+ | the expression stops here | something is missing"),
        ("on event(r, cx) { r.at + 10m }", "10m | `10m` could be minutes or months | `10min`"),
    ] {
        wrong_behind_sources(&on_timed(items), &[expected]);
    }
}

#[test]
fn several_items_several_messages() {
    wrong_behind_sources(
        &on_timed("state a: Valu<u8>; timer q: clock; output o; on evnt(r, cx) { }"),
        &[
            "Valu | there is no kind of state `Valu` | `Value`",
            "clock | a timer goes by | ",
            "o | expected `:` behind this | ",
            "evnt | there is no handler `on evnt` | `event`",
        ],
    );
    wrong_behind_sources(
        &on_timed(
            "state a: Value<u8>, ttl 1h timer q: event_time on event(r, cx) { cx.emit(a) cx.set(q, r.at) } on timer q(at, cx) { }",
        ),
        &[
            "timer | expected `;` in front of `timer` | `;`",
            "on | expected `;` in front of `on` | `;`",
            "cx | the expression cannot be read | ",
        ],
    );
}

#[test]
fn what_a_process_must_be() {
    for (statements, expected) in [
        (on_timed(""), vec!["process | this `process` does nothing with its rows | `on event(r, cx) { .. }`"]),
        (
            with("state a: Value<u8>; state b: List<u8>;"),
            vec![
                "a | the state `a` can grow for ever: it keeps something per key | `ttl 24h`, or `unbounded(",
                "b | the state `b` can grow for ever | `ttl 24h`",
            ],
        ),
        (with("state a: Value<u8>, ttl 0s;"), vec!["0s | a `ttl` of no length keeps nothing | `ttl 24h`"]),
        (with("state a: Value<u8>, ttl 1us;"), vec!["1us | event time is counted in milliseconds | multiple of `1ms`"]),
        (
            with("state a: Value<u8>, ttl 1h, unbounded(\"small\");"),
            vec!["unbounded | `ttl` and `unbounded` exclude each other | one of them"],
        ),
        (with("timer q: event_time;"), vec!["q | nothing happens when the timer `q` fires | `on timer q(at, cx) { .. }`"]),
        (
            with("timer q: event_time; on timer q(at, cx) { } on timer quit(at, cx) { }"),
            vec!["quit | there is no timer `quit` | the timers are `q`"],
        ),
        (with("on timer quiet(at, cx) { }"), vec!["quiet | there is no timer `quiet` | `timer quiet: event_time;`"]),
        (with("on event(r, cx) { }"), vec!["event | `on event` is there twice | one handler"]),
        (
            with("timer q: event_time; on timer q(at, cx) { } on timer q(at, cx) { }"),
            vec!["timer | `on timer q` is there twice | one handler"],
        ),
        (with("on end(cx) { } on end(cx) { }"), vec!["end | `on end` is there twice | one handler"]),
        (
            with("state a: Value<u8>, ttl 1h; timer a: event_time; on timer a(at, cx) { }"),
            vec!["a | `a` is the name of a state already | rename one"],
        ),
        (
            format!("param a: u8; {}", with("state a: Value<u8>, ttl 1h;")),
            vec!["a | `a` is the name of a param already | rename one"],
        ),
        (
            on_timed("state r: Value<u8>, ttl 1h; on event(r, cx) { cx.emit(r) }"),
            vec!["r | `r` is the name of a state already | would not see it"],
        ),
        (
            on_timed("output late: u8; on event(r, cx) { late.emit(1); cx.emit(r) }"),
            vec!["late | `late` is the name of an output of the language | another name"],
        ),
        (
            on_timed("state in_order: Value<u8>, ttl 1h; on event(r, cx) { cx.emit(in_order) }"),
            vec!["in_order | `in_order` is a word of the language | another name"],
        ),
        (
            with("state unseen: Value<u8>, ttl 1h; timer never: event_time; on timer never(at, cx) { }"),
            vec![
                "unseen | no handler reads or writes the state `unseen` | remove it",
                "never | no handler sets the timer `never` | remove it",
            ],
        ),
        (on_timed("on event(r, cx) { cx.key(); }"), vec!["process | no handler of this `process` emits anything | `cx.emit(..)`"]),
        (with("output o: u8;"), vec!["o | nothing uses `p.o` | `drop p.o;`"]),
        (with("in_order;"), vec!["in_order | nothing uses the late rows of `p` | `drop p.late;`"]),
        (format!("{} drop p.late;", with("")), vec!["late | `p` has no late rows | `in_order`"]),
        (
            format!("{} drop p.odd;", with("output o: u8;")),
            vec!["odd | `p` has no output `odd` | its outputs are `p` and `p.o`"],
        ),
        (
            "let p = timed.process { on event(r, cx) { cx.emit(r) } }; drop p;".to_string(),
            vec!["process | `process` needs a key | `.key_by(|r| ..)`"],
        ),
        (
            "let p = timed.process { state a: Value<u8>; on event(r, cx) { cx.emit(a) } }; drop p;".to_string(),
            vec!["a | the state `a` can grow for ever | ", "process | `process` needs a key | "],
        ),
        (
            "let p = plain.key_by(k).process { in_order; on event(r, cx) { cx.emit(r) } }; drop p, p.late;".to_string(),
            vec!["in_order | `in_order` needs event time, and `plain` has none | `event_time |r| r.at, late_by 1min`"],
        ),
        (
            "let p = plain.key_by(k).process { timer q: event_time; on event(r, cx) { cx.emit(q) } on timer q(a, cx) { } }; drop p;"
                .to_string(),
            vec!["q | the timer `q` needs event time, and `plain` has none | "],
        ),
        (
            "let p = timed.key_by(k).process { output o: u8; on event(r, cx) { o.emit(r) } }.map(f); drop p, p.o;".to_string(),
            vec!["map | `p` has no rows: none of its handlers calls `cx.emit` | one of its outputs"],
        ),
        (
            "let p = timed.key_by(k).process { on event(r, cx) { cx.emit(r) } }.map(f).key_by(l).reduce(g, unbounded(\"few\")); drop p;".to_string(),
            vec!["reduce | `reduce` is the second stateful operator of this `let`, behind `process` | `let` of its own"],
        ),
    ] {
        wrong_behind_sources(&statements, &expected);
    }
}

#[test]
fn what_is_right() {
    right(&format!(
        "{SOURCES} param keep: TimeSpan = 1h;
         let keyed = timed.key_by(k);
         let all = keyed.process {{
            in_order;
            state a: Value<Option<Vec<u8>>>, ttl keep;
            state b: Map<City, Box<dyn Fn(u8) -> u8>>, unbounded(\"few\");
            state c: Reducing<u64> = |a, b| a + b, ttl 7d,;
            state d: Aggregating<T> = (count(), sum(|t| t.x)), ttl 1ms;
            timer q: event_time; timer p: processing_time;
            output odd: (u8, u8);
            on event(T {{ x, .. }}, cx) {{ if a.get() == b[0] && c < d {{ cx.emit(x?) }} cx.set(q, p); odd.emit(1h); }}
            on timer q(_, cx) {{ }} on timer p(at, cx) {{ let f = |x| -> u8 {{ x; }}; }}
            on end(cx) {{ }}
         }};
         let silent = keyed.process {{ output only: u8; on event(r, cx) {{ only.emit(r) }} }};
         let handed = keyed.process {{ on event(r, cx) {{ helper(r, cx) }} }};
         let two = all.odd.map(f).key_by(k).process {{ timer t: processing_time; on event(r, c) {{ c.emit(t) }} on timer t(a, c) {{ }} }}.map(g);
         sink s(all, all.late, silent.only, handed, two, plain) = stdout();"
    ));
}

#[test]
fn outputs_are_operators_of_the_plan() {
    let found = plan(
        "source a: T = rows(d), event_time f, late_by 1h;
         let p = a.key_by(k).process { in_order; state x: Value<u8>, ttl 1h; output odd: u8; output even: u8;
            on event(r, cx) { cx.emit(x); odd.emit(1); even.emit(2) } };
         let l = p.late.map(g); let o = p.odd.filter(h);
         sink s(p, l, o) = stdout(); drop p.even;",
    );
    let expected = "\
edge p: keyed timed
chain a: source
  0 event_time
  1 key_by
    -> p.0: row
chain p: process in_order: state x (ttl 1h); output odd, even
  -> s.0
  late
    1 map = l
    -> s.1
  output #1
    3 filter #2 = o
    -> s.2
  output #3
";
    assert_eq!(found, expected, "\n{found}");
}

#[test]
fn handlers_are_pasted_once_and_end_with_what_they_may_give() {
    let tokens = pipeline::expand(
        format!(
            "(pelton) pub job J<Memory> {{ param least: u8; {SOURCES}
             let p = timed.key_by(k).process {{
                 state a: Map<u8, (u8, u8)>, ttl 1h; state n: Value<u8>, unbounded(\"one\"); timer q: event_time;
                 on event(r, cx) {{ cx.emit(once(r, least)); a.insert(1); n.set(q.parse()?); }}
                 on timer q(at, cx) {{ n.clear() }}
             }};
             sink s(p, plain, timed) = stdout(); }}"
        )
        .parse()
        .unwrap(),
    );
    syn::parse2::<syn::File>(tokens.clone()).unwrap();
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    let text = dense(&tokens.to_string());
    assert_eq!(text.matches("once(r,least)").count(), 1);
    for part in [
        "__rt::map_state(<u8 as __rt::CanKeyMap<_> >::kept_key(), <(u8, u8) as __rt::CanKeep<_> >::kept(), __rt::ttl(g, __micros(3600000000i64)))",
        "__rt::value_state(<u8 as __rt::CanKeep<_> >::kept(), __rt::unbounded())",
        "const NAME: &'static ::core::primitive::str = \"a\";",
        "let least = ::core::clone::Clone::clone(&self.least);",
        "__rt::on_event(&pattern, move |r, h, #[allow(unused_variables)] cx| -> __rt::Done {",
        "n.set(q.parse()?); } ::core::result::Result::Ok(()) }",
        "__rt::on_timer(&pattern, move |#[allow(unused_variables)] at, h, #[allow(unused_variables)] cx| -> () {",
        "const { &[__rt::By::Events] }, __rt::timers::<_, 1>((__Timer0, ())), __rt::as_they_come(),",
    ] {
        assert!(text.contains(&dense(part)), "{part}\nis not in\n{tokens}");
    }
}
