//! JSON lines as a source: the rows that `serde_json` makes of each line, whatever the splits, readers and packing; and the errors.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod source_kit;

use pelton::error::Fault;
use pelton::source::{Json, RowType, json};
use serde::{Deserialize, Serialize};
use source_kit::{Folder, Got, How, gzip, read, zstd};
use std::borrow::Cow;

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
struct Trade {
    symbol: String,
    legs: Vec<(u32, Option<f64>)>,
    #[serde(default)]
    note: Option<String>,
}
impl RowType for Trade {
    type Row<'a> = Trade;
}

fn all(make: impl Fn() -> Json, how: How) -> Result<Got<Trade>, Fault> {
    read::<Trade, _, _>(make, how, |row| row)
}

fn trades(n: u32) -> Vec<Trade> {
    let trade = |n: u32| Trade {
        symbol: format!("a \"{n}\",\n{{ß}}\\"),
        legs: (0..n % 4).map(|leg| (leg, (leg % 2 > 0).then_some(f64::from(n) / 8.0))).collect(),
        note: n.is_multiple_of(3).then(|| "n".repeat(n as usize % 50)),
    };
    (0..n).map(trade).collect()
}

#[test]
fn rows_do_not_depend_on_splits_readers_budgets_and_packing() {
    let folder = Folder::new();
    let expected = trades(40);
    let line = |(n, trade): (usize, &Trade)| {
        let end = ["\n", "\r\n", "\n\n", "\n  \r\n"][n % 4];
        serde_json::to_string(trade).unwrap() + end
    };
    let text: String = expected.iter().enumerate().map(line).collect();
    let text = format!("\u{feff}{}", text.trim_end());
    let path = folder.file("in.json", &text);
    for bytes in (1..text.len() + 2).step_by(7) {
        for (readers, budget) in [(1, 1), (2, 3), (3, 100)] {
            let got = all(|| json(&path).split_bytes(bytes), How { readers, budget }).unwrap();
            assert!(got.bad.is_empty(), "{}", got.bad[0]);
            assert_eq!(got.rows, expected, "cut at {bytes}");
        }
    }
    for (name, packed) in [("in.gz", gzip(text.as_bytes())), ("in.zst", zstd(text.as_bytes()))] {
        let path = folder.file(name, packed);
        assert_eq!(all(|| json(&path), How { readers: 2, budget: 9 }).unwrap().rows, expected, "{name}");
    }
    for nothing in ["", "\n", "\u{feff}", " \r\n\n"] {
        let path = folder.file("none", nothing);
        assert_eq!(all(|| json(&path), How::default()).unwrap().rows, []);
    }
}

#[test]
fn what_is_no_row_is_told_with_line_and_column() {
    let folder = Folder::new();
    let lines: [&[u8]; 8] = [
        br#"{"symbol":"a","legs":[]}"#,
        br#"{"symbol":"a"}"#,
        b"",
        br#"{"symbol":7,"legs":[]}"#,
        br#"{"symbol":"a","legs":["#,
        br#"{"symbol":"a","legs":[]} {}"#,
        b"{\"symbol\":\"\xff\",\"legs\":[]}",
        br#"{"symbol":"z","legs":[]}"#,
    ];
    let path = folder.file("in.json", lines.join(&b'\n'));
    for bytes in [1, 30, 60, 1 << 20] {
        let got = all(|| json(&path).split_bytes(bytes), How { readers: 2, budget: 2 }).unwrap();
        let symbols: Vec<&str> = got.rows.iter().map(|row| &*row.symbol).collect();
        assert_eq!(symbols, ["a", "z"]);
        let told: Vec<String> = got.bad.iter().map(|fault| fault.what.clone()).collect();
        assert_eq!(
            told,
            [
                "missing field `legs`",
                "invalid type: integer `7`, expected a string",
                "EOF while parsing a list",
                "trailing characters",
                "the line is not UTF-8 from its byte 12 on",
            ]
        );
        let places: Vec<(u64, Option<&str>)> =
            got.bad.iter().map(|fault| (fault.place.line.unwrap(), fault.place.column.as_deref())).collect();
        assert_eq!(places, [(2, Some("14")), (4, Some("11")), (5, Some("22")), (6, Some("26")), (7, None)]);
        assert!(got.bad[2].help.as_ref().unwrap().contains("one line"));
        assert!(got.bad[0].to_string().contains("in.json, line 2, column 14"), "{}", got.bad[0]);
    }
}

#[derive(Debug, Deserialize)]
struct Lent<'a> {
    plain: &'a str,
    #[serde(borrow)]
    cow: Cow<'a, str>,
}
struct LentRow;
impl RowType for LentRow {
    type Row<'a> = Lent<'a>;
}
struct Any;
impl RowType for Any {
    type Row<'a> = serde_json::Value;
}

#[test]
fn text_is_lent_and_rows_may_be_any_value() {
    let folder = Folder::new();
    let path = folder.file(
        "in.json",
        "{\"plain\":\"x\",\"cow\":\"y\"}\n{\"cow\":\"a\\nb\",\"plain\":\"z\"}\n{\"plain\":\"\\n\",\"cow\":\"\"}\n",
    );
    let keep = |row: Lent<'_>| (row.plain.to_owned(), matches!(row.cow, Cow::Borrowed(_)), row.cow.into_owned());
    let got = read::<LentRow, _, _>(|| json(&path), How::default(), keep).unwrap();
    assert_eq!(got.rows, [("x".to_owned(), true, "y".to_owned()), ("z".to_owned(), false, "a\nb".to_owned())]);
    assert!(got.bad[0].what.contains("expected a borrowed string"), "{}", got.bad[0]);
    let path = folder.file("any.json", "1\n[true,null]\n\"x\"\n");
    let got = read::<Any, _, _>(|| json(&path), How::default(), |row| row.to_string()).unwrap();
    assert_eq!(got.rows, ["1", "[true,null]", "\"x\""]);
}
