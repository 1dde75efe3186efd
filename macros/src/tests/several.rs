//! Several mistakes at once: all are reported, none twice, and the rest is emitted.

use super::*;

#[test]
fn five_mistakes_five_messages() {
    wrong(
        "param least: u32;
         source trades: Trade = rows(d);
         let a = trades.filtr(|t| t.size >= least);
         let b = a.map(|t| t.nonsense);
         let c = trades.map(|t| t.);
         let d = c.key_by(|x| x.0).aggregate(count(), unbounded(\"few\"));
         lett e = trades;
         let f = trade.map(|t| t.price);
         let g = trades.map(|t| t.symbol.len() + 1).filter(|n| n > 1);
         sink x(g) = stdout();
         sink y(d, f, b) = stdout();
         sink z(g) = csv(least) x;",
        &[
            "filtr | there is no operator `filtr` | did you mean `filter`?",
            ". | the expression stops here | something is missing",
            "lett | `lett` starts no statement | did you mean `let`?",
            "x | the expression cannot be read | ",
            "trade | there is no stream `trade` | did you mean `trades`?",
        ],
    );
}

#[test]
fn what_only_broken_statements_use_is_not_called_unused() {
    wrong(
        "source a: T = rows(d); source b: T = rows(d); let c = a.mpa(f); let d = union(b, c); sink s(d) = stdout();",
        &["mpa | there is no operator `mpa` | did you mean `map`?"],
    );
    wrong(
        "source a: T = rows(d); let w = a.key_by(k).reduce(f, unbounded(\"few\")); let x = w.map(|t| t.); sink s(x) = stdout();",
        &[". | the expression stops here | "],
    );
}

#[test]
fn mistakes_of_all_phases() {
    wrong_behind_sources(
        "let a = timed.mpa(f); let b = plain.aggregate(count(), unbounded(\"few\")); let c = nothing.map(f); drop a, b, c;
         let w = plain.key_by(k).window(tumbling 0s).aggregate(count()); sink s(w) = stdout(); drop w.late;",
        &[
            "mpa | there is no operator `mpa` | `map`",
            "nothing | there is no stream `nothing` | are",
            "0s | a window of no length | `tumbling 1h`",
            "aggregate | `aggregate` needs a key | `.key_by(|r| ..)`",
            "window | `window` needs event time, and `plain` has none | ",
        ],
    );
}

#[test]
fn several_of_one_statement() {
    wrong(
        "source a: T = rows(d), event_tim f, late_by 5, on_error ignore; sink s(a) = stdout();",
        &[
            "event_tim | a source has no option `event_tim` | `event_time`",
            "5 | `5` is no duration | ",
            "ignore | there is no `on_error ignore` | ",
        ],
    );
    wrong_behind_sources(
        "let a = timed.mpa(f).filtr(g).map(|x| x.); drop a;",
        &[
            "mpa | there is no operator `mpa` | ",
            "filtr | there is no operator `filtr` | ",
            ". | the expression stops here | ",
        ],
    );
}

#[test]
fn the_rest_is_emitted() {
    let (models, diag) = understand(
        "source a: T = rows(d); let b: u8 = a.mpa(f); let c: u8 = a.map(g); sink s(b, c) = collect(); sink t(b) = collect();",
    );
    assert_eq!(mistakes(&diag).len(), 1);
    let plan = lower::lower(&models[0]);
    assert_eq!(
        lower::explain::explain(&plan),
        "chain a: source, no time\n  1 map = c\n  declared\n  -> s.0\n".replace("  declared\n", "")
    );
    // results of what is left out keep their fields
    let fields: Vec<String> = lower::collected(&models[0]).iter().map(|it| it.name.to_string()).collect();
    assert_eq!(fields, ["s", "t"]);
}

#[test]
fn an_editor_gets_half_written_closures() {
    let block: proc_macro2::TokenStream =
        "(pelton) job J<Memory> { source a: T = rows(d); let b = a.map(|t| t.); sink s(b) = stdout(); }"
            .parse()
            .unwrap();
    let mut diag = Diagnostics::default();
    diag.editor = true;
    let (root, models) = pipeline::understand(block, &mut diag);
    assert_eq!(mistakes(&diag).len(), 1);
    let tokens = crate::emit::job(&lower::lower(&models[0]), &crate::lock::Lock::default(), &root, true).to_string();
    assert!(tokens.contains("| t | t ."), "{tokens}");
}

#[test]
fn params_of_what_is_left_out_are_read() {
    let reads = |statements: &str| {
        let block = format!("(pelton) job J<Memory> {{ param p: u8; {statements} }}").parse().unwrap();
        pipeline::expand(block).to_string().contains("& self . p")
    };
    assert!(reads("source a: T = rows(d); let b = a.mpa(|x| x + p); sink s(b) = stdout();"));
    assert!(!reads("source a: T = rows(d); sink s(a) = stdout();"));
}
