//! What the tests of the examples share: a folder that goes away, the data, and an example as a process.

#![allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]

pub mod documents;

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of one test; removed when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("pelton-examples-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }
    pub fn path(&self) -> &Path {
        &self.0
    }
    /// A file in it.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
    /// The names of what is in it, hidden files too.
    pub fn names(&self) -> Vec<String> {
        let names = self.0.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file that comes with the examples.
pub fn bundled(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// January 2013, packed.
pub fn january() -> PathBuf {
    bundled("data/departures-2013-01.csv.gz")
}

/// A file of the whole year, where somebody has it: under `PELTON_SHARED`, or beside the repository.
pub fn whole_year(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("../shared");
    let shared = std::env::var_os("PELTON_SHARED").map_or_else(beside, PathBuf::from);
    let path = shared.join("data/flights").join(name);
    if !path.exists() {
        eprintln!("skipped for the whole year: {} is not there", path.display());
    }
    path.exists().then_some(path)
}

/// The text of a file packed with gzip.
pub fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// Lines as a set, for output whose order is left open: the header stays in front.
pub fn as_set(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    if let [_, rows @ ..] = &mut lines[..] {
        rows.sort_unstable();
    }
    lines
}

/// Fails with a few lines of each side instead of with all of them.
#[track_caller]
pub fn same_rows(found: &str, expected: &str, what: &str) {
    let (found, expected) = (as_set(found), as_set(expected));
    if found != expected {
        let only = |a: &[&str], b: &[&str]| -> Vec<String> {
            a.iter().filter(|line| !b.contains(line)).take(5).map(|line| (*line).to_owned()).collect()
        };
        panic!(
            "{what}: {} rows instead of {}\n  not expected: {:#?}\n  missing: {:#?}",
            found.len(),
            expected.len(),
            only(&found, &expected),
            only(&expected, &found),
        );
    }
}

/// The program of an example. `cargo test` has built it beside the tests.
pub fn program(example: &str) -> Command {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples").join(example);
    let program = program.with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "{} is not built: `cargo build -p pelton-examples --examples`", program.display());
    Command::new(program)
}

/// Runs an example to its end, in a folder that is not the repository.
pub fn run(example: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    program(example).args(args).current_dir(std::env::temp_dir()).stdin(Stdio::null()).output().unwrap()
}

/// Starts an example and lets it run.
pub fn start(example: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Child {
    let mut command = program(example);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What a program said on standard output, if it ended well.
#[track_caller]
pub fn said(output: Output) -> String {
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
