//! Csv as a source: the rows of the `csv` crate, whatever the splits, readers and packing; and the errors.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod source_kit;

use pelton::error::Fault;
use pelton::source::{Csv, Emit, Reader, RowType, Source, csv};
use proptest::prelude::*;
use serde::Deserialize;
use source_kit::{Folder, Got, How, gzip, read, splits, zstd};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;

#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Owned {
    b: String,
    a: String,
}
impl RowType for Owned {
    type Row<'a> = Owned;
}

fn all<R, K>(make: impl Fn() -> Csv, how: How) -> Result<Got<K>, Fault>
where
    R: for<'a> RowType<Row<'a> = K>,
    K: for<'a> Deserialize<'a>,
{
    read::<R, _, _>(make, how, |row| row)
}

/// Reads a text as rows of one type.
fn rows<R>(text: &str) -> Result<Got<R>, Fault>
where
    R: for<'a> RowType<Row<'a> = R> + for<'a> Deserialize<'a>,
{
    rows_with::<R>(text, |csv| csv)
}

fn rows_with<R>(text: &str, with: impl Fn(Csv) -> Csv) -> Result<Got<R>, Fault>
where
    R: for<'a> RowType<Row<'a> = R> + for<'a> Deserialize<'a>,
{
    let folder = Folder::new();
    let path = folder.file("in.csv", text);
    all::<R, R>(|| with(csv(&path)), How::default())
}

/// The rows of a type that must all be good.
fn good<R>(text: &str) -> Vec<R>
where
    R: for<'a> RowType<Row<'a> = R> + for<'a> Deserialize<'a> + Debug,
{
    let got = rows::<R>(text).unwrap();
    assert!(got.bad.is_empty(), "{}", got.bad[0]);
    got.rows
}

/// What the `csv` crate makes of a text: rows, and at which lines it sees an error.
fn by_the_csv_crate(text: &str) -> (Vec<Owned>, usize) {
    let mut reader = csv_reader(text);
    let (mut rows, mut errors) = (Vec::new(), 0);
    for row in reader.deserialize::<Owned>() {
        match row {
            Ok(row) => rows.push(row),
            Err(_) => errors += 1,
        }
    }
    (rows, errors)
}

fn csv_reader(text: &str) -> ::csv::Reader<&[u8]> {
    ::csv::Reader::from_reader(text.as_bytes())
}

const CORPUS: [&str; 9] = [
    "a,b\n1,2\n3,4\n",
    "a,b\r\n1,\"two\r\nlines\"\r\n\"3\n\n\n\",4",
    "a,b\n\"x\"\"y\",\"\"\n\"\"\"\",\"\"\"\n\"\"\"\n",
    "a,b\nst\"ray,qu\"ot\"es\n\"closed\"and more,\"a\"\"b\"c\"d\n1,2\n",
    "a,b\n\n\n1,2\n\r\n\n3,4\n\n",
    "\u{feff}a,b\n\"1\n\",2\n",
    "\u{feff}\"a\",\"b\n\"\n1,2\n",
    "a,b\n1,\"never closed\n2,3\n",
    "b,a\n1,2,3\n4\n5,6\n\"x\",\"y\"\n",
];

#[test]
fn a_corpus_is_read_alike_cut_at_every_size() {
    let folder = Folder::new();
    for text in CORPUS {
        let path = folder.file("in.csv", text);
        let whole = match all::<Owned, Owned>(|| csv(&path), How::default()) {
            Ok(got) => got,
            Err(_) => {
                assert!(by_the_csv_crate(text).0.is_empty(), "{text:?}");
                continue;
            }
        };
        let (rows, errors) = by_the_csv_crate(text);
        assert_eq!((&whole.rows, whole.bad.len()), (&rows, errors), "{text:?}");
        for bytes in 1..text.len() + 1 {
            for (readers, budget) in [(1, 1), (2, 2), (3, 50)] {
                let got = all::<Owned, Owned>(|| csv(&path).split_bytes(bytes), How { readers, budget }).unwrap();
                assert_eq!(got.rows, rows, "{text:?} cut at {bytes}");
                let lines = |got: &Got<Owned>| got.bad.iter().map(|fault| fault.place.line).collect::<Vec<_>>();
                assert_eq!(lines(&got), lines(&whole), "{text:?} cut at {bytes}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_is_read_as_the_csv_crate_does(
        pieces in prop::collection::vec(
            prop::sample::select(vec!["x", "yz", ",", ",", ",", "\n", "\n", "\r\n", "\"", "\"\"", ",\"", "\",", "\"\n", "\r", "long text, \"\"", "ß"]),
            0..50,
        ),
        bytes in 1usize..64,
        readers in 1usize..4,
        budget in 1usize..9,
    ) {
        let text = format!("a,b\n{}", pieces.concat());
        let folder = Folder::new();
        let path = folder.file("in.csv", &text);
        let (rows, errors) = by_the_csv_crate(&text);
        let got = all::<Owned, Owned>(|| csv(&path).split_bytes(bytes), How { readers, budget }).unwrap();
        prop_assert_eq!((&got.rows, got.bad.len()), (&rows, errors), "{:?} cut at {}", text, bytes);
        for (name, packed) in [("in.gz", gzip(text.as_bytes())), ("in.zst", zstd(text.as_bytes()))] {
            let path = folder.file(name, packed);
            let got = all::<Owned, Owned>(|| csv(&path), How { readers, budget }).unwrap();
            prop_assert_eq!((&got.rows, got.bad.len()), (&rows, errors), "{:?} in {}", text, name);
        }
    }
}

#[test]
fn a_field_of_many_megabytes_is_one_field() {
    let folder = Folder::new();
    let long = "long, \"\"\n".repeat(1 << 20);
    let text = format!("a,b\n1,2\n\"{long}\",4\n5,6\n");
    for (name, bytes) in [("plain", text.clone().into_bytes()), ("gz", gzip(text.as_bytes()))] {
        let path = folder.file(name, bytes);
        let got = all::<Owned, Owned>(|| csv(&path), How { readers: 2, budget: 10 }).unwrap();
        assert_eq!(got.rows.len(), 3);
        assert!(got.rows[1].a == long.replace("\"\"", "\""), "{name}");
    }
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Side {
    Buy,
    Sell,
}
#[derive(Debug, Deserialize, PartialEq)]
struct Price(f64);
#[derive(Debug, Deserialize, PartialEq)]
struct Kinds {
    text: String,
    small: i8,
    big: u64,
    wide: i128,
    price: Price,
    yes: bool,
    letter: char,
    side: Side,
    maybe: Option<i32>,
    #[serde(rename = "Other Name")]
    renamed: u16,
    #[serde(default)]
    skipped: u8,
    #[serde(skip)]
    never: u8,
}
impl RowType for Kinds {
    type Row<'a> = Kinds;
}

#[test]
fn fields_are_read_by_their_types_whatever_the_order_of_the_columns() {
    let expected = |maybe| Kinds {
        text: "säx, y".into(),
        small: -7,
        big: u64::MAX,
        wide: -170_141_183_460_469_231_731_687_303_715_884_105_728,
        price: Price(2.5e-3),
        yes: true,
        letter: 'ß',
        side: Side::Sell,
        maybe,
        renamed: 9,
        skipped: 3,
        never: 0,
    };
    let columns = [
        ("unused", "x"),
        ("text", "\"säx, y\""),
        ("small", "-7"),
        ("big", "18446744073709551615"),
        ("wide", "-170141183460469231731687303715884105728"),
        ("price", "0.0025"),
        ("yes", "true"),
        ("letter", "ß"),
        ("side", "sell"),
        ("maybe", "12"),
        ("Other Name", "+9"),
        ("skipped", "3"),
    ];
    for turn in 0..columns.len() {
        let mut columns = columns;
        columns.rotate_left(turn);
        let line = |i: usize| columns.map(|c| if i == 0 { c.0 } else { c.1 }).join(",");
        let text = format!("{}\n{}\n{}\n", line(0), line(1), line(1).replace("12", ""));
        assert_eq!(good::<Kinds>(&text), [expected(Some(12)), expected(None)]);
    }
}

#[derive(Debug, Deserialize, PartialEq)]
struct Few {
    a: i32,
    b: Option<i32>,
    #[serde(default)]
    c: i32,
}
impl RowType for Few {
    type Row<'a> = Few;
}

#[test]
fn a_missing_column_is_fine_where_the_struct_does_without() {
    assert_eq!(good::<Few>("a\n1\n"), [Few { a: 1, b: None, c: 0 }]);
    assert_eq!(good::<Few>("c,a\n2,1\n"), [Few { a: 1, b: None, c: 2 }]);
}

#[test]
fn a_missing_column_ends_the_run_at_once_and_names_what_is_near() {
    // Also where there is no record yet, and where the first ones are bad.
    for records in ["", "1,2,3\n", "bad\n", "x,y,z\n"] {
        let fault = rows::<Few>(&format!("A ,b,c\n{records}")).unwrap_err().to_string();
        assert!(fault.contains("no column `a`") && fault.contains("in.csv"), "{fault}");
        assert!(fault.contains("`A `"), "{fault}");
    }
    let fault = rows::<Few>("a;b;c\n1;2;3\n").unwrap_err().to_string();
    assert!(fault.contains(".separator(b';')"), "{fault}");
    let fault = rows::<Few>("a,b,a\n1,2,3\n").unwrap_err().to_string();
    assert!(fault.contains("two columns for `a`"), "{fault}");
}

/// A type with a taste of its own: none of the sample texts is one.
#[derive(Debug, PartialEq)]
struct Even(u32);
impl<'de> Deserialize<'de> for Even {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(from)?;
        match text.strip_prefix("even:").and_then(|n| n.parse().ok()) {
            Some(n) if n % 2 == 0 => Ok(Even(n)),
            _ => Err(serde::de::Error::custom("not like `even:2`")),
        }
    }
}
#[derive(Debug, Deserialize, PartialEq)]
struct WithEven {
    even: Even,
    b: i32,
}
impl RowType for WithEven {
    type Row<'a> = WithEven;
}

#[test]
fn a_type_that_takes_no_sample_is_judged_by_the_records() {
    let got = rows::<WithEven>("b,even\n1,even:3\n2,even:4\n3,even:6\n").unwrap();
    assert_eq!(got.rows, [WithEven { even: Even(4), b: 2 }, WithEven { even: Even(6), b: 3 }]);
    let fault = got.bad[0].to_string();
    assert!(fault.contains("`even:3`: not like `even:2`") && fault.contains("line 2, column even"), "{fault}");
    let fault = rows::<WithEven>("x,even\n1,even:4\n").unwrap_err().to_string();
    assert!(fault.contains("no column `b`"), "{fault}");
}

#[derive(Debug, Deserialize, PartialEq)]
struct Aliased {
    #[serde(alias = "b")]
    a: String,
    c: String,
}
impl RowType for Aliased {
    type Row<'a> = Aliased;
}

#[test]
fn a_field_with_several_names_is_found_under_each() {
    let expected = [Aliased { a: "1".into(), c: "2".into() }];
    assert_eq!(good::<Aliased>("a,c\n1,2\n"), expected);
    assert_eq!(good::<Aliased>("c,b\n2,1\n"), expected);
    // With both there, no field may be taken for the next one.
    let fault = rows::<Aliased>("a,b,c\n1,x,2\n").unwrap_err().to_string();
    assert!(fault.contains("two columns for `a`"), "{fault}");
}

#[derive(Debug, Deserialize, PartialEq)]
struct Flat {
    a: i32,
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
}
impl RowType for Flat {
    type Row<'a> = Flat;
}
struct ByName;
impl RowType for ByName {
    type Row<'a> = BTreeMap<&'a str, &'a str>;
}
struct ByPlace;
impl RowType for ByPlace {
    type Row<'a> = (u32, &'a str, Option<f32>);
}
struct Single;
impl RowType for Single {
    type Row<'a> = u32;
}
#[derive(Debug, Deserialize, PartialEq)]
struct Place3(u32, String, Option<f32>);
impl RowType for Place3 {
    type Row<'a> = Place3;
}

#[test]
fn rows_may_be_maps_tuples_and_single_values() {
    let folder = Folder::new();
    let path = folder.file("in.csv", "a,b\n1,x\n");
    let got = all::<Flat, Flat>(|| csv(&path), How::default()).unwrap();
    assert_eq!(got.rows, [Flat { a: 1, rest: [("b".to_owned(), "x".to_owned())].into() }]);
    let got = read::<ByName, _, _>(|| csv(&path), How::default(), |row| format!("{row:?}")).unwrap();
    assert_eq!(got.rows, [r#"{"a": "1", "b": "x"}"#]);

    let path = folder.file("three.csv", "1,x,2.5\n2,\"y\"\"\",\n");
    let got = read::<ByPlace, _, _>(|| csv(&path).no_header(), How::default(), |row| format!("{row:?}")).unwrap();
    assert_eq!(got.rows, [r#"(1, "x", Some(2.5))"#, r#"(2, "y\"", None)"#]);
    let got = all::<Place3, Place3>(|| csv(&path).no_header(), How::default()).unwrap();
    assert_eq!(got.rows, [Place3(1, "x".into(), Some(2.5)), Place3(2, "y\"".into(), None)]);

    let path = folder.file("one.csv", "n\n1\n2\n");
    assert_eq!(all::<Single, u32>(|| csv(&path), How::default()).unwrap().rows, [1, 2]);
    let got = all::<Single, u32>(|| csv(folder.path().join("in.csv")), How::default()).unwrap();
    assert!(got.bad[0].what.contains("2 columns is read into a single value"), "{}", got.bad[0]);
}

#[test]
fn without_a_header_a_struct_is_read_by_position() {
    let read = |text| rows_with::<Few>(text, Csv::no_header).unwrap();
    let got = read("1,2,3\n4,,6\n");
    assert_eq!(got.rows, [Few { a: 1, b: Some(2), c: 3 }, Few { a: 4, b: None, c: 6 }]);
    let got = read("1,2,3,4\n");
    assert_eq!(got.rows, [Few { a: 1, b: Some(2), c: 3 }]);
    let got = read("1,2,3\n4,5\n");
    assert!(got.bad[0].to_string().contains("2 columns where the first record has 3"), "{}", got.bad[0]);
}

#[derive(Debug, Deserialize)]
struct Lent<'a> {
    plain: &'a str,
    #[serde(borrow)]
    cow: Cow<'a, str>,
    bytes: &'a [u8],
}
struct LentRow;
impl RowType for LentRow {
    type Row<'a> = Lent<'a>;
}

#[test]
fn text_is_lent_also_where_quotes_had_to_be_undone() {
    let folder = Folder::new();
    let path = folder.file("in.csv", "cow,bytes,plain\nx,y,z\n\"a\"\"b\",\"c\"\"\",\"\"\"d\"\n");
    let keep = |row: Lent<'_>| {
        assert!(matches!(row.cow, Cow::Borrowed(_)));
        (row.plain.to_owned(), row.cow.into_owned(), row.bytes.to_vec())
    };
    let got = read::<LentRow, _, _>(|| csv(&path), How::default(), keep).unwrap();
    let expected = [("z", "x", "y"), ("\"d", "a\"b", "c\"")];
    assert_eq!(got.rows, expected.map(|(p, c, b)| (p.to_owned(), c.to_owned(), b.as_bytes().to_vec())));
}

#[test]
fn separators_and_missing_values_are_as_they_were_set() {
    let got = rows_with::<Few>("a;b;c\n1;NA;3\n4;-;6\n", |csv| csv.separator(b';').na("NA").na("-")).unwrap();
    assert_eq!(got.rows, [Few { a: 1, b: None, c: 3 }, Few { a: 4, b: None, c: 6 }]);
    let fault = rows_with::<Few>("a\n", |csv| csv.separator(b'"')).unwrap_err();
    assert!(fault.what.contains("cannot separate"), "{fault}");
}

#[test]
fn a_bad_field_is_told_with_line_column_text_and_type() {
    let text = "a,b,c\n1,2,3\n\"4\n\",5,6\n7,8,\"x\"\n9,NA,1\n1,,\n";
    let got = rows::<Few>(text).unwrap();
    assert_eq!(got.rows, [Few { a: 1, b: Some(2), c: 3 }]);
    let told: Vec<String> = got.bad.iter().map(|fault| fault.to_string().lines().next().unwrap().to_owned()).collect();
    assert_eq!(
        told,
        [
            r"`4\n` is no whole number (i32)",
            "`x` is no whole number (i32)",
            "`NA` is no whole number (i32)",
            "an empty field is no whole number (i32)"
        ]
    );
    let places: Vec<_> = got.bad.iter().map(|f| (f.place.line.unwrap(), f.place.column.clone().unwrap())).collect();
    assert_eq!(places, [(3, "a".into()), (5, "c".into()), (6, "b".into()), (7, "c".into())]);
    assert!(got.bad[2].help.as_ref().unwrap().contains(r#".na("NA")"#));
}

#[test]
fn ragged_rows_and_broken_text_are_bad_records() {
    let folder = Folder::new();
    let path = folder.file("in.csv", b"a,b\n1\n1,2,3\n\xff,x\nx,\xff\nok,ok\n");
    let got = all::<Owned, Owned>(|| csv(&path), How::default()).unwrap();
    assert_eq!(got.rows, [Owned { a: "ok".into(), b: "ok".into() }]);
    let told: Vec<_> = got.bad.iter().map(|f| (f.place.line.unwrap(), f.what.clone())).collect();
    assert_eq!(told[0], (2, "1 column where the header has 2".to_owned()));
    assert_eq!(told[1], (3, "3 columns where the header has 2".to_owned()));
    assert!(told[2].0 == 4 && told[2].1.contains("UTF-8") && told[3].0 == 5, "{told:?}");
}

#[test]
fn an_enum_with_another_name_says_which_there_are() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Order {
        side: Side,
    }
    impl RowType for Order {
        type Row<'a> = Order;
    }
    let got = rows::<Order>("side\nbuy\nhold\n").unwrap();
    assert_eq!(got.rows, [Order { side: Side::Buy }]);
    assert_eq!(got.bad[0].what, "`hold` is none of `buy`, `sell`");
}

#[test]
fn a_nested_struct_is_told_as_what_a_field_cannot_hold() {
    #[derive(Debug, Deserialize)]
    struct Outer {
        inner: Few,
    }
    impl RowType for Outer {
        type Row<'a> = Outer;
    }
    let got = rows::<Outer>("inner\n1\n").unwrap();
    assert!(got.bad[0].what.contains("cannot hold a struct"), "{}", got.bad[0]);
    let _ = got.rows.iter().map(|outer| outer.inner.a).sum::<i32>();
}

#[test]
fn files_without_records_have_no_rows() {
    for text in ["", "\n\n", "a,b", "a,b\n", "\u{feff}", "\u{feff}a,b\r\n\r\n"] {
        assert_eq!(good::<Owned>(text), [], "{text:?}");
    }
}

#[test]
fn files_that_are_none_are_faults() {
    let folder = Folder::new();
    let fault = |path: &Path| all::<Owned, Owned>(|| csv(path), How::default()).unwrap_err().to_string();
    assert!(fault(&folder.path().join("none.csv")).contains("there is no such file"));
    assert!(fault(folder.path()).contains("a directory"));
    let none = all::<Owned, Owned>(|| csv(None::<&str>), How::default()).unwrap_err().to_string();
    assert!(none.contains("no file to read was given"), "{none}");
    let mut broken = gzip("a,b\n1,2\n".repeat(9999).as_bytes());
    let at = broken.len() - 8;
    broken[at] ^= 1;
    let broken = fault(&folder.file("broken.gz", broken));
    assert!(broken.contains("broken.gz") && broken.contains("checksum"), "{broken}");
}

struct PanicsAt(&'static str);
impl Emit<Owned> for PanicsAt {
    fn row(&mut self, row: Owned) {
        assert!(row.a != self.0);
    }
    fn bad(&mut self, _: &[u8], fault: Fault) -> Result<(), Fault> {
        Err(fault)
    }
}

#[test]
fn the_place_is_the_record_that_panicked_and_a_refused_bad_record_ends_the_reading() {
    let folder = Folder::new();
    let text: String =
        "a,b\n".chars().chain((2..9000).flat_map(|i| format!("{i},\"x\"\n").into_bytes()).map(char::from)).collect();
    for (name, bytes) in [("plain", text.clone().into_bytes()), ("gz", gzip(text.as_bytes()))] {
        let path = folder.file(name, bytes);
        let mut source = csv(&path).split_bytes(1 << 20);
        let split = splits::<Owned, _>(&mut source).remove(0);
        let mut reader = Source::<Owned>::reader(&mut source).unwrap();
        Reader::<Owned>::open(&mut reader, split, None).unwrap();
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while Reader::<Owned>::poll(&mut reader, 1000, &mut PanicsAt("7777")).is_ok() {}
        }));
        assert!(polled.is_err());
        assert_eq!(Reader::<Owned>::place(&reader).line, Some(7777), "{name}");
    }
    let path = folder.file("bad.csv", "a,b\n1,2\nbad\n3,4\n");
    let mut source = csv(&path);
    let split = splits::<Owned, _>(&mut source).remove(0);
    let mut reader = Source::<Owned>::reader(&mut source).unwrap();
    Reader::<Owned>::open(&mut reader, split, None).unwrap();
    let fault = Reader::<Owned>::poll(&mut reader, 1000, &mut PanicsAt("")).unwrap_err();
    assert_eq!(fault.place.line, Some(3));
}
