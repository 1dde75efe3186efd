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
                found.push(text.value().replace("\n\nhelp: ", "; "));
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
    check("enum A {}", &["`A` has no variants; write one: without there is no value to keep or send"]);
    check("union A { a: u8 }", &["a union cannot be kept or sent; make it an enum"]);
}

#[test]
fn attributes_are_read_strictly() {
    let old_name = "an old name is an identifier; write `#[was(old_name)]`";
    check("struct A { #[was(\"b\")] a: u8 }", &[old_name]);
    check("struct A { #[was = b] a: u8 }", &[old_name]);
    check("struct A { #[was] a: u8 }", &[old_name]);
    check("struct A { #[was()] a: u8 }", &["`was` names nothing; write `#[was(old_name)]`"]);
    check("#[was(B)] struct A;", &[]);
    check(
        "#[record(flat)] struct A { #[record(scalar)] a: u8 }",
        &[
            "`record` has no option `flat`; the options of `record` are `scalar`, `migrate = function` and `crate = path`",
            "`record` belongs on the type; move it there; a field or variant takes `#[was(old_name)]`",
        ],
    );
}

#[test]
fn what_a_type_was_is_read_strictly() {
    check("#[dropped(a, 1, r#type)] #[record(migrate = a::b, migrate = c)] struct A { #[added] b: u8 }", &[]);
    check("enum A { #[dropped(a)] B { #[added(vec![1, 2])] b: Vec<u8> }, #[default] C }", &[]);
    let named = "what is dropped is named; write `#[dropped(old_name)]`";
    check("#[dropped] struct A;", &[named]);
    check("#[dropped(\"a\")] struct A;", &[named]);
    check("#[dropped()] struct A;", &["`dropped` names nothing; write `#[dropped(old_name)]`"]);
    check(
        "#[dropped(a)] struct A { a: u8 }",
        &["`a` is said to be dropped, and it is there; take it out of `#[dropped(..)]`"],
    );
    check(
        "enum A { #[dropped(0)] B(u8) }",
        &["`0` is said to be dropped, and it is there; take it out of `#[dropped(..)]`"],
    );
    check(
        "struct A { #[dropped(b)] a: u8 }",
        &["`dropped` stands on a field; write it on the type or variant that the field is gone from"],
    );
    let value = "`added` has no value; write `#[added]` for the type's default, or a value: `#[added(5)]`";
    check("struct A { #[added = 5] a: u8 }", &[value]);
    check("struct A { #[added()] a: u8 }", &[value]);
    check(
        "struct A { #[added] #[added(5)] a: u8 }",
        &["`added` is said twice; say it once: a field has one value where none was stored"],
    );
    check("#[added] struct A;", &["`added` stands on a type; write it on the field that was not stored before"]);
    check("enum A { #[added] B }", &["`added` belongs on a field; remove it: a new variant needs no word"]);
}

#[test]
fn an_old_name_leads_to_one_place() {
    let twice = "is the name of another one here, or twice an old one; remove it from one `#[was(..)]`";
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
