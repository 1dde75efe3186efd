//! The conformance kit over what a process has one of: standard input and standard output, and over the sink that has no output at all. Each reader is a
//! process of its own, whose standard input is the text; sinks are checked in a process whose standard output is a file.

#![cfg(feature = "testing")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, reason = "not every test needs all of it")]
mod source_kit;

use pelton::error::{Fault, Place};
use pelton::sink::{null, stdout};
use pelton::source::{
    Emit, Enumerator, Found, Guarantee, Polled, Reader, RowType, Source, Split, Waker, csv, json, lines, stdin,
};
use pelton::testing::{Owned, SinkCheck, SourceCheck, Str};
use serde::{Deserialize, Serialize};
use source_kit::Folder;
use std::fmt::{Debug, Write as _};
use std::io::{BufRead, BufReader, Write};
use std::marker::PhantomData;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, OnceLock};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, pelton::Record)]
struct Trip {
    from: String,
    minutes: u32,
}

fn trips(n: u32) -> Vec<Trip> {
    (0..n).map(|n| Trip { from: format!("stop{n}"), minutes: n * n }).collect()
}

/// This test as another process.
fn this(child: &str, what: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", child, "--nocapture"]).env("PELTON_TEST_CHILD", what);
    command
}

/// What that process is to be, if this is one.
fn child() -> Option<String> {
    std::env::var("PELTON_TEST_CHILD").ok()
}

// What a reader is asked for and says, a line each.

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("x"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = &hex[1..];
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

struct Lines {
    to: Arc<Mutex<TcpStream>>,
}

impl Lines {
    fn say(&self, line: &str) {
        // Who does not listen any more has ended.
        let _ = self.to.lock().unwrap().write_all(format!("{line}\n").as_bytes());
    }
}

/// Tells each row as `Debug` shows it.
struct Told<'l, R>(&'l Lines, PhantomData<R>);

impl<R: RowType> Emit<R> for Told<'_, R>
where
    for<'a> R::Row<'a>: Debug,
{
    fn row(&mut self, row: R::Row<'_>) {
        self.0.say(&format!("row {row:?}"));
    }
    fn bad(&mut self, _: &[u8], fault: Fault) -> Result<(), Fault> {
        Err(fault)
    }
}

/// Does what the test asks of a reader, until the test has had enough.
fn serve<R: RowType, S: Source<R>>(mut source: S, test: &TcpStream)
where
    for<'a> R::Row<'a>: Debug,
{
    test.set_nodelay(true).unwrap();
    let to = Lines { to: Arc::new(Mutex::new(test.try_clone().unwrap())) };
    let mut reader = source.reader().unwrap();
    let wakes = Lines { to: to.to.clone() };
    reader.wake_with(Arc::new(move || wakes.say("wake")));
    for line in BufReader::new(test).lines() {
        let Ok(line) = line else { break };
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match words[..] {
            ["open", id, detail, from] => {
                let split = Split { id: id.parse().unwrap(), detail: bytes(detail), bytes: None };
                let from = (from != "-").then(|| bytes(from));
                reader.open(split, from.as_deref()).map(|()| "open".to_owned())
            }
            ["poll", budget] => {
                reader.poll(budget.parse().unwrap(), &mut Told::<R>(&to, PhantomData)).map(|polled| match polled {
                    Polled::More => "more".to_owned(),
                    Polled::Dry => "dry".to_owned(),
                    Polled::SplitDone => "done".to_owned(),
                })
            }
            ["position"] => Ok(hex(&reader.position())),
            _ => panic!("{line}"),
        };
        to.say(&answer.unwrap_or_else(|fault| format!("fault {fault}").replace('\n', "; ")));
    }
}

/// Not a test: a process that reads its standard input.
#[test]
fn reading() {
    let Some(what) = child() else { return };
    let (form, address) = what.split_once(' ').unwrap();
    let test = TcpStream::connect(address).unwrap();
    match form {
        "lines" => serve::<Str, _>(lines(stdin()), &test),
        "csv" => serve::<Owned<Trip>, _>(csv(stdin()), &test),
        _ => serve::<Owned<Trip>, _>(json(stdin()), &test),
    }
}

/// A source whose readers are processes that read their standard input.
#[derive(Clone)]
struct Piped {
    form: &'static str,
    text: Arc<str>,
}

impl Source<Owned<String>> for Piped {
    type Reader = PipedReader;
    const GUARANTEE: Guarantee = <pelton::source::Lines<pelton::source::Live> as Source<Str>>::GUARANTEE;

    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault> {
        match self.form {
            "lines" => Source::<Str>::enumerator(&mut lines(stdin()), from),
            "csv" => Source::<Owned<Trip>>::enumerator(&mut csv(stdin()), from),
            _ => Source::<Owned<Trip>>::enumerator(&mut json(stdin()), from),
        }
    }
    fn reader(&mut self) -> Result<PipedReader, Fault> {
        Ok(PipedReader { of: self.clone(), process: None, waker: Arc::default() })
    }
    fn describe(&self) -> String {
        format!("{} standard input", self.form)
    }
    fn endless(&self) -> bool {
        Source::<Str>::endless(&lines(stdin()))
    }
}

/// Ends with whoever asks it.
struct Process {
    child: Child,
    to: Lines,
    answers: Receiver<String>,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct PipedReader {
    of: Piped,
    process: Option<Process>,
    waker: Arc<OnceLock<Waker>>,
}

impl PipedReader {
    fn start(&self) -> Process {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut command = this("reading", &format!("{} {address}", self.of.form));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let (mut input, text) = (child.stdin.take().unwrap(), self.of.text.clone());
        std::thread::spawn(move || {
            // In two pieces, so that it runs dry; a process that has ended reads no more.
            let (front, back) = text.as_bytes().split_at(text.len() / 2);
            let _ = input.write_all(front);
            std::thread::sleep(std::time::Duration::from_millis(5));
            let _ = input.write_all(back);
        });
        let (connection, _) = listener.accept().unwrap();
        connection.set_nodelay(true).unwrap();
        let to = Lines { to: Arc::new(Mutex::new(connection.try_clone().unwrap())) };
        let (sender, answers) = std::sync::mpsc::channel();
        let waker = self.waker.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(connection).lines() {
                match line {
                    Ok(line) if line == "wake" => waker.get().into_iter().for_each(|waker| waker()),
                    Ok(line) => drop(sender.send(line)),
                    Err(_) => break,
                }
            }
        });
        Process { child, to, answers }
    }

    /// What it answers, with the rows that come before.
    fn ask(&self, line: &str, mut row: impl FnMut(String)) -> Result<String, Fault> {
        let process = self.process.as_ref().unwrap();
        process.to.say(line);
        loop {
            let answer = process.answers.recv().unwrap_or_else(|_| panic!("the process has ended at {line}"));
            match answer.split_once(' ') {
                Some(("row", debug)) => row(debug.to_owned()),
                Some(("fault", told)) => return Err(Fault::new(told)),
                _ => return Ok(answer),
            }
        }
    }
}

impl Reader<Owned<String>> for PipedReader {
    fn open(&mut self, split: Split, from: Option<&[u8]>) -> Result<(), Fault> {
        if self.process.is_none() {
            self.process = Some(self.start());
        }
        let from = from.map_or("-".to_owned(), hex);
        self.ask(&format!("open {} {} {from}", split.id, hex(&split.detail)), |_| {}).map(drop)
    }
    fn position(&self) -> Vec<u8> {
        self.ask("position", |_| {}).map(|answer| bytes(&answer)).unwrap()
    }
    fn poll<E: Emit<Owned<String>>>(&mut self, budget: usize, out: &mut E) -> Result<Polled, Fault> {
        Ok(match &*self.ask(&format!("poll {budget}"), |row| out.row(row))? {
            "more" => Polled::More,
            "dry" => Polled::Dry,
            _ => Polled::SplitDone,
        })
    }
    fn place(&self) -> Place {
        Place::default()
    }
    fn wake_with(&mut self, waker: Waker) {
        let _ = self.waker.set(waker);
    }
}

const WHY: &str = "what comes over standard input cannot be read again";

fn debugs<X: Debug>(rows: impl IntoIterator<Item = X>) -> Vec<String> {
    rows.into_iter().map(|row| format!("{row:?}")).collect()
}

#[test]
fn what_comes_over_standard_input() {
    let expected = trips(120);
    let numbered = || (0..120).map(|n| format!("line {n}"));
    let mut of_csv = ::csv::Writer::from_writer(Vec::new());
    expected.iter().for_each(|trip| of_csv.serialize(trip).unwrap());
    let of_csv = String::from_utf8(of_csv.into_inner().unwrap()).unwrap();
    let of_json: String = expected.iter().map(|trip| serde_json::to_string(trip).unwrap() + "\n").collect();
    let of_lines: String = numbered().map(|line| line + "\n").collect();
    for (form, text, rows) in [
        ("lines", of_lines.trim_end(), debugs(numbered())),
        ("csv", &of_csv, debugs(&expected)),
        ("json", &of_json, debugs(&expected)),
    ] {
        let piped = Piped { form, text: text.into() };
        let check = SourceCheck::<Owned<String>, _>::new(|| piped.clone()).rows(rows).in_order();
        let report = check.without_replay(WHY).run();
        println!("{report}");
        report.assert();
    }
}

#[test]
fn what_is_not_as_it_should_be_on_standard_input_is_found() {
    let piped = Piped { form: "json", text: "{\"from\":\"a\",\"minutes\":1}\n{\"from\":\"b\"}\n".into() };
    let rows = debugs(trips(2));
    let report = SourceCheck::<Owned<String>, _>::new(|| piped.clone()).rows(rows).without_replay(WHY).run();
    assert!(report.broken().contains(&"rows") && report.to_string().contains("line 2"), "{report}");
}

#[test]
fn who_goes_on_behind_what_was_read_is_told() {
    let mut piped = Piped { form: "lines", text: "a\nb\n".into() };
    let Found::Split(split) = piped.enumerator(None).unwrap().next().unwrap() else { panic!("there is no split") };
    let mut reader = piped.reader().unwrap();
    reader.open(split.clone(), None).unwrap();
    let mut seen = Vec::new();
    while reader.ask("poll 1", |row| seen.push(row)).unwrap() != "more" {}
    let position = reader.position();
    assert_eq!((seen, &position[..]), (debugs(["a"]), &2u64.to_le_bytes()[..]));
    let fault = piped.reader().unwrap().open(split, Some(&position)).unwrap_err().to_string();
    assert!(fault.contains("standard input") && fault.contains("may_lose"), "{fault}");
}

/// What was printed behind a place of the file that is standard output, line by line.
fn printed(behind: u64) -> Vec<String> {
    let text = std::fs::read_to_string(std::env::var_os("PELTON_TEST_OUTPUT").unwrap()).unwrap();
    text[behind as usize..].lines().map(str::to_owned).collect()
}

fn now() -> u64 {
    std::fs::metadata(std::env::var_os("PELTON_TEST_OUTPUT").unwrap()).unwrap().len()
}

/// Not a test: a process that prints what a sink is given, and looks at it.
#[test]
fn printing() {
    let Some(what) = child() else { return };
    let report = match &*what {
        "stdout" => {
            // The board has a header, once.
            let visible = |behind: &u64| match printed(*behind).split_first() {
                None => Vec::new(),
                Some((header, rows)) => {
                    assert_eq!(header.split_whitespace().collect::<Vec<_>>(), ["from", "minutes"]);
                    rows.to_vec()
                }
            };
            SinkCheck::new(now, |_| stdout(), |behind| visible(behind).iter().map(|row| trip(row)).collect(), trips(40))
                .at_once("a terminal shows a row when it comes")
                .run()
        }
        _ => {
            let folder = || std::fs::read_dir(".").unwrap().map(|entry| format!("{:?}", entry.unwrap().file_name()));
            let visible = |behind: &u64| printed(*behind).into_iter().chain(folder()).collect::<Vec<String>>();
            SinkCheck::new(now, |_| null(), visible, trips(40)).shows_nothing("it forgets what it is given").run()
        }
    };
    eprintln!("{report}");
    std::process::exit(if report.is_ok() { 0 } else { 1 });
}

/// The row of a line of the board.
fn trip(line: &str) -> Trip {
    let (from, minutes) = line.split_once(' ').unwrap();
    Trip { from: from.to_owned(), minutes: minutes.trim().parse().unwrap() }
}

/// The report of a sink that is checked in a process of its own, in an empty folder.
fn check_in_a_process(what: &str) -> String {
    let (folder, empty) = (Folder::new(), Folder::new());
    let output = folder.file("printed", "");
    let file = std::fs::OpenOptions::new().append(true).open(&output).unwrap();
    let mut command = this("printing", what);
    let command = command.env("PELTON_TEST_OUTPUT", &output).current_dir(empty.path()).stdout(file);
    let output = command.stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    let report = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{report}");
    report
}

#[test]
fn what_goes_to_standard_output() {
    let report = check_in_a_process("stdout");
    assert!(report.contains("sink stdout: 5 checks, 0 broken"), "{report}");
}

#[test]
fn the_sink_that_forgets() {
    let report = check_in_a_process("null");
    assert!(report.contains("sink null: 14 checks, 0 broken"), "{report}");
}
