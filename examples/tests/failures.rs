//! What goes wrong is told with its place and a cure, ends with the right exit code, and leaves no file behind.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod kit;

use kit::{Folder, january, run, start, unpacked};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Runs the board from a file into a file of the folder; it must fail with the exit code and say all of this.
#[track_caller]
fn fails(folder: &Folder, departures: &Path, out: &Path, code: i32, says: &[&str]) {
    let before = folder.names();
    for workers in ["1", "2"] {
        let args = ["run", "--departures", departures.to_str().unwrap(), "--out", out.to_str().unwrap()];
        let output = run("delay_board", args.into_iter().chain(["--workers", workers]));
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "at {workers} workers: {message}");
        for expected in says {
            assert!(message.contains(expected), "at {workers} workers: no `{expected}` in {message}");
        }
        assert_eq!(folder.names(), before, "at {workers} workers: something was left behind");
    }
}

fn board(folder: &Folder) -> PathBuf {
    folder.path().join("board.csv")
}

#[test]
fn a_file_that_is_not_there() {
    let folder = Folder::new();
    fails(&folder, &folder.path().join("nowhere.csv"), &board(&folder), 1, &["source `flights`", "nowhere.csv"]);
}

#[test]
fn a_header_without_a_column() {
    let folder = Folder::new();
    let text = unpacked(&january()).replacen("scheduled", "planned", 1);
    let input = folder.file("departures.csv", text);
    fails(
        &folder,
        &input,
        &board(&folder),
        1,
        &["source `flights`", "no column `scheduled`", "departures.csv", "line 1"],
    );
}

#[test]
fn a_field_that_is_not_of_its_type() {
    let folder = Folder::new();
    let text = unpacked(&january());
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(lines[19_999].split(',').count(), 11);
    let mut fields: Vec<&str> = lines[19_999].split(',').collect();
    fields[7] = "soon";
    lines[19_999] = fields.join(",");
    let input = folder.file("departures.csv", lines.join("\n"));
    let says = ["source `flights`", "`soon`", "departures.csv, line 20000, column dep_delay"];
    fails(&folder, &input, &board(&folder), 1, &says);
}

#[test]
fn a_packed_file_that_is_cut_off_or_damaged() {
    let folder = Folder::new();
    let packed = std::fs::read(january()).unwrap();
    let cut = folder.file("cut.csv.gz", &packed[..packed.len() / 2]);
    fails(&folder, &cut, &board(&folder), 1, &["source `flights`", "cut.csv.gz", "cut off"]);
    let mut damaged = packed;
    let middle = damaged.len() / 2;
    damaged[middle..middle + 1000].fill(0);
    let damaged = folder.file("damaged.csv.gz", damaged);
    fails(&folder, &damaged, &board(&folder), 1, &["source `flights`", "damaged.csv.gz"]);
}

#[test]
fn a_file_that_cannot_be_written() {
    let folder = Folder::new();
    let missing = folder.path().join("not there/board.csv");
    fails(&folder, &january(), &missing, 1, &["sink `file`", "not there", "create the directory"]);
    fails(&folder, &january(), folder.path(), 1, &["sink `file`", "a directory where a file is to be written"]);
    #[cfg(target_os = "linux")]
    fails(
        &folder,
        &january(),
        Path::new("/dev/full"),
        1,
        &["sink `file`", "/dev/full", "neither a file nor a directory"],
    );
}

#[test]
fn what_was_there_stays_when_a_run_fails() {
    let folder = Folder::new();
    let old = folder.file("board.csv", "the old board\n");
    let packed = std::fs::read(january()).unwrap();
    let cut = folder.file("cut.csv.gz", &packed[..packed.len() - 100]);
    fails(&folder, &cut, &old, 1, &["cut off"]);
    assert_eq!(std::fs::read_to_string(&old).unwrap(), "the old board\n");
}

/// A file system of some KiB, which takes root.
#[cfg(target_os = "linux")]
struct SmallDisk(PathBuf);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount(at: PathBuf) -> Option<SmallDisk> {
        std::fs::create_dir(&at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=32k", "tmpfs"]).arg(&at).output();
        match mounted.is_ok_and(|output| output.status.success()) {
            true => Some(SmallDisk(at)),
            false => None,
        }
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk() {
    let folder = Folder::new();
    let Some(disk) = SmallDisk::mount(folder.path().join("disk")) else {
        eprintln!("skipped: only root can make a small disk");
        return;
    };
    let out = disk.0.join("board.csv");
    fails(&folder, &january(), &out, 1, &["sink `file`", "board.csv", "No space left", "free some room"]);
    assert_eq!(disk.0.read_dir().unwrap().count(), 0, "something was left behind");
}

#[test]
fn a_wrong_command_line() {
    let says = |args: &[&str], expected: &[&str]| {
        let output = run("delay_board", args);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(output.stdout.is_empty(), "{args:?}");
        for expected in expected {
            assert!(message.contains(expected), "{args:?}: no `{expected}` in {message}");
        }
    };
    says(&["--departure", "x.csv"], &["--departure", "--departures"]);
    says(&["--workers", "0"], &["a job needs at least one worker"]);
    says(&["--workers", "many"], &["expected a number of threads"]);
    says(&["pla"], &["pla"]);
    says(&["plan", "--format", "png"], &["png", "svg"]);
}

#[test]
fn a_place_that_is_none_for_checkpoints() {
    let folder = Folder::new();
    let file = folder.file("file", "");
    for (place, says) in [
        (
            file.to_str().unwrap(),
            &["not a directory: checkpoints are kept in one", "at ", "help: name a directory"][..],
        ),
        #[cfg(target_os = "linux")]
        ("/proc/nowhere", &["cannot make the directory", "at /proc/nowhere", "help: nothing can be made there"]),
        ("ftp://somewhere/else", &["is no place for checkpoints", "help: write a path"]),
    ] {
        let output = run("delay_board", ["run", "--checkpoints", place]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        says.iter().for_each(|says| assert!(message.contains(says), "no `{says}` in {message}"));
    }
}

#[test]
fn the_environment_and_a_file_say_what_no_flag_says() {
    let folder = Folder::new();
    let out = board(&folder);
    let config = folder.file("board.toml", format!("out = '{}'\nworkers = 0\n", out.display()));
    let run = |workers: &str| {
        let mut command = kit::program("delay_board");
        command.args(["run", "--log", "json"]).env("DELAY_BOARD_CONFIG", &config).env("DELAY_BOARD_WORKERS", workers);
        command.output().unwrap()
    };
    let wrong = run("none");
    let message = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(wrong.status.code(), Some(2), "{message}");
    assert!(
        message.starts_with("error: environment variable `DELAY_BOARD_WORKERS` is `none`: expected a number"),
        "{message}"
    );
    let well = run("1");
    let message = String::from_utf8(well.stderr).unwrap();
    assert_eq!(well.status.code(), Some(0), "{message}");
    assert!(message.lines().all(|line| line.starts_with("{\"time\":\"")), "{message}");
    assert!(message.contains("\"event\":\"started\"") && message.contains("\"event\":\"finished\""), "{message}");
    assert!(out.exists());
}

/// Packed departures that no machine reads within a minute: one row, again and again.
#[cfg(unix)]
fn endless(folder: &Folder) -> PathBuf {
    let text = unpacked(&january());
    let (header, rows) = text.split_once('\n').unwrap();
    let row = rows.split_inclusive('\n').next().unwrap();
    let pack = |text: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    };
    let mut packed = pack(format!("{header}\n").as_bytes());
    packed.extend(pack(row.repeat(500_000).as_bytes()).repeat(500));
    folder.file("endless.csv.gz", packed)
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_the_run_cleanly() {
    let folder = Folder::new();
    let endless = endless(&folder);
    for workers in ["1", "3"] {
        let out = board(&folder);
        let args = ["run", "--departures", endless.to_str().unwrap(), "--out", out.to_str().unwrap()];
        let mut running = start("delay_board", args.into_iter().chain(["--workers", workers]));
        let begun = Instant::now();
        while folder.names().len() < 2 {
            assert!(begun.elapsed() < Duration::from_secs(60), "the run does not begin");
            assert!(running.try_wait().unwrap().is_none(), "the run is over");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(200));
        let interrupted = Instant::now();
        assert!(Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap().success());
        let status = running.wait().unwrap();
        assert!(interrupted.elapsed() < Duration::from_secs(5), "it took {:?} to end", interrupted.elapsed());
        let mut message = String::new();
        running.stderr.take().unwrap().read_to_string(&mut message).unwrap();
        assert_eq!(status.code(), Some(130), "{message}");
        assert!(message.contains("interrupted before the inputs had ended\n  help: start it again"), "{message}");
        assert_eq!(folder.names(), ["endless.csv.gz"], "something was left behind");
    }
}
