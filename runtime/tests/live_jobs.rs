//! Text that is no file: what a server sends, and standard input.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use pelton::prelude::*;
use pelton::source::{Found, Reader, RowType, Source};
use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

#[derive(Record, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    a: String,
    b: u32,
}

stream! {
    job OfServer<Memory> {
        param csv_at: String;
        param json_at: String;
        param lines_at: String;
        source of_csv: Pair = csv(tcp(csv_at)), on_error divert;
        source of_json: Pair = json(tcp(json_at)), on_error fail;
        source of_lines: &str = lines(tcp(lines_at));
        let pairs: Pair = union(of_csv, of_json);
        let bad: BadRecord = of_csv.errors;
        let sizes: usize = of_lines.map(|line| line.len());
        sink all(pairs) = collect();
        sink errors(bad) = collect();
        sink lengths(sizes) = collect();
    }
    job OfStdin<Memory> {
        source pairs: Pair = csv(stdin());
        let sums: (String, u64) = pairs.key_by(|p| p.a).aggregate(sum(|p| p.b), emit at_end, unbounded("few")).map(|(k, n)| (k.to_owned(), n));
        sink out(sums) = collect();
    }
    job Twice<Memory> {
        source one: &str = lines(stdin());
        source two: &str = lines(stdin());
        let sizes: usize = one.map(|line| line.len());
        let others: usize = two.map(|line| line.len());
        sink out(sizes, others) = null();
    }
}

/// Sends a text to whoever comes, in pieces of so many bytes, with pauses.
fn server(text: &str, piece: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let text = text.to_owned();
    std::thread::spawn(move || {
        while let Ok((mut to, _)) = listener.accept() {
            for (n, piece) in text.as_bytes().chunks(piece).enumerate() {
                if to.write_all(piece).is_err() {
                    break;
                }
                if n % 16 == 0 {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
    });
    address
}

#[test]
fn lines_of_a_server_in_every_form_however_they_come() {
    let pairs: Vec<Pair> = (0..200).map(|n| Pair { a: format!("x\n\"{n}\""), b: n }).collect();
    let mut text = ::csv::Writer::from_writer(Vec::new());
    pairs.iter().for_each(|pair| text.serialize(pair).unwrap());
    let of_csv = format!("\u{feff}{}y,no number\r\nz,7", String::from_utf8(text.into_inner().unwrap()).unwrap());
    let of_json: String = pairs.iter().map(|pair| serde_json::to_string(pair).unwrap() + "\n").collect();
    let mut expected = [&pairs[..], &pairs, &[Pair { a: "z".into(), b: 7 }]].concat();
    expected.sort();
    for workers in [1, 2, 3] {
        for piece in [1, 7, 1 << 16] {
            let job = OfServer {
                csv_at: server(&of_csv, piece),
                json_at: server(&of_json, piece * 3),
                lines_at: server("one\r\n\nthree", piece),
            };
            let mut got = job.run(Config::default().workers(workers)).unwrap();
            got.all.sort();
            got.lengths.sort();
            assert_eq!(got.all, expected, "{workers} workers, pieces of {piece}");
            assert_eq!(got.lengths, [0, 3, 5]);
            assert_eq!(&got.errors[0].bytes[..], b"y,no number");
            assert!(got.errors[0].position.ends_with(", line 402, column b"), "{}", got.errors[0].position);
        }
    }
}

struct Text;
impl RowType for Text {
    type Row<'a> = &'a str;
}

#[test]
fn a_server_that_is_not_there_is_told_and_what_was_read_does_not_come_again() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let job = OfServer { csv_at: server("a,b\n", 9), json_at: free.clone(), lines_at: server("", 9) };
    let fault = job.run(Config::default().workers(1)).unwrap_err().to_string();
    assert!(fault.contains("source `of_json`: cannot connect") && fault.contains(&free), "{fault}");
    let at = server("one\ntwo\n", 99);
    let open = |live: pelton::source::Live, from: u64| {
        let mut source = lines(live);
        let Found::Split(split) = Source::<Text>::enumerator(&mut source, None).unwrap().next().unwrap() else {
            panic!("there is no split")
        };
        let mut reader = Source::<Text>::reader(&mut source).unwrap();
        Reader::<Text>::open(&mut reader, split, Some(&from.to_le_bytes()))
    };
    open(tcp(&at), 0).unwrap();
    let fault = open(tcp(&at), 4).unwrap_err();
    assert!(fault.lasting && fault.to_string().contains("may_lose"), "{fault}");
    open(tcp(&at).may_lose(), 4).unwrap();
}

/// Not a test: what a process does that the test below starts.
#[test]
fn child() {
    let Ok(what) = std::env::var("PELTON_TEST_CHILD") else { return };
    let config = Config::default().workers(2);
    match &*what {
        "twice" => println!("{}", Twice {}.run(config).unwrap_err()),
        _ => {
            let mut out = OfStdin {}.run(config).unwrap().out;
            out.sort();
            println!("{out:?}");
        }
    }
}

#[test]
fn standard_input() {
    let run = |what: &str, pieces: &[&str]| {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env("PELTON_TEST_CHILD", what)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut to = child.stdin.take().unwrap();
        for piece in pieces {
            let _ = to.write_all(piece.as_bytes());
            std::thread::sleep(Duration::from_millis(30));
        }
        drop(to);
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    let out = run("once", &["a,", "b\nx,1\ny", ",10\nx", ",2\n\"y\",", "20"]);
    assert!(out.contains(r#"[("x", 3), ("y", 30)]"#), "{out}");
    assert!(run("once", &[]).contains("[]"));
    let out = run("twice", &["x\n"]);
    assert!(out.contains("standard input is read by another source already"), "{out}");
}
