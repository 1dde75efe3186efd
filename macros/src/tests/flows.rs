//! Flows: their plans, their uses, and what is wrong with either.

use super::*;

#[track_caller]
fn lowers(block: &str, expected: &str) {
    let (models, diag) = understand_block(&format!("(pelton) {block}"));
    assert_eq!(mistakes(&diag), [""; 0], "in {block}");
    let found: String = models.iter().map(|model| lower::explain::explain(&lower::lower(model))).collect();
    let expected = expected.trim_start_matches('\n');
    let indent = expected.len() - expected.trim_start().len();
    let expected: String = expected.lines().map(|line| line.get(indent..).unwrap_or("").to_string() + "\n").collect();
    assert_eq!(found.trim_end(), expected.trim_end(), "\n{found}");
    syn::parse2::<syn::File>(pipeline::expand(format!("(pelton) {block}").parse().unwrap())).unwrap();
}

#[test]
fn a_flow_and_its_use() {
    lowers(
        "flow f(a: Stream<T>, least: u32) -> T, small: U {
             let big = a.filter(x);
             let totals = big.key_by(k).aggregate(count(), ttl 1h);
             let u = a.map(g);
             return totals, small = u;
         }
         job J<Memory> {
             source s: T = rows(d), event_time e, late_by 1h;
             let t = f(s, 5).map(m);
             let w = t.key_by(k).window(tumbling 1h).aggregate(count());
             sink out(t, w) = stdout(); sink low(t.small) = stdout(); drop w.late;
         }",
        "
        edge totals: keyed timed for 0 timed if [0]
        chain a: flow f
          for a looks
            1 filter #0 = big
            2 key_by
              -> totals.0: count
          for a takes
            3 map = u
            -> return 1
        chain totals: aggregate count, emit each, ttl 1h, by arrival
          -> return 0
        edge w: combined timed
        chain s: source
          0 event_time
          -> flow t.0
        chain t: output
          1 map = t
          for t looks
            2 key_by
              -> w.0: count
          -> out.0 takes
        chain t: output
          -> low.0
        chain w: window tumbling 1h
          -> out.1
        ",
    );
}

#[test]
fn a_flow_may_have_the_name_of_a_word_of_rust() {
    lowers(
        "flow r#match(r#in: Stream<T>, r#type: u32) -> T, r#mod: T { let b = r#in.filter(|x| x.n > r#type); return b, r#mod = b; }",
        "
        chain r#in: flow r#match
          1 filter #0 = b
          -> return 0 takes
          -> return 1 takes
        ",
    );
}

#[test]
fn flows_in_a_row_are_told_which_follow_on_them() {
    // what is called behind the first of them through a pointer does not count in front of it
    lowers(
        "flow f(a: Stream<T>) -> T { let b = a.map(x); return b; }
         flow g(a: Stream<T>) -> T { let b = f(a); return b; }
         job J<Memory> {
             source s: T = rows(d);
             let t = f(s); let u = f(t); let v = f(u); let w = f(v);
             sink out(w) = stdout();
         }",
        "
        chain a: flow f
          1 map = b
          -> return 0
        chain a: flow g
          -> flow b.0
        chain b: output, then a flow
          -> return 0
        chain s: source, no time
          -> flow t.0
        chain t: output, no time, then a flow
          -> flow u.0
        chain u: output, no time, then flows
          -> flow v.0
        chain v: output, no time, then a flow
          -> flow w.0
        chain w: output, no time
          -> out.0
        ",
    );
}

#[test]
fn a_flow_that_needs_event_time_brings_it_to_the_flows_that_it_uses() {
    // the window of the inner flow needs the time of both streams of the outer one
    lowers(
        "flow outer(a: Stream<T>, b: Stream<T>) -> U {
             let all = union(a, b); let t = inner(all);
             return t;
         }
         flow inner(rows: Stream<T>) -> U {
             let w = rows.key_by(k).window(tumbling 1h).aggregate(count());
             drop w.late;
             return w;
         }",
        "
        edge all: local timed x2
        chain a: flow outer
          -> all.0
        chain b: flow outer
          -> all.1
        chain all: union
          -> flow t.0
        chain t: output, then a flow
          -> return 0
        edge w: combined timed for 0 timed
        chain rows: flow inner
          1 key_by
            -> w.0: count
        chain w: window tumbling 1h
          -> return 0
        ",
    );
}

#[test]
fn what_is_a_stream_among_the_arguments_is_known_by_its_name() {
    let models = right(
        "param least: u32; source s: T = rows(d);
         let t = other::f(s, least, |x| x + 1, 5, far); sink x(t.a) = stdout();",
    );
    let crate::model::Origin::Flow(used) = &models[0].streams[1].origin else { panic!("no flow") };
    assert_eq!(used.streams, [Some(0), None, None, None, None]);
}

#[test]
fn mistakes_at_a_use() {
    let flow = "flow f(a: Stream<T>, least: u32) -> main_is_named: T, small: U { let u = a.map(g); let v = a.map(h); return main_is_named = u, small = v; }";
    let of = |statements: &str| format!("(pelton) {flow} job J<Memory> {{ source s: T = rows(d); {statements} }}");
    wrong_block(
        &of("let t = f(s, 5); sink x(t) = stdout(); drop t.small, t.main_is_named;"),
        &["t | `t` has no rows of its own | `t.main_is_named` and `t.small`"],
    );
    wrong_block(
        &of("let t = f(s, 5); sink x(t.smal) = stdout(); drop t.main_is_named;"),
        &["smal | `t` has no output `smal` | did you mean `small`?"],
    );
    wrong_block(
        &of("let t = f(s, 5); sink x(t.small) = stdout();"),
        &["f | nothing uses `t.main_is_named` | drop t.main_is_named"],
    );
    wrong_block(
        &of("let t = f(5, 5); sink x(s) = stdout();"),
        &["5 | `f` takes a stream here: `a` | write the name of a stream"],
    );
    wrong_block(
        &of("let t = f(s); sink x(s) = stdout();"),
        &["f | takes 2 arguments, and 1 stands here | `a`, `least`"],
    );
    wrong_block(
        &of("let t = f(s, 5).map(m); sink x(s) = stdout(); drop t;"),
        &["f | `f` has no main output | `name.main_is_named` or `name.small`"],
    );
    wrong_block(
        &of("let t = csv(path); sink x(s) = stdout();"),
        &["csv | `csv(..)` is no stream | source name: Type = csv(..)"],
    );
    wrong_block(
        &of("let k = s.key_by(k); let t = f(k, 5); sink x(t.small) = stdout(); drop t.main_is_named;"),
        &["k | `k` is keyed, and `f` takes rows | in front of `key_by`"],
    );
}

#[test]
fn mistakes_in_a_flow() {
    wrong_block(
        "(pelton) flow f(a: Stream<T>) -> T { let b = a.filter(x); }",
        &[
            "f | the flow `f` returns nothing | end its body with `return stream;`",
            "b | nothing uses `b` | `return b;`",
        ],
    );
    wrong_block(
        "(pelton) flow f(a: Stream<T>) -> T { return b, c = a; }",
        &["b | there is no stream `b` | `a`", "c | `f` has no output `c` | it gives one thing"],
    );
    wrong_block(
        "(pelton) flow f(a: Stream<T>) -> T { let k = a.key_by(k); return k; }",
        &["k | `k` is keyed, and a flow gives rows | in front of `key_by`"],
    );
    wrong_block(
        "(pelton) flow f(a: Stream<T>) -> T { let g = g(a); return g; } flow g(a: Stream<T>) -> T { let f = f(a); return f; }",
        &["g | the flow `f` uses itself: it is in `g` | written out where it is used"],
    );
    wrong_block("(pelton) flow f(a: Stream<T>) { return a; }", &["f | the flow `f` gives nothing | write `flow name("]);
    wrong_block(
        "(pelton) flow f(n: u32) -> T { drop n; }",
        &[
            "f | takes no stream | what comes in",
            "n | `n` is a value, not a stream | `n: Stream<Type>`",
            "f | the flow `f` returns nothing | end its body",
        ],
    );
}

#[test]
fn what_a_source_could_not_read_has_no_event_time_in_a_flow_either() {
    let block = |port: &str| {
        format!(
            "(pelton) job J<Memory> {{
                 source s: T = csv(d), event_time e, late_by 1h, on_error divert;
                 let t = other::f(s{port}); sink x(t) = stdout(); drop s, s.errors;
             }}"
        )
    };
    let times = |port: &str| {
        let text = pipeline::expand(block(port).parse().unwrap()).to_string();
        (text.contains("stream :: < __rt :: Timed , _ >"), text.contains("stream :: < __rt :: Untimed , _ >"))
    };
    assert_eq!(times(""), (true, false));
    assert_eq!(times(".errors"), (false, true));
}

#[test]
fn a_keyed_stream_comes_with_its_key() {
    lowers(
        "flow f(a: Keyed<String, T>) -> T {
             let totals = a.aggregate(sum(g), ttl 1h);
             let out = a.process { on event(r, cx) { cx.emit(r) } };
             let t = other::f(a);
             drop totals, out;
             return t;
         }
         job J<Memory> { source s: T = rows(d); let k = s.key_by(k); let t = f(k); sink x(t) = stdout(); }",
        "
        edge totals: keyed timed if [0]
        edge out: keyed timed if [0]
        chain a: flow f
          keyed
            -> totals.0: sum at 1
            -> out.0: row
            -> flow t.0
        chain totals: aggregate sum, emit each, ttl 1h, by arrival
        chain out: process, by arrival
        chain t: output, then a flow
          -> return 0
        chain s: source, no time
          1 key_by
            -> flow t.0
        chain t: output, no time
          -> x.0
        ",
    );
}

#[test]
fn mistakes_with_a_key() {
    let of = |takes: &str, statements: &str| {
        let flow = format!("flow f(a: {takes}) -> T {{ let u = a.reduce(g, ttl 1h); return u; }}");
        format!("(pelton) {flow} job J<Memory> {{ source s: T = rows(d); {statements} }}")
    };
    wrong_block(
        &of("Keyed<String, T>", "let t = f(s); sink x(t) = stdout();"),
        &["s | `f` takes a keyed stream, and `s` is not | let keyed = s.key_by(|r| ..);"],
    );
    let right = "let k = s.key_by(k); let t = f(k); sink x(t) = stdout();";
    wrong_block(&of("Keyed<&str, T>", right), &["&str | the key `&str` borrows | `String` for `&str`"]);
    wrong_block(&of("Keyed<T>", right), &["Keyed<T> | a keyed stream has a key and rows | Keyed<String, Trade>"]);
    wrong_block(
        "(pelton) flow f(a: Keyed<String, T>) -> T { let u = a.map(g); return u; }",
        &["map | `map` takes rows, and `a` is keyed | a keyed operator comes next"],
    );
}

#[test]
fn what_is_handed_on_to_another_module_is_asked_of_its_flow() {
    let parameters = |block: &str| {
        let text = pipeline::expand(format!("(pelton) {block}").parse().unwrap()).to_string();
        let found = text.split("type Parameters = ").skip(1).map(|it| it.split(';').next().unwrap().trim().to_string());
        found.collect::<Vec<String>>()
    };
    let asked = |flow: &str| format!("__rt :: Asked < {flow} , __rt :: Here >");
    // only what has no event time yet, and not behind a flow of the block that asks nothing
    assert_eq!(
        parameters(
            "flow none(a: Stream<T>) -> T { let b = a.map(m); return b; }
             flow own(a: Stream<T>, n: u32) -> T {
                 let w = a.key_by(k).window(tumbling 1h).aggregate(count()); let t = other::f(a, n);
                 drop w, w.late; return t;
             }
             flow path(n: u32, a: Stream<T>) -> T { let b = none(a); let t = other::f(b); return t; }
             flow name(a: Stream<T>) -> T { let t = f(a); return t; }
             flow around(a: Stream<T>) -> T { let t = name(a); return t; }"
        ),
        [
            "(__rt :: Untimed , ())".to_string(),
            "(__rt :: Timed , (__rt :: Untimed , ()))".to_string(),
            format!("(__rt :: Untimed , ({} , ()))", asked("____flow_t")),
            format!("({} , ())", asked("f")),
            format!("({} , ())", asked("__asks_of_name")),
        ]
    );
}
