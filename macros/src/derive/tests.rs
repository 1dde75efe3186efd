//! What the derives say about types that can be no record. What they write for good types is tested where it runs, in
//! the runtime's `tests/record_*.rs`.

use proc_macro2::{TokenStream, TokenTree};

/// The texts of all `compile_error!` in the output.
fn errors(output: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    let mut after_word = false;
    for tree in output {
        match tree {
            TokenTree::Ident(word) => after_word = word == "compile_error",
            TokenTree::Group(group) if after_word => {
                let text: syn::LitStr = syn::parse2(group.stream()).unwrap();
                found.push(text.value());
                after_word = false;
            }
            _ => {}
        }
    }
    found
}

#[track_caller]
fn check(input: &str, expected: &[&str]) {
    let output = super::record(input.parse().unwrap());
    assert_eq!(errors(output.clone()), expected);
    assert!(
        output.to_string().contains("Record for") != input.contains("union"),
        "what is wrong still counts as a record, so that nobody else complains: {output}"
    );
}

#[test]
fn a_good_type_gives_no_error() {
    check("struct A { a: u8, #[was(c, d)] b: Vec<String> }", &[]);
    check("enum A<'a, T> { #[was(Old)] B, C(Cow<'a, T>), D { e: Serde<A<'a, T>> } }", &[]);
    check("#[record(scalar, crate = other::pelton)] struct A;", &[]);
}

#[test]
fn references_are_refused_where_they_stand_and_all_at_once() {
    check(
        "struct A<'a> { a: &'a str, b: Option<(u8, &'a [u16])>, c: [&'static Leg; 2] }",
        &[
            "a record cannot hold a reference: nothing could own it when it is read back; write `Cow<'a, str>`",
            "a record cannot hold a reference: nothing could own it when it is read back; write `Cow<'a, [u16]>`",
            "a record cannot hold a reference: nothing could own it when it is read back; hold the value: `Leg`",
        ],
    );
}

#[test]
fn a_type_that_contains_itself_is_refused() {
    let error = "`A` contains itself: its schema would have no end; keep the parts in a `Vec` and refer to them by index, or \
                 carry it as `Serde<A>`";
    check("struct A { next: Option<Box<A>> }", &[error]);
    check("enum A { Leaf, Two(Vec<Self>, Box<A>) }", &[error, error]);
    check("struct A { other: other::A }", &[]);
}

#[test]
fn what_has_no_values_or_no_shape_is_refused() {
    check("enum A {}", &["`A` has no variants, so there is no value to keep or send"]);
    check("union A { a: u8 }", &["a union cannot be kept or sent; make it an enum"]);
}

#[test]
fn attributes_are_read_strictly() {
    let old_name = "an old name is an identifier; write `#[was(old_name)]`";
    check("struct A { #[was(\"b\")] a: u8 }", &[old_name]);
    check("struct A { #[was = b] a: u8 }", &[old_name]);
    check("struct A { #[was] a: u8 }", &[old_name]);
    check("struct A { #[was()] a: u8 }", &["no old name; write `#[was(old_name)]`"]);
    check("#[was(B)] struct A;", &["`was` names an old field or variant; a type keeps its name in stored data"]);
    check(
        "#[record(flat)] struct A { #[record(scalar)] a: u8 }",
        &[
            "unknown option; there are `scalar` and `crate = path`",
            "`record` belongs on the type; a field or variant takes `#[was(old_name)]`",
        ],
    );
}

#[test]
fn an_old_name_leads_to_one_place() {
    let twice = "is the name of another one here, or twice an old one";
    check("struct A { #[was(b)] a: u8, b: u8 }", &[&format!("`b` {twice}")]);
    check("struct A { #[was(c)] a: u8, #[was(c)] b: u8 }", &[&format!("`c` {twice}")]);
    check("enum A { #[was(C)] B, #[was(D)] C }", &[&format!("`C` {twice}")]);
}

#[test]
fn a_key_leaves_what_a_record_says_to_the_record() {
    let key = |input: &str| errors(super::key(input.parse().unwrap()));
    assert_eq!(key("struct A<'a> { a: &'a str, b: Box<A<'a>> }"), [""; 0]);
    assert_eq!(key("union A { a: u8 }"), ["a union cannot be kept or sent; make it an enum"]);
}
