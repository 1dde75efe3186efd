//! Files made to be misread: quoted line ends at every place where a file can be cut, marks, odd line ends, ragged records, broken text, huge
//! fields, packed files in pieces and cut off. The right rows or the right error, the same at 1, 2 and 3 workers.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod source_kit;

use pelton::prelude::*;
use source_kit::{Folder, gzip, zstd};
use std::path::Path;

#[derive(Record, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    a: String,
    b: String,
}

stream! {
    job OfCsv<Memory> {
        param file: PathBuf;
        param split: usize;
        source lines: Line = csv(file).split_bytes(split), on_error divert;
        let bad: BadRecord = lines.errors;
        sink rows(lines) = collect();
        sink errors(bad) = collect();
    }
    job OfJson<Memory> {
        param file: PathBuf;
        param split: usize;
        source lines: Line = json(file).split_bytes(split), on_error divert;
        let bad: BadRecord = lines.errors;
        sink rows(lines) = collect();
        sink errors(bad) = collect();
    }
    job CsvLengths<Memory> {
        param file: PathBuf;
        source lines: Line = csv(file);
        let rows: (usize, String) = lines.map(|l| (l.a.len(), l.b));
        sink out(rows) = collect();
    }
    job JsonLengths<Memory> {
        param file: PathBuf;
        source lines: Line = json(file);
        let rows: (usize, String) = lines.map(|l| (l.a.len(), l.b));
        sink out(rows) = collect();
    }
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Csv,
    Json,
}

/// Rows and errors (position, reason) in order of their text.
type Read = (Vec<Line>, Vec<(String, String)>);

fn run(form: Form, file: &Path, split: usize, workers: usize) -> Result<Read, String> {
    let config = Config::default().workers(workers);
    let file = file.to_owned();
    let read = match form {
        Form::Csv => OfCsv { file, split }.run(config).map(|results| (results.rows, results.errors)),
        Form::Json => OfJson { file, split }.run(config).map(|results| (results.rows, results.errors)),
    };
    let (mut rows, errors) = read.map_err(|e| e.to_string())?;
    let mut errors: Vec<(String, String)> = errors
        .into_iter()
        .map(|e| (e.position.rsplit_once('/').map(|(_, at)| at.to_owned()).unwrap(), e.reason))
        .collect();
    rows.sort();
    errors.sort();
    Ok((rows, errors))
}

/// Reads a file at 1, 2 and 3 workers, cut in several ways: always the same.
#[track_caller]
fn alike(form: Form, file: &Path, splits: &[usize]) -> Result<Read, String> {
    let first = run(form, file, 1 << 20, 1);
    for workers in [1, 2, 3] {
        for split in splits {
            assert_eq!(run(form, file, *split, workers), first, "{form:?}, cut at {split}, {workers} workers");
        }
    }
    first
}

fn line(a: &str, b: &str) -> Line {
    Line { a: a.to_owned(), b: b.to_owned() }
}

fn error(position: &str, reason: &str) -> (String, String) {
    (position.to_owned(), reason.to_owned())
}

#[test]
fn quoted_line_ends_at_every_place_where_a_file_can_be_cut() {
    let folder = Folder::new();
    // A record of each length, so that the end inside the quotes wanders over every place of a cut.
    let expected: Vec<Line> = (0..20).map(|n| line(&format!("{}\n\"{n}\",\r\n", "x".repeat(n)), "y\n")).collect();
    let text: String = expected.iter().map(|l| format!("\"{}\",\"{}\"\n", l.a.replace('"', "\"\""), l.b)).collect();
    let file = folder.file("in.csv", format!("a,b\n{text}"));
    let mut sorted = expected;
    sorted.sort();
    let splits: Vec<usize> = (1..70).collect();
    assert_eq!(alike(Form::Csv, &file, &splits), Ok((sorted, vec![])));
}

#[test]
fn marks_and_line_ends() {
    let folder = Folder::new();
    let rows = vec![line("1", "2"), line("3", "4")];
    for text in [
        "a,b\n1,2\n3,4\n",
        "a,b\r\n1,2\r\n3,4",
        "a,b\r1,2\r3,4\r",
        "\u{feff}a,b\n1,2\r\n3,4\n\n\n",
        "\u{feff}\"a\",b\r\n\r\n1,2\n3,4",
    ] {
        let file = folder.file("in.csv", text);
        assert_eq!(alike(Form::Csv, &file, &[1, 2, 3, 5, 8]), Ok((rows.clone(), vec![])), "{text:?}");
    }
    let (one, two) = ("{\"a\":\"1\",\"b\":\"2\"}", "{\"b\":\"4\",\"a\":\"3\"}");
    for text in
        [format!("{one}\n{two}"), format!("\u{feff}{one}\r\n\r\n{two}\r\n"), format!("\n  \n{one}  \n\t{two}\n\n")]
    {
        let file = folder.file("in.json", &text);
        assert_eq!(alike(Form::Json, &file, &[1, 2, 3, 5, 8]), Ok((rows.clone(), vec![])), "{text:?}");
    }
}

#[test]
fn records_that_are_no_rows_are_told_and_the_others_are_read() {
    let folder = Folder::new();
    let file = folder.file("in.csv", b"a,b\n1,2\n3\n4,5,6\n\"q\nq\",\xff\n\"open\",7\n8,\"\xc3\x9f\"\n");
    let rows = vec![line("1", "2"), line("8", "ß"), line("open", "7")];
    let errors = vec![
        error("in.csv, line 3", "1 column where the header has 2"),
        error("in.csv, line 4", "3 columns where the header has 2"),
        error("in.csv, line 6, column b", "`\u{fffd}` is no text in UTF-8"),
    ];
    assert_eq!(alike(Form::Csv, &file, &[1, 4, 9, 13]), Ok((rows, errors)));
    let file = folder.file("in.json", b"{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"1\"}\n{\"a\":\"\xff\",\"b\":\"\"}\n{\"a\":\"8\",\"b\":\"\xc3\x9f\"}\n[1\n");
    let errors = vec![
        error("in.json, line 2, column 9", "missing field `b`"),
        error("in.json, line 3", "the line is not UTF-8 from its byte 7 on"),
        error("in.json, line 5, column 2", "invalid type: integer `1`, expected a string"),
    ];
    assert_eq!(alike(Form::Json, &file, &[1, 4, 9, 30]), Ok((vec![line("1", "2"), line("8", "ß")], errors)));
}

#[test]
fn a_quote_that_is_never_closed_takes_the_rest() {
    let folder = Folder::new();
    let file = folder.file("in.csv", format!("a,b\n1,2\n3,\"{}", "x,y\n".repeat(50)));
    assert_eq!(alike(Form::Csv, &file, &[1, 7, 40]).unwrap().0, [line("1", "2"), line("3", &"x,y\n".repeat(50))]);
}

#[test]
fn files_without_rows() {
    let folder = Folder::new();
    for text in ["", "\n", "\r\n\r\n", "\u{feff}", "a,b", "a,b\n", "a,b\n\n"] {
        let file = folder.file("in.csv", text);
        assert_eq!(alike(Form::Csv, &file, &[1, 2, 3]), Ok((vec![], vec![])), "{text:?}");
    }
    for packed in [gzip(b""), zstd(b""), gzip(b"a,b\n")] {
        let file = folder.file("in.csv", packed);
        assert_eq!(alike(Form::Csv, &file, &[1]), Ok((vec![], vec![])));
    }
    for text in
        [&b""[..], b"\n", b"\r\n \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n", &gzip(b""), &zstd(b""), &gzip(b"\n\n")]
    {
        let file = folder.file("in.json", text);
        assert_eq!(alike(Form::Json, &file, &[1, 2, 3]), Ok((vec![], vec![])), "{text:?}");
    }
}

#[test]
fn values_with_line_ends_in_them_at_every_place_where_a_file_can_be_cut() {
    let folder = Folder::new();
    // In JSON they are written `\n`: each line is a value, whatever is in it.
    let expected: Vec<Line> = (0..20).map(|n| line(&format!("{}\n\"{n}\",\r\n", "x".repeat(n)), "{\n}")).collect();
    let text: String = expected.iter().map(|l| serde_json::to_string(l).unwrap() + "\r\n").collect();
    let file = folder.file("in.json", text);
    let mut sorted = expected;
    sorted.sort();
    let splits: Vec<usize> = (1..70).collect();
    assert_eq!(alike(Form::Json, &file, &splits), Ok((sorted, vec![])));
}

#[test]
fn a_field_that_is_there_twice_is_no_row() {
    let folder = Folder::new();
    let file = folder.file(
        "in.json",
        "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\",\"a\":\"4\",\"b\":\"5\"}\n{\"x\":0,\"x\":1,\"a\":\"6\",\"b\":\"7\"}\n",
    );
    let (rows, errors) = alike(Form::Json, &file, &[1, 4, 9, 30]).unwrap();
    // One that nobody asks for may be there twice, as a column may.
    assert_eq!(rows, [line("1", "2"), line("6", "7")]);
    let [(position, reason)] = &errors[..] else { panic!("{errors:?}") };
    assert!(position.starts_with("in.json, line 2, column") && reason == "duplicate field `a`", "{errors:?}");
}

#[test]
fn headers_that_do_not_fit() {
    let folder = Folder::new();
    for (header, told) in [
        ("a,b,a", "the header has two columns for `a`"),
        ("a,c", "no column `b`"),
        ("a;b", "`.separator(b';')`"),
        ("a,\u{fffd}b", "no column `b`"),
    ] {
        let file = folder.file("in.csv", format!("{header}\n1,2,3\n"));
        let fault = alike(Form::Csv, &file, &[1, 5]).unwrap_err();
        assert!(fault.contains(told) && fault.contains("in.csv, line 1"), "{fault}");
    }
    // A column that nobody asks for may be there twice.
    let file = folder.file("in.csv", "x,a,x,b\n0,1,0,2\n");
    assert_eq!(alike(Form::Csv, &file, &[1]).unwrap().0, [line("1", "2")]);
}

#[test]
fn a_field_of_64_mib() {
    const BYTES: usize = 64 << 20;
    let folder = Folder::new();
    let mut text = b"a,b\n1,first\n\"".to_vec();
    text.resize(text.len() + BYTES, b'\n');
    text.extend(b"\",big\n2,last\n");
    let plain = folder.file("in.csv", &text);
    let packed = folder.file("in.csv.gz", gzip(&text));
    drop(text);
    let mut value = b"{\"a\":\"1\",\"b\":\"first\"}\n{\"b\":\"big\",\"a\":\"".to_vec();
    value.resize(value.len() + BYTES, b'x');
    value.extend(b"\"}\n");
    let json = folder.file("in.json", value);
    for (file, workers) in [(&plain, 1), (&plain, 2), (&plain, 3), (&packed, 2)] {
        let job = CsvLengths { file: file.clone() };
        let mut out = job.run(Config::default().workers(workers)).unwrap().out;
        out.sort();
        let expected = [(1, "first".to_owned()), (1, "last".to_owned()), (BYTES, "big".to_owned())];
        assert_eq!(out, expected, "{} at {workers}", file.display());
    }
    for workers in [1, 2, 3] {
        let mut out = JsonLengths { file: json.clone() }.run(Config::default().workers(workers)).unwrap().out;
        out.sort();
        assert_eq!(out, [(1, "first".to_owned()), (BYTES, "big".to_owned())], "at {workers}");
    }
}

#[test]
fn packed_files_in_pieces_are_one_text_and_what_is_cut_off_is_told() {
    let folder = Folder::new();
    let text: String = (0..3000).map(|n| format!("{n},\"x\n{}\"\n", n * 7919 % 1009)).collect();
    let text = format!("a,b\n{text}");
    let mut expected: Vec<Line> = (0..3000).map(|n| line(&n.to_string(), &format!("x\n{}", n * 7919 % 1009))).collect();
    expected.sort();
    let pack: [(&str, &str, fn(&[u8]) -> Vec<u8>); 2] = [("gz", "gzip", gzip), ("zst", "zstd", zstd)];
    for (name, tool, pack) in pack {
        // In the middle of a record, of a quoted field, and nothing at all in one of them.
        for cuts in [vec![text.len() / 2], vec![5, 5, 17, 1000], vec![4]] {
            let mut ends = cuts.clone();
            ends.push(text.len());
            let mut start = 0;
            let mut packed = Vec::new();
            for end in ends {
                packed.extend(pack(&text.as_bytes()[start..end]));
                start = end;
            }
            let file = folder.file(&format!("in.{name}"), &packed);
            assert_eq!(alike(Form::Csv, &file, &[1 << 20]), Ok((expected.clone(), vec![])), "{name} in {cuts:?}");
        }
        let values: String = expected.iter().map(|l| serde_json::to_string(l).unwrap() + "\n").collect();
        let mut file_of_values = pack(&values.as_bytes()[..1000]);
        file_of_values.extend(pack(&values.as_bytes()[1000..]));
        let file = folder.file(&format!("in.json.{name}"), &file_of_values);
        assert_eq!(alike(Form::Json, &file, &[1 << 20]), Ok((expected.clone(), vec![])), "{name}");
        let file = folder.file(&format!("cut.json.{name}"), &file_of_values[..file_of_values.len() - 1]);
        let fault = alike(Form::Json, &file, &[1 << 20]).unwrap_err();
        assert!(fault.contains(&format!("the {tool} file is cut off or damaged at its end")), "{fault}");
        let whole = pack(text.as_bytes());
        let two = [&whole[..], &whole].concat();
        for cut in [whole.len() / 3, whole.len() - 1, whole.len() + whole.len() / 2] {
            let file = folder.file(&format!("cut.{name}"), &two[..cut]);
            let fault = alike(Form::Csv, &file, &[1 << 20]).unwrap_err();
            assert!(fault.contains(&format!("the {tool} file is cut off or damaged at its end")), "{fault}");
            assert!(fault.contains(&format!("cut.{name}")) && fault.contains("source `lines`"), "{fault}");
        }
        let damaged: Vec<u8> = whole
            .iter()
            .enumerate()
            .map(|(at, byte)| if at == whole.len() / 2 { byte ^ 0x55 } else { *byte })
            .collect();
        let file = folder.file(&format!("damaged.{name}"), damaged);
        // The place of the damage decides what is noticed: bytes that are none, or a checksum that does not match.
        let fault = alike(Form::Csv, &file, &[1 << 20]).unwrap_err();
        assert!(fault.contains(&format!("the {tool} file is")), "{fault}");
    }
}
