//! The commands of `sh` blocks are run, and so are those between backticks in the README and the book: in their order, in one folder for each document.
//! What they say is not told there and not compared; they have to work. What is told of others is in `commands.rs`.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod kit;

use kit::documents::{Document, all};
use kit::{Folder, program};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What no test can run, with why: each is held against what there is by `commands.rs`. They begin so.
const NOT_RUN: &[(&str, &str)] = &[
    ("scripts/test", "runs this test"),
    ("cargo build", "builds a crate of the reader's; `readme.rs` builds one"),
    ("cargo new", "run by `readme.rs`"),
    ("cargo doc", "opens a browser; `scripts/test` builds the documentation"),
    ("cargo run --profile bench -p pelton-benches", "measures for minutes"),
    ("cargo run -p pelton-benches", "measures for minutes"),
    ("mdbook", "is a program of others"),
];

/// What runs on while commands talk to it, and how one knows that it has begun.
const RUN_ON: &[(&str, Begun)] = &[
    ("delay_board run --checkpoints", Begun::Listens),
    ("delay_board restore --checkpoints", Begun::Listens),
    ("cargo run --release --example embedded", Begun::Serves),
];

/// What talks to it. Whatever else comes is run when that has ended.
const TALK: &[&str] = &["delay_board stop", "printf"];

/// Where a run listens.
const SOCKET: &str = "var/lib/board/checkpoints/.control.sock";

/// What the job that runs on reads.
const LONG: &str = "departures.csv.gz";

#[derive(Clone, Copy)]
enum Begun {
    Listens,
    Serves,
}

/// `cargo run` of an example, or of a job of the reader's, is the program that `cargo test` has built.
const CARGO: &str = r#"#!/bin/sh
[ "$1" = run ] || { echo "cargo $1 is not run by a test" >&2; exit 99; }
shift
example=delay_board
while [ $# -gt 0 ]; do
    case "$1" in
        --release) ;;
        --example) example=$2; shift ;;
        --) shift; break ;;
        *) echo "cargo run $1 is not run by a test" >&2; exit 99 ;;
    esac
    shift
done
exec "$example" "$@"
"#;

/// `nc`, of which there are several, is this program.
const NC: &str = "#!/bin/sh\nNC=\"$*\" exec \"$NC_PROGRAM\" --exact nc --nocapture\n";

/// Not a test: what `nc -N HOST PORT` does.
#[test]
fn nc() {
    let Ok(args) = std::env::var("NC") else { return };
    let [_, host, port] = args.split(' ').collect::<Vec<_>>()[..] else { panic!("nc {args}") };
    let mut connection = TcpStream::connect(format!("{host}:{port}")).unwrap();
    std::io::copy(&mut std::io::stdin(), &mut connection).unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(!answer.is_empty(), "nothing is answered");
    println!("{answer}");
}

/// A command that runs on. What it has started ends with it.
struct Running {
    command: String,
    process: Child,
}

impl Running {
    fn signal(&self, signal: &str) {
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args([signal, "--", &group]).stderr(Stdio::null()).status();
    }

    /// Asks it to end, if it has not ended by itself, and looks at how it ends.
    fn end(mut self) -> Result<(), String> {
        self.signal("-TERM");
        let status = self.process.wait().unwrap();
        match status.code() {
            // A job that was interrupted says so.
            Some(0 | 130) => Ok(()),
            _ => Err(format!("`{}` has ended with {status}", self.command)),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal("-KILL");
        let _ = self.process.wait();
    }
}

/// Where the commands of a document are run.
struct Place {
    folder: Folder,
    programs: Folder,
    port: u16,
    running: Vec<Running>,
}

impl Place {
    fn new() -> Place {
        let (folder, programs) = (Folder::new(), Folder::new());
        for (name, script) in [("cargo", CARGO), ("nc", NC)] {
            let path = programs.file(name, script);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        for there in ["var/lib/board", "mnt/other", ".local/share/bash-completion/completions"] {
            std::fs::create_dir_all(folder.path().join(there)).unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Place { folder, programs, port, running: vec![] }
    }

    /// A command with this folder in place of the root, a port that is free, and a savepoint that is there.
    fn here(&self, command: &str) -> String {
        let root = self.folder.path().display();
        let mut here = command.replace("/var/lib/", &format!("{root}/var/lib/"));
        here = here.replace("/mnt/", &format!("{root}/mnt/")).replace(" 7878", &format!(" {}", self.port));
        let savepoints = self.folder.path().join("var/lib/board/checkpoints/savepoints");
        let newest = savepoints.read_dir().into_iter().flatten().map(|entry| entry.unwrap().path()).max();
        match newest {
            Some(newest) => here.replace(&savepoints.join("12").display().to_string(), &newest.display().to_string()),
            None => here,
        }
    }

    fn shell(&self, command: &str) -> Command {
        let examples = program("delay_board").get_program().to_owned();
        let examples = Path::new(&examples).parent().unwrap().display().to_string();
        let path = format!("{}:{examples}:{}", self.programs.path().display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", &self.here(command)]).current_dir(self.folder.path()).stdin(Stdio::null());
        shell.env("PATH", path).env("HOME", self.folder.path()).env("NC_PROGRAM", std::env::current_exe().unwrap());
        if self.folder.path().join(LONG).exists() {
            shell.env("DELAY_BOARD_DEPARTURES", LONG);
        }
        shell.process_group(0);
        shell
    }

    fn run(&mut self, command: &str) -> Result<(), String> {
        if !TALK.iter().any(|begins| command.starts_with(begins)) {
            self.running.drain(..).try_for_each(Running::end)?;
        }
        if let Some((_, begun)) = RUN_ON.iter().find(|(begins, _)| command.starts_with(begins)) {
            return self.start(command, *begun);
        }
        let output = self.shell(command).output().unwrap();
        match output.status.success() {
            true => Ok(()),
            false => Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr))),
        }
    }

    /// Starts what runs on, and waits until it has begun.
    fn start(&mut self, command: &str, begun: Begun) -> Result<(), String> {
        let said = self.folder.path().join("said");
        let mut shell = match begun {
            Begun::Serves => self.shell(&format!("exec {command} -- 127.0.0.1:{}", self.port)),
            Begun::Listens => {
                self.long_input();
                self.shell(&format!("exec {command}"))
            }
        };
        shell.stdout(Stdio::null()).stderr(std::fs::File::create(&said).unwrap());
        let mut running = Running { command: command.to_owned(), process: shell.spawn().unwrap() };
        let since = Instant::now();
        loop {
            let there = match begun {
                Begun::Listens => UnixStream::connect(self.folder.path().join(SOCKET)).is_ok(),
                Begun::Serves => TcpStream::connect(("127.0.0.1", self.port)).is_ok(),
            };
            if let Some(status) = running.process.try_wait().unwrap() {
                return Err(format!("{status}: {}", std::fs::read_to_string(said).unwrap()));
            }
            if there {
                self.running.push(running);
                return Ok(());
            }
            if since.elapsed() > Duration::from_secs(60) {
                return Err("it does not begin".to_owned());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Departures that no machine reads while commands talk to the job: some rows, again and again.
    fn long_input(&self) {
        let pack = |text: &str| {
            let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
            packed.write_all(text.as_bytes()).unwrap();
            packed.finish().unwrap()
        };
        let rows = pack(&"EWR,2013-01-01T05:15:00Z,2\n".repeat(100_000));
        self.folder.file(LONG, [pack("origin,scheduled,dep_delay\n"), rows.repeat(1000)].concat());
    }
}

/// The commands of a document: what stands in its blocks, and in the README and the book what stands between backticks and is a command of
/// cargo or of a job.
fn commands(document: &Document) -> Vec<(usize, String)> {
    let in_blocks = document.lines.iter().filter(|line| line.block.as_deref() == Some("sh") && !line.text.is_empty());
    let mut commands: Vec<_> = in_blocks.map(|line| (line.number, line.text.clone())).collect();
    if document.path == Path::new("README.md") || document.path.starts_with("docs/book") {
        let begins = ["cargo run ", "delay_board ", "mdbook ", "cargo new ", "cargo doc "];
        commands.extend(document.code().into_iter().filter(|(_, code)| begins.iter().any(|it| code.starts_with(it))));
    }
    commands.sort();
    commands
}

#[test]
fn commands_work() {
    let (mut ran, mut left) = (0, vec![]);
    for document in all() {
        let mut place = Place::new();
        for (line, command) in commands(&document) {
            if let Some((begins, _)) = NOT_RUN.iter().find(|(begins, _)| command.starts_with(begins)) {
                left.push(*begins);
                continue;
            }
            ran += 1;
            if let Err(why) = place.run(&command) {
                panic!("{}:{line}: `{command}`: {why}", document.path.display());
            }
        }
        place.running.drain(..).try_for_each(Running::end).unwrap();
    }
    assert!(ran > 12, "{ran}");
    // What no document tells any more is not kept.
    assert_eq!(NOT_RUN.iter().find(|(begins, _)| !left.contains(begins)), None);
}

#[test]
fn a_command_that_does_not_work_is_found() {
    let mut place = Place::new();
    for good in ["cargo run --release --example word_count -- --help", "delay_board plan > plan.txt   # and more"] {
        assert_eq!(place.run(good), Ok(()), "{good}");
    }
    for bad in [
        "cargo test",
        "cargo run --no-such-flag",
        "cargo run --example no",
        "cargo run -- fly",
        "delay_board state list --checkpoints /var/lib/board/none",
        "printf 'x' | nc -N 127.0.0.1 7878",
        "fly",
    ] {
        assert!(place.run(bad).is_err(), "{bad}");
    }
}
