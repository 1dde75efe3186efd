//! Files with a record that is no row, where the run is to end at it: the same error (text, file, line, column) at 1, 2 and 3 workers, however the file is cut. Of
//! several bad records another may be met first by several workers: then it is one of them.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod source_kit;

use pelton::prelude::*;
use source_kit::{Folder, gzip, zstd};
use std::path::Path;

#[derive(Record, Deserialize, Clone, Debug)]
struct Line {
    a: String,
    b: u32,
}

stream! {
    job OfCsv<Memory> {
        param file: PathBuf;
        param split: usize;
        source lines: Line = csv(file).split_bytes(split), on_error fail;
        let rows: (String, u32) = lines.map(|l| (l.a, l.b));
        sink out(rows) = collect();
    }
    job OfJson<Memory> {
        param file: PathBuf;
        param split: usize;
        source lines: Line = json(file).split_bytes(split), on_error fail;
        let rows: (String, u32) = lines.map(|l| (l.a, l.b));
        sink out(rows) = collect();
    }
    job OfLines<Memory> {
        param file: PathBuf;
        param split: usize;
        source texts: &str = lines(file).split_bytes(split), on_error fail;
        let rows: usize = texts.map(|line| line.len());
        sink out(rows) = collect();
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Csv,
    Json,
    Lines,
}

/// A bad record: what is said, and the column.
type Bad = (&'static [u8], &'static str, Option<&'static str>);

/// The error of a run.
#[derive(Debug, PartialEq)]
struct Told {
    what: String,
    line: Option<u64>,
    column: Option<String>,
}

/// How a run fails.
fn fails(form: Form, file: &Path, split: usize, workers: usize) -> Told {
    let (config, path) = (Config::default().workers(workers), file.to_owned());
    let error = match form {
        Form::Csv => OfCsv { file: path, split }.run(config).map(drop),
        Form::Json => OfJson { file: path, split }.run(config).map(drop),
        Form::Lines => OfLines { file: path, split }.run(config).map(drop),
    };
    let at = format!("{form:?}, {}, cut at {split}, {workers} workers", file.display());
    let error = error.err().unwrap_or_else(|| panic!("{at}: it does not fail"));
    let text = error.to_string();
    let pelton::Error::Source { name, fault } = error else { panic!("{at}: {text}") };
    assert_eq!(name, if form == Form::Lines { "texts" } else { "lines" }, "{at}");
    assert_eq!(fault.place.file.as_deref(), Some(file), "{at}");
    let help = fault.help.unwrap_or_else(|| panic!("{at}: {text}"));
    assert!(text.ends_with(&format!("\n  help: {help}")), "{at}: {text}");
    let what = fault.cause.map_or(fault.what.clone(), |cause| format!("{}: {cause}", fault.what));
    Told { what, line: fault.place.line, column: fault.place.column }
}

fn good(form: Form, n: usize) -> Vec<u8> {
    match form {
        // Line ends within quotes, and of two kinds: two lines each.
        Form::Csv if n % 7 == 3 => format!("\"x\n{n}\",{n}\r\n").into_bytes(),
        Form::Csv => format!("{n},{n}\n").into_bytes(),
        Form::Json => format!("{{\"a\":\"x\\n{n}\",\"b\":{n}}}\n").into_bytes(),
        Form::Lines => format!("line {n}\r\n").into_bytes(),
    }
}

/// A file of so many good records, with bad ones in front of these; and the line on which each of them stands.
fn file_of(form: Form, records: usize, bad: &[(usize, &[u8])]) -> (Vec<u8>, Vec<u64>) {
    let mut text = if form == Form::Csv { b"\xef\xbb\xbfa,b\r\n".to_vec() } else { vec![] };
    let mut lines = vec![];
    for n in 0..=records {
        for (_, record) in bad.iter().filter(|(before, _)| *before == n) {
            lines.push(1 + text.iter().filter(|byte| **byte == b'\n').count() as u64);
            text.extend_from_slice(record);
            text.push(b'\n');
        }
        if n < records {
            text.extend(good(form, n));
        }
    }
    (text, lines)
}

const CSV: &[Bad] = &[
    (b"3", "1 column where the header has 2", None),
    (b"4,5,6", "3 columns where the header has 2", None),
    (b"x,soon", "`soon` is no whole number (u32)", Some("b")),
    (b"x,-1", "`-1` is no whole number (u32)", Some("b")),
    (b"x,4294967296", "`4294967296` is no whole number (u32)", Some("b")),
    (b"x,", "an empty field is no whole number (u32)", Some("b")),
    (b"\xff,1", "is no text in UTF-8", Some("a")),
];

const JSON: &[Bad] = &[
    (b"{\"a\":\"1\"}", "missing field `b`", Some("9")),
    (b"{\"a\":\"1\",\"b\":\"2\"}", "invalid type: string \"2\", expected u32", Some("16")),
    (b"{\"a\":\"1\",\"b\":-2}", "invalid value: integer `-2`, expected u32", Some("15")),
    (b"{\"a\":\"1\",\"a\":\"2\",\"b\":1}", "duplicate field `a`", Some("12")),
    (b"{\"a\":\"1\",\"b\":2", "EOF while parsing an object", Some("14")),
    (b"{\"a\":\"1\",\"b\":2} 3", "trailing characters", Some("17")),
    (b"{\"a\":\"\xff\",\"b\":2}", "the line is not UTF-8 from its byte 7 on", None),
    (b"no JSON", "expected ident", Some("2")),
];

const LINES: &[Bad] = &[
    (b"\xff", "the line is not UTF-8 from its byte 1 on", None),
    (b"ab\xc3", "the line is not UTF-8 from its byte 3 on", None),
];

fn is_told(told: &Told, bad: &Bad, line: u64) -> bool {
    let (_, what, column) = bad;
    told.what.contains(what) && told.line == Some(line) && told.column.as_deref() == *column
}

#[test]
fn one_bad_record_is_the_same_error_at_each_width() {
    let folder = Folder::new();
    for (form, all) in [(Form::Csv, CSV), (Form::Json, JSON), (Form::Lines, LINES)] {
        for bad in all {
            // At the start, in the middle, and at the end.
            for before in [0, 20, 40] {
                let (text, lines) = file_of(form, 40, &[(before, bad.0)]);
                let plain = folder.file("in.txt", &text);
                let first = fails(form, &plain, 1 << 20, 1);
                assert!(is_told(&first, bad, lines[0]), "{form:?}, before {before}: {bad:?} at {lines:?}\n{first:?}");
                for (workers, split) in [(1, 1), (1, 77), (2, 1), (2, 77), (3, 1), (3, 77)] {
                    let told = fails(form, &plain, split, workers);
                    assert_eq!(told, first, "{form:?}, cut at {split}, {workers} workers");
                }
                // What is packed is read by one worker, wherever the record stands.
                for (name, packed) in [("in.gz", gzip(&text)), ("in.zst", zstd(&text))] {
                    let packed = folder.file(name, packed);
                    for workers in [1, 2, 3].into_iter().filter(|_| before == 20) {
                        assert_eq!(fails(form, &packed, 1, workers), first, "{form:?}, {name}, {workers} workers");
                    }
                }
            }
        }
    }
}

#[test]
fn of_several_bad_records_one_is_told() {
    let folder = Folder::new();
    for (form, all) in [(Form::Csv, CSV), (Form::Json, JSON), (Form::Lines, LINES)] {
        let placed: Vec<(usize, &[u8])> = all.iter().enumerate().map(|(n, bad)| (n * 9 + 1, bad.0)).collect();
        let (text, lines) = file_of(form, 80, &placed);
        let plain = folder.file("in.txt", &text);
        for workers in [1, 2, 3] {
            for split in [1, 30, 77, 1 << 20] {
                let told = fails(form, &plain, split, workers);
                let met = all.iter().zip(&lines).position(|(bad, line)| is_told(&told, bad, *line));
                let at = format!("{form:?}, cut at {split}, {workers} workers");
                let met = met.unwrap_or_else(|| panic!("{at}: {told:?} is none of {all:?} at {lines:?}"));
                // Whoever reads alone meets the first one first.
                assert!(met == 0 || workers > 1 && split < text.len(), "{at}: the bad record {met}");
            }
        }
    }
}
