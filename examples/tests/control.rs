//! A job that runs is told things by another process: savepoints, and two ways to stop. Whatever it is told, the results of
//! all its runs together are those of an undisturbed one.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod kit;

use kit::{Folder, program, same_rows};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const FILES: [&str; 2] = ["hours.csv", "carriers.csv"];

/// A folder with the outputs of a job, its checkpoints, and whatever else.
struct Board {
    folder: Folder,
}

impl Board {
    fn new() -> Board {
        let folder = Folder::new();
        std::fs::create_dir(folder.path().join("out")).unwrap();
        Board { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn out(&self, file: &str) -> PathBuf {
        self.path("out").join(file)
    }

    /// A command with the params of the job and these words.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = program("chaos_board");
        command.args(words.iter().take(1)).arg("--quiet");
        command.arg("--hours").arg(self.out(FILES[0])).arg("--carriers").arg(self.out(FILES[1]));
        command.args(&words[1..]).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Starts a run that takes some seconds, and waits until it listens.
    fn start(&self, workers: u32, words: &[&str]) -> Running {
        let mut command = self.command(&["run"]);
        command.args(["--workers", &workers.to_string(), "--per-second", "4000"]).args(words);
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        Running(child)
    }

    /// The usual run with checkpoints.
    fn begin(&self, workers: u32) -> Running {
        // What one that was killed has left behind is not what is waited for.
        let socket = || self.path("ck/.control.sock").symlink_metadata().map(|about| about.ino()).ok();
        let before = socket();
        let running = self.start(workers, &["--checkpoints", "ck", "--checkpoint-every", "50ms"]);
        let begun = Instant::now();
        while socket().is_none_or(|now| Some(now) == before) {
            assert!(begun.elapsed() < Duration::from_secs(60), "the run does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        running
    }

    /// Runs to the end as fast as it can; it must end well.
    #[track_caller]
    fn finish(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{words:?}: {message}");
        message
    }

    /// Tells the job that runs something.
    fn tell(&self, words: &[&str]) -> Output {
        program("chaos_board").args(words).current_dir(self.folder.path()).stdin(Stdio::null()).output().unwrap()
    }

    /// The same, and it must do it; gives what it says on standard output.
    #[track_caller]
    fn told(&self, words: &[&str]) -> String {
        let output = self.tell(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Something must be refused and say all of this.
    #[track_caller]
    fn refused(&self, mut command: Command, says: &[&str]) {
        let output = command.output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        for expected in says {
            assert!(message.contains(expected), "no `{expected}` in {message}");
        }
    }

    #[track_caller]
    fn tell_refused(&self, words: &[&str], says: &[&str]) {
        let mut command = program("chaos_board");
        command.args(words).current_dir(self.folder.path());
        self.refused(command, says);
    }

    #[track_caller]
    fn wait_for(&self, path: &Path) {
        let begun = Instant::now();
        while path.symlink_metadata().is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{} does not come", path.display());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The numbers of the checkpoints that are there, newest first.
    fn checkpoints(&self) -> Vec<u64> {
        let list = self.told(&["state", "list", "--checkpoints", "ck"]);
        list.lines().filter_map(|line| line.trim().split_once(": epoch")?.0.parse().ok()).collect()
    }

    /// Waits until there are two checkpoints that are newer than these, so that something newer is published.
    fn wait_for_more(&self, than: Option<u64>) {
        let begun = Instant::now();
        while self.checkpoints().iter().filter(|number| Some(**number) > than).count() < 2 {
            assert!(begun.elapsed() < Duration::from_secs(60), "no checkpoints are kept");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What is published is what an undisturbed run publishes, and nothing is left behind.
    #[track_caller]
    fn is_whole(&self, what: &str) {
        for (file, expected) in FILES.iter().zip(undisturbed()) {
            same_rows(&std::fs::read_to_string(self.out(file)).unwrap(), expected, &format!("{what}, {file}"));
        }
        let mut left: Vec<_> = std::fs::read_dir(self.path("out")).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["carriers.csv", "hours.csv"], "{what}: something is left behind");
    }

    #[track_caller]
    fn is_unpublished(&self) {
        assert!(FILES.iter().all(|file| !self.out(file).exists()), "something is published");
    }
}

/// A run, killed when it is dropped.
struct Running(Child);

impl Running {
    /// Waits until it ends; it must do so well.
    #[track_caller]
    fn ends_well(mut self) {
        let mut message = String::new();
        let status = self.0.wait().unwrap();
        std::io::Read::read_to_string(&mut self.0.stderr.take().unwrap(), &mut message).unwrap();
        assert_eq!(status.code(), Some(0), "{message}");
    }

    #[track_caller]
    fn kill(mut self) {
        assert!(self.0.try_wait().unwrap().is_none(), "it is to be running");
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn undisturbed() -> &'static [String; 2] {
    static CALM: OnceLock<[String; 2]> = OnceLock::new();
    CALM.get_or_init(|| {
        let board = Board::new();
        board.finish(&["run", "--workers", "1"]);
        FILES.map(|file| std::fs::read_to_string(board.out(file)).unwrap())
    })
}

fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_savepoint_of_a_running_job_restores_at_any_width() {
    let board = Board::new();
    let running = board.begin(2);
    board.wait_for_more(None);
    let place = board.told(&["savepoint", "--checkpoints", "ck"]);
    let named = board.told(&["savepoint", "--checkpoints", "ck", "--to", "before"]);
    assert!(place.contains("ck/savepoints/") && Path::new(&place).is_dir(), "{place}");
    assert_eq!(Path::new(&named), board.path("before").canonicalize().unwrap());
    // Retention sweeps the checkpoints that they were, and the run goes far beyond them.
    board.wait_for_more(board.checkpoints().first().copied());
    board.wait_for_more(board.checkpoints().first().copied());
    running.kill();
    board.is_unpublished();
    for place in [&*place, "before"] {
        assert!(board.told(&["state", "verify", "--checkpoints", place]).contains("1 checkpoints"));
    }
    let listed = board.told(&["state", "list", "--checkpoints", "ck"]);
    assert!(listed.contains(&format!("savepoint {place}")), "{listed}");
    let verified = board.told(&["state", "verify", "--checkpoints", "ck"]);
    assert!(!verified.contains("nothing of a checkpoint"), "{verified}");
    copy(&board.path("out"), &board.path("kept"));
    for (workers, place) in [("1", &*place), ("2", "before"), ("3", &*place)] {
        copy(&board.path("kept"), &board.path("out"));
        let store = format!("of-{workers}");
        let said = board.finish(&["restore", "--from", place, "--checkpoints", &store, "--workers", workers]);
        assert!(said.contains("going on from checkpoint"), "{said}");
        board.is_whole(&format!("at {workers} workers"));
    }
}

#[test]
fn a_job_that_was_stopped_with_savepoints_goes_on_and_loses_nothing() {
    let board = Board::new();
    for (round, workers) in [2, 1, 3].into_iter().enumerate() {
        let running = board.begin(workers);
        if round > 0 {
            board.wait_for_more(board.checkpoints().first().copied());
        }
        let place = board.told(&["stop", "--savepoint", "--checkpoints", "ck"]);
        running.ends_well();
        board.is_unpublished();
        assert!(Path::new(&place).is_dir() && !board.path("ck/.control.sock").exists(), "{place}");
        // It is the last that was kept: the next run goes on from there.
        let number = place.rsplit('/').next().unwrap().parse().ok();
        assert_eq!(board.checkpoints().first().copied(), number);
    }
    board.finish(&["run", "--checkpoints", "ck", "--workers", "2"]);
    board.is_whole("after three stops");
}

#[test]
fn a_savepoint_that_is_the_newest_needs_no_fork() {
    let board = Board::new();
    let running = board.begin(2);
    let place = board.told(&["stop", "--savepoint", "--checkpoints", "ck", "--to", "stopped"]);
    running.ends_well();
    let running = Running(
        board
            .command(&["restore", "--from", &place, "--checkpoints", "ck", "--per-second", "4000"])
            .args(["--checkpoint-every", "50ms"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    board.wait_for(&board.path("ck/.control.sock"));
    board.wait_for_more(board.checkpoints().first().copied());
    running.kill();
    // By now something newer is published.
    board.refused(
        board.command(&["restore", "--from", &place, "--checkpoints", "ck"]),
        &["`--fork`", "without `--from`"],
    );
    board.finish(&["restore", "--from", &place, "--checkpoints", "ck", "--fork", "--workers", "3"]);
    board.is_whole("a fork from a savepoint");
}

#[test]
fn a_job_that_is_drained_publishes_what_it_has_read() {
    let board = Board::new();
    for workers in [1, 3] {
        let running = board.begin(workers);
        board.wait_for_more(board.checkpoints().first().copied());
        assert_eq!(board.told(&["stop", "--drain", "--checkpoints", "ck"]), "");
        // When it is told, the results are there.
        let [hours, carriers] = FILES.map(|file| std::fs::read_to_string(board.out(file)).unwrap());
        running.ends_well();
        // Each row that was read is in both, none of them twice, and only such rows.
        let (hours, carriers) = (counts(&hours, 2), counts(&carriers, 1));
        let [all_hours, all_carriers] = undisturbed();
        for (part, all, key) in [(&hours, all_hours, 2), (&carriers, all_carriers, 1)] {
            let all = counts(all, key);
            assert!(
                part.iter().all(|(key, count)| all.get(key).is_some_and(|most| count <= most)),
                "{workers} workers"
            );
            let (read, most) = (part.values().sum::<u64>(), all.values().sum::<u64>());
            assert!(0 < read && read < most, "{read} of {most} rows were read");
        }
        assert_eq!(hours.values().sum::<u64>(), carriers.values().sum::<u64>(), "{workers} workers");
        // The run has ended, and the next one is a new one.
        board.refused(board.command(&["restore", "--checkpoints", "ck"]), &["there is no checkpoint", "`run`"]);
        FILES.iter().for_each(|file| std::fs::remove_file(board.out(file)).unwrap());
    }
    board.finish(&["run", "--checkpoints", "ck", "--workers", "2"]);
    board.is_whole("a run after a drained one");
}

/// How many departures each line counts, by its first columns.
fn counts(csv: &str, key: usize) -> BTreeMap<String, u64> {
    let line = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        (fields[..key].join(","), fields[key].parse().unwrap())
    };
    csv.lines().skip(1).map(line).collect()
}

#[test]
fn an_older_checkpoint_is_gone_on_from_on_purpose_alone() {
    let board = Board::new();
    // The oldest that is there, and one that is newer and has results.
    let pair = || {
        let list = board.told(&["state", "list", "--checkpoints", "ck"]);
        let newer = list.lines().find(|line| line.contains("committed,"))?;
        let newer: u64 = newer.trim().split_once(':')?.0.parse().ok()?;
        let older = *board.checkpoints().last()?;
        (older < newer).then_some((older, newer))
    };
    let begun = Instant::now();
    let older = loop {
        let running = board.begin(2);
        while pair().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing is committed");
            std::thread::sleep(Duration::from_millis(20));
        }
        running.kill();
        // Not if it was killed while the oldest was being removed, and the newest committed.
        if let Some((older, _)) = pair() {
            break older;
        }
    };
    let there = board.checkpoints();
    let from = |number: u64, more: &[&str]| {
        let mut command = board.command(&["restore", "--checkpoints", "ck", "--from", &number.to_string()]);
        command.args(more);
        command
    };
    board.refused(from(older, &[]), &["results of the newer checkpoint", "are published", "`--fork`"]);
    board.refused(from(77_777, &[]), &["there is no checkpoint 77777", &format!("{older} (epoch")]);
    board.refused(
        board.command(&["restore", "--checkpoints", "ck", "--from", "nowhere"]),
        &["there is no savepoint at `nowhere`", "`state list`"],
    );
    board.refused(board.command(&["restore", "--checkpoints", "empty"]), &["there is no such directory", "empty"]);
    assert!(!board.path("empty").exists());
    // A refusal changes nothing.
    assert_eq!(board.checkpoints(), there);
    let output = from(older, &["--fork"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains(&format!("going on from checkpoint {older} ")), "{said}");
    board.is_whole("a fork");
    board.refused(from(older, &[]), &["has ended", "`--fork`"]);
}

#[test]
fn a_stop_whose_savepoint_cannot_be_written_lets_the_job_run_on() {
    let board = Board::new();
    let running = board.begin(2);
    board.wait_for_more(None);
    // A place that looks empty, and in which no object can be put.
    std::fs::create_dir(board.path("bad")).unwrap();
    std::fs::write(board.path("bad/data"), "a file").unwrap();
    board.tell_refused(&["stop", "--savepoint", "--checkpoints", "ck", "--to", "bad"], &["the job runs on", "bad"]);
    board.tell_refused(&["savepoint", "--checkpoints", "ck", "--to", "bad"], &["bad"]);
    board.told(&["savepoint", "--checkpoints", "ck", "--to", "good"]);
    running.ends_well();
    board.is_whole("a run that was not stopped");
}

#[test]
fn a_restore_that_is_refused_leaves_the_running_job_alone() {
    let board = Board::new();
    let running = board.begin(2);
    board.wait_for_more(None);
    board.refused(
        board.command(&["restore", "--checkpoints", "ck", "--from", "77777"]),
        &["there is no checkpoint 77777"],
    );
    board.told(&["stop", "--savepoint", "--checkpoints", "ck"]);
    running.ends_well();
    board.finish(&["run", "--checkpoints", "ck"]);
    board.is_whole("after a refusal");
}

#[test]
fn whoever_cannot_be_answered_is_told_why() {
    let board = Board::new();
    std::fs::create_dir(board.path("ck")).unwrap();
    board.tell_refused(&["savepoint", "--checkpoints", "ck"], &["no job is running here", "start the job"]);
    board.tell_refused(&["stop", "--drain", "--checkpoints", "nowhere"], &["no such directory", "nowhere"]);
    // A job without checkpoints has a socket if it is given one.
    let running = board.start(1, &["--control", "control"]);
    board.wait_for(&board.path("control"));
    board.tell_refused(&["savepoint", "--control", "control"], &["keeps no checkpoints", "--checkpoints PLACE"]);
    board.tell_refused(&["stop", "--savepoint", "--control", "control"], &["keeps no checkpoints", "stop --drain"]);
    let mut other = program("delay_board");
    other.args(["savepoint", "--control"]).arg(board.path("control"));
    board.refused(other, &["the job that runs here is `ChaosBoard`, not `DelayBoard`"]);
    board.refused(
        board.command(&["run", "--control", "control"]),
        &["another job listens at this control socket", "`--control` of its own"],
    );
    board.told(&["stop", "--drain", "--control", "control"]);
    running.ends_well();
    assert!(board.out(FILES[0]).exists() && !board.path("control").exists());
    // One that was killed.
    let running = board.begin(1);
    board.told(&["savepoint", "--checkpoints", "ck", "--to", "taken"]);
    board.tell_refused(&["savepoint", "--checkpoints", "ck", "--to", "taken"], &["there are checkpoints in", "`--to`"]);
    board.tell_refused(&["savepoint", "--checkpoints", "ck", "--to", "/dev/null/x"], &["/dev/null/x"]);
    running.kill();
    board.tell_refused(&["savepoint", "--checkpoints", "ck"], &["left behind by one that was killed", "start the job"]);
    let running = board.begin(2);
    board.told(&["savepoint", "--checkpoints", "ck"]);
    running.kill();
}

#[test]
fn two_who_ask_at_once_are_both_answered() {
    let board = Board::new();
    let running = board.begin(3);
    let ask = |words: &[&str]| {
        let mut command = program("chaos_board");
        command.args(words).args(["--checkpoints", "ck"]).current_dir(board.folder.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let savepoints = [(); 4].map(|()| ask(&["savepoint"]));
    let stops = [(); 3].map(|()| ask(&["stop", "--savepoint"]));
    let said = |child: Child| {
        let output = child.wait_with_output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(matches!(output.status.code(), Some(0 | 1)), "{err}");
        (output.status.success(), out.trim_end().to_owned(), err)
    };
    let stopped: Vec<_> = stops.map(said).into_iter().collect();
    running.ends_well();
    // One has stopped it; the others are told that somebody did, or that there is no run any more.
    assert_eq!(stopped.iter().filter(|(well, ..)| *well).count(), 1, "{stopped:?}");
    let why = ["somebody else has told", "has ended", "no job is running"];
    for (_, _, err) in stopped.iter().filter(|(well, ..)| !well) {
        assert!(why.iter().any(|why| err.contains(why)), "{err}");
    }
    for (well, place, err) in savepoints.map(said) {
        if well {
            assert!(board.told(&["state", "verify", "--checkpoints", &place]).contains("1 checkpoints"));
        } else {
            assert!(why.iter().any(|why| err.contains(why)) || err.contains("there are checkpoints in"), "{err}");
        }
    }
    board.finish(&["run", "--checkpoints", "ck"]);
    board.is_whole("after many requests");
}

#[test]
fn checkpoints_with_a_long_path_have_a_socket_too() {
    let board = Board::new();
    let long = format!("{0}/{0}/{0}", "d".repeat(60));
    std::fs::create_dir_all(board.path(&long)).unwrap();
    let running = board.start(1, &["--checkpoints", &long, "--checkpoint-every", "50ms"]);
    board.wait_for(&board.path(&long).join(".control.sock"));
    let place = board.told(&["stop", "--savepoint", "--checkpoints", &long]);
    running.ends_well();
    assert!(place.contains(&long));
    board.finish(&["run", "--checkpoints", &long]);
    board.is_whole("with a long path");
}
