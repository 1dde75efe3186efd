//! The board on a real standard output: a child process prints, this one reads.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use pelton::sink::{Accepts, Sink, SinkContext, Writer, stdout};
use serde::Serialize;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

#[derive(pelton::Record, Serialize)]
struct Line {
    worker: u64,
    number: u64,
}

/// Not a test of its own: what the child process does.
#[test]
fn child() {
    let Ok(rows) = std::env::var("PELTON_TEST_ROWS") else { return };
    let rows: u64 = rows.parse().unwrap();
    std::thread::scope(|scope| {
        for worker in 0..3 {
            scope.spawn(move || {
                let context = SinkContext {
                    name: "board".into(),
                    worker,
                    workers: 3,
                    part: 0,
                    attempt: 1,
                    resumable: false,
                    log: None,
                    published: false,
                };
                let mut writer = stdout().writer(&context).unwrap();
                for number in 0..rows {
                    writer.write(Line { worker: worker as u64, number }).unwrap();
                }
                writer.prepare(1).unwrap();
            });
        }
    });
    std::process::exit(0);
}

fn start(rows: u64) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env("PELTON_TEST_ROWS", rows.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn lines_of_several_workers_are_whole_under_one_header() {
    let mut child = start(20_000);
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success());
    let lines: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("worker")).collect();
    assert_eq!(lines[0], "worker  number");
    let mut next = [0u64; 3];
    for line in &lines[1..] {
        let mut numbers = line.split_whitespace().map(|n| n.parse::<u64>().unwrap());
        let (worker, number) = (numbers.next().unwrap(), numbers.next().unwrap());
        assert_eq!((next[worker as usize], numbers.next()), (number, None), "{line:?}");
        next[worker as usize] += 1;
    }
    assert_eq!(next, [20_000; 3]);
}

#[test]
fn when_nobody_reads_on_the_job_still_ends_well() {
    let mut child = start(200_000);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("worker") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0);
    }
    drop(out);
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(child.wait().unwrap().success(), "{errors}");
}
