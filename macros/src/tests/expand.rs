//! Expansions: they are Rust, and say what they should.

use super::*;

fn expand(statements: &str) -> String {
    let tokens = pipeline::expand(format!("(pelton) pub job J<Memory> {{ {statements} }}").parse().unwrap());
    syn::parse2::<syn::File>(tokens.clone()).unwrap();
    dense(&tokens.to_string())
}

/// Without white space, which says nothing.
fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

#[track_caller]
fn says(expansion: &str, what: &str) {
    assert!(expansion.contains(&dense(what)), "\n{what}\nis not in\n{expansion}");
}

#[test]
fn a_place_is_borrowed_and_everything_else_is_not() {
    let keys = |key: &str| {
        expand(&format!(
            "source a: T = rows(d); let b = a.key_by({key}).reduce(f, unbounded(\"few\")); sink s(b) = stdout();"
        ))
    };
    says(&keys("|r| r.a.b"), "__rt::call(&x0, |r| &r.a.b)");
    says(&keys("|r: &T| r.0"), "__rt::call(&x0, |r: &T| &r.0)");
    says(
        &keys("|r| (r.a, r.b.c, r.d(), &r.e, s.f, 1h)"),
        "__rt::call(&x0, |r| (&r.a, &r.b.c, r.d(), &r.e, s.f, __micros(3600000000i64),))",
    );
    for key in ["|r| r", "|r| r.a()", "|r| *r", "|(a, b)| a", "f", "|r| -> u8 { r.a }", "|r| s.a"] {
        says(&keys(key), &format!("__rt::call(&x0, {key})"));
    }
}

#[test]
fn units_are_rewritten_everywhere() {
    let text = expand(
        "param p: TimeSpan = 1h30min; source a: T = rows(d, 1s), event_time |r| r.at + 1ms, late_by 5min;
         let b = a.filter(|r| { r.at < 10s && matches!(r.b, 5) }); sink s(b) = stdout();",
    );
    says(&text, "|| __rt::DefaultOf::<TimeSpan>::default(__micros(5400000000i64))");
    says(&text, "rows(d, __micros(1000000i64))");
    says(&text, "|r| r.at + __micros(1000i64)");
    says(&text, "late_by: ::core::option::Option::Some(__micros(300000000i64))");
    says(&text, "{ r.at < __micros(10000000i64) && matches!(r.b, 5) }");
}

#[test]
fn rows_name_their_borrows() {
    let row = |ty: &str| expand(&format!("source a: {ty} = rows(d); sink s(a) = stdout();"));
    says(&row("&str"), "type Row<'a> = &'a str;");
    says(&row("Line<'_, &'static str, (&u8, X)>"), "type Row<'a> = Line<'a, &'static str, (&'a u8, X)>;");
}

#[test]
fn params_are_cloned_where_they_are_mentioned() {
    let text = expand(
        "param p: u8; param q: String; param unused: u8; source a: T = rows(p);
         let b = a.map(|r| format!(\"{q} {r}\")); sink s(b) = csv(q);",
    );
    says(&text, "{ let p = ::core::clone::Clone::clone(&self.p); let _ = &p; rows(p) }");
    says(&text, "{ let q = ::core::clone::Clone::clone(&self.q); let _ = &q; csv(q) }");
    assert!(!text.contains("&self.unused"));
}

#[test]
fn params_become_flags() {
    let text = expand(
        "/// Where the\n/// input is.\nparam input: PathBuf = \"in.csv\"; param out: Option<PathBuf>; param n: Vec<u8> = vec![1, 2 + 3]; param m: u8;
         source a: T = rows(input, out, n, m); sink s(a) = stdout();",
    );
    says(
        &text,
        "__rt::Param { name: \"input\", help: \"Where the input is.\", ty: \"PathBuf\", default: ::core::option::Option::Some(\"in.csv\"), value: ::core::option::Option::Some(\"in.csv\"), optional: false }",
    );
    says(
        &text,
        "__rt::Param { name: \"out\", help: \"\", ty: \"PathBuf\", default: ::core::option::Option::None, value: ::core::option::Option::None, optional: true }",
    );
    says(&text, "default: ::core::option::Option::Some(\"vec![1, 2 + 3]\")");
    says(&text, "|| __rt::FromText::from_text(\"in.csv\")");
    says(&text, "(&__rt::Flag::<Vec<u8> >::new()).parser()");
}

#[test]
fn the_last_consumer_gets_the_row() {
    let text = expand("source a: T = rows(d); let b = a.filter(f).map(g); let c = a.map(h); sink s(b, c) = stdout();");
    // the copy is made behind the filter
    says(
        &text,
        "let keep = __rt::test(&x0, f); n[0] += __rt::one_if(keep); if !keep { break 'c0 } let x1 = { let gated = &x0; __rt::Share::share(gated) }; cx.at(2); let x2 = __rt::call(x1, g);",
    );
    says(&text, "let x3 = __rt::call(x0, h);");
}

#[test]
fn a_shared_key_is_computed_once() {
    let text = expand(
        "source a: T = rows(d); let k = a.key_by(|r| r.x); let b = k.reduce(f, unbounded(\"few\")); let c = k.aggregate((max_by(g), count(), Own), emit at_end, unbounded(\"few\"));
         sink s(b, c) = stdout();",
    );
    assert_eq!(text.matches("IsKey").count(), 1);
    says(&text, "let at0 = o.0.key(&k, __rt::NO_TIME, cx);");
    says(
        &text,
        "let p = (({ let v = __rt::call(&x0, g); { let __gated: _ = v; __rt::CanCompare::checked(__gated) } }, \
         { let gated = { let __gated: _ = { let gated = &x0; __rt::Share::share(gated) }; __rt::CanStore::store(__gated) }; \
         __rt::GivenOut::checked(gated) }), (), \
         __rt::fits({ let __gated: _ = x0; __rt::CanStore::store(__gated) }, &how_c.2),);",
    );
    says(&text, "__rt::shared((__rt::MaxBy, __rt::Count, __rt::own(Own),))");
}

#[test]
fn a_job_with_mistakes_keeps_its_items() {
    let text = expand("param p: u8; source a: T = rows(d); let b: u8 = a.mpa(f); sink s(b) = collect();");
    for what in [
        "pub struct J",
        "pub p : u8",
        "pub struct JResults",
        "pub s : :: std :: vec :: Vec < u8 >",
        "fn main",
        "fn run_on",
        "fn plan",
    ] {
        says(&text, what);
    }
}

#[test]
fn the_same_block_gives_the_same_tokens() {
    let block = "source a: T = rows(d); let b = a.filter(f); let k = b.key_by(k); let c = k.reduce(f, unbounded(\"few\")); sink s(b, c) = stdout();";
    assert_eq!(expand(block), expand(block));
}

#[test]
fn raw_names() {
    let text = expand(
        "param r#type: u8; source r#in: T = rows(r#type); let r#mod = r#in.map(|x| x + r#type); sink s(r#mod) = stdout();",
    );
    says(&text, "let r#type = ::core::clone::Clone::clone(&self.r#type);");
    says(&text, "name: \"type\"");
}

#[test]
fn lints_of_a_job_are_lints_of_its_code() {
    let block =
        "(pelton) #[derive(Clone)] #[allow(dead_code)] job J<Memory> { source a: T = rows(d); sink s(a) = stdout(); }";
    let text = dense(&pipeline::expand(block.parse().unwrap()).to_string());
    says(&text, "#[derive(Clone)] #[allow(dead_code)] #[cfg_attr(doc, doc = ");
    says(&text, "#[allow(dead_code)] #[allow(clippy::unused_unit, clippy::too_many_arguments)] const _");
}
