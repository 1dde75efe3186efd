//! Text lines: the same rows however the file is cut, packed and polled.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod source_kit;

use pelton::error::Fault;
use pelton::source::{Emit, Lines, Reader, RowType, Source, lines};
use source_kit::{Folder, Got, How, gzip, read, splits, zstd};
use std::path::Path;

struct Text;
impl RowType for Text {
    type Row<'a> = &'a str;
}

fn all(make: impl Fn() -> Lines, how: How) -> Result<Got<String>, Fault> {
    read::<Text, _, _>(make, how, str::to_owned)
}

fn plainly(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

const TEXT: &str = "one\ntwo\r\n\n  three \r\n\r\nsäx\n漢字\rno end\n\nlast";

#[test]
fn lines_do_not_depend_on_splits_readers_and_budgets() {
    let folder = Folder::new();
    for text in [TEXT, &format!("{TEXT}\n"), "", "\n", "\r\n", "x"] {
        let path = folder.file("text", text);
        for bytes in 1..text.len() + 2 {
            for (readers, budget) in [(1, 1), (2, 3), (3, 100)] {
                let got = all(|| lines(&path).split_bytes(bytes), How { readers, budget }).unwrap();
                assert_eq!(got.rows, plainly(text), "splits of {bytes} bytes");
            }
        }
    }
}

#[test]
fn a_packed_file_gives_the_same_lines() {
    let folder = Folder::new();
    let text: String = (0..100_000).map(|i| format!("line {i} {}\n", "x".repeat(i % 90))).collect();
    for (name, packed) in [("gz", gzip(text.as_bytes())), ("zst", zstd(text.as_bytes()))] {
        let path = folder.file(name, packed);
        let got = all(|| lines(&path), How { readers: 2, budget: 1000 }).unwrap();
        assert_eq!(got.splits, 1);
        assert!(got.rows == plainly(&text), "{name}");
    }
}

#[test]
fn a_file_of_some_size_is_cut_by_itself() {
    let folder = Folder::new();
    let path = folder.file("text", "some line of text\n".repeat(5000));
    assert!(splits::<Text, _>(&mut lines(&path)).len() >= 4);
    let got = all(|| lines(&path), How { readers: 3, budget: 64 }).unwrap();
    assert_eq!(got.rows.len(), 5000);
}

#[test]
fn a_line_of_many_megabytes_is_one_row() {
    let folder = Folder::new();
    let text = format!("a\n{}\nb\n", "ß".repeat(2 << 20));
    for (name, bytes) in [("plain", text.clone().into_bytes()), ("gz", gzip(text.as_bytes()))] {
        let path = folder.file(name, bytes);
        let got = all(|| lines(&path), How { readers: 2, budget: 10 }).unwrap();
        assert!(got.rows == plainly(&text), "{name}");
    }
}

#[test]
fn a_byte_order_mark_is_no_text() {
    let folder = Folder::new();
    let path = folder.file("text", "\u{feff}one\n\u{feff}two\n");
    for bytes in 1..12 {
        assert_eq!(all(|| lines(&path).split_bytes(bytes), How::default()).unwrap().rows, ["one", "\u{feff}two"]);
    }
}

#[test]
fn a_line_that_is_no_text_is_a_bad_record_with_its_line() {
    let folder = Folder::new();
    let mut text = "good\n".repeat(2000).into_bytes();
    text.splice(5 * 700..5 * 700 + 2, *b"\xff\xfe");
    text.splice(5 * 1500 + 3..5 * 1500 + 4, *b"\xc3");
    for (name, bytes) in [("plain", text.clone()), ("gz", gzip(&text))] {
        let path = folder.file(name, bytes);
        for split in [100, 3333, 1 << 20] {
            let got = all(|| lines(&path).split_bytes(split), How { readers: 2, budget: 77 }).unwrap();
            assert_eq!(got.rows.len(), 1998);
            let places: Vec<_> = got.bad.iter().map(|fault| (fault.place.line, fault.what.clone())).collect();
            let expected = |line, byte| (Some(line), format!("the line is not UTF-8 from its byte {byte} on"));
            assert_eq!(places, [expected(701, 1), expected(1501, 4)], "{name}");
            assert_eq!(got.bad[0].place.file.as_deref(), Some(path.as_path()));
        }
    }
}

struct PanicsAt(&'static str);
impl Emit<Text> for PanicsAt {
    fn row(&mut self, row: &str) {
        assert!(row != self.0);
    }
    fn bad(&mut self, _: &[u8], fault: Fault) -> Result<(), Fault> {
        Err(fault)
    }
}

#[test]
fn the_place_is_the_line_that_panicked() {
    let folder = Folder::new();
    let text: String = (1..=9000).map(|i| format!("line {i}\n")).collect();
    for (name, bytes) in [("plain", text.clone().into_bytes()), ("gz", gzip(text.as_bytes()))] {
        let path = folder.file(name, bytes);
        let mut source = lines(&path).split_bytes(1 << 20);
        let split = splits::<Text, _>(&mut source).remove(0);
        let mut reader = Source::<Text>::reader(&mut source).unwrap();
        Reader::<Text>::open(&mut reader, split, None).unwrap();
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while Reader::<Text>::poll(&mut reader, 1000, &mut PanicsAt("line 7777")).is_ok() {}
        }));
        assert!(polled.is_err());
        assert_eq!(Reader::<Text>::place(&reader).line, Some(7777), "{name}");
    }
}

fn fault(path: &Path) -> Fault {
    match all(|| lines(path), How::default()) {
        Err(fault) => fault,
        Ok(got) => panic!("{} rows", got.rows.len()),
    }
}

#[test]
fn what_is_no_readable_file_is_a_fault_that_says_so() {
    let folder = Folder::new();
    let missing = fault(&folder.path().join("none.txt")).to_string();
    assert!(missing.contains("none.txt") && missing.contains("there is no such file"), "{missing}");
    let deeper = fault(&folder.path().join("a/b/none.txt")).to_string();
    assert!(deeper.contains("there is no directory"), "{deeper}");
    let directory = fault(folder.path()).to_string();
    assert!(directory.contains("a directory where a file is needed"), "{directory}");
    assert!(fault(Path::new("/dev/null")).to_string().contains("neither a file nor a directory"));
    let mut cut = gzip(&b"text\n".repeat(9999));
    cut.truncate(cut.len() - 5);
    let cut = fault(&folder.file("cut.gz", cut)).to_string();
    assert!(cut.contains("cut off") && cut.contains("cut.gz"), "{cut}");
}

#[test]
fn a_file_that_becomes_shorter_is_a_fault() {
    let folder = Folder::new();
    let path = folder.file("text", "line\n".repeat(10_000));
    let mut source = lines(&path);
    let splits = splits::<Text, _>(&mut source);
    let mut reader = Source::<Text>::reader(&mut source).unwrap();
    Reader::<Text>::open(&mut reader, splits[0].clone(), None).unwrap();
    let mut out = PanicsAt("other");
    Reader::<Text>::poll(&mut reader, 10, &mut out).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(7).unwrap();
    let fault = Reader::<Text>::poll(&mut reader, 10, &mut out).unwrap_err();
    assert!(fault.what.contains("shorter"), "{fault}");
    let fault = Reader::<Text>::open(&mut reader, splits[1].clone(), None).unwrap_err();
    assert!(fault.what.contains("shorter"), "{fault}");
    // A reader that comes later sees that it is not the file that was found.
    let mut late = Source::<Text>::reader(&mut source).unwrap();
    let fault = Reader::<Text>::open(&mut late, splits[1].clone(), None).unwrap_err();
    assert!(fault.what.contains("7 bytes now and had 50000"), "{fault}");
}
