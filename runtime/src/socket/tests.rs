//! Asking and answering over sockets of every kind.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use super::message::{receive, send};
use super::*;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

/// A directory that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("pelton-socket-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }
    fn names(&self) -> Vec<String> {
        let names = std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn request(what: What) -> Request {
    Request { job: "Board".into(), what }
}

/// Answers with the name of the job and what was asked for.
fn echo(name: &'static str) -> Arc<Serve> {
    Arc::new(move |request| Reply::Refused { what: format!("{name}: {:?}", request.what), help: Some(request.job) })
}

fn said(reply: Reply) -> String {
    match reply {
        Reply::Refused { what, .. } => what,
        other => format!("{other:?}"),
    }
}

#[test]
fn every_message_reads_back_and_a_cut_one_does_not() {
    let requests = [What::Savepoint(None), What::StopWithSavepoint(Some("a place\n".into())), What::Drain].map(request);
    let replies = [
        Reply::Savepoint { place: "x".into(), epoch: u64::MAX, bytes: 7 },
        Reply::Drained,
        Reply::from(Fault::new("no").help("yes")),
    ];
    for request in requests {
        let mut bytes = Vec::new();
        send(&mut bytes, &request).unwrap();
        assert_eq!(receive::<Request>(&mut &bytes[..]).unwrap(), Some(request));
        for cut in 1..bytes.len() {
            assert!(receive::<Request>(&mut &bytes[..cut]).is_err(), "{cut} bytes");
        }
        assert_eq!(receive::<Request>(&mut &bytes[..0]).unwrap(), None);
        for (at, to) in [(0, 0), (8, 9), (13, 0xff)] {
            let mut wrong = bytes.clone();
            wrong[at] = to;
            assert!(receive::<Request>(&mut &wrong[..]).is_err(), "byte {at}");
        }
    }
    for reply in replies {
        let mut bytes = Vec::new();
        send(&mut bytes, &reply).unwrap();
        assert_eq!(receive::<Reply>(&mut &bytes[..]).unwrap(), Some(reply));
    }
    assert!(send(&mut Vec::new(), &request(What::Savepoint(Some("x".repeat(70_000))))).is_err());
}

#[test]
fn a_job_answers_at_a_short_path_and_at_one_that_is_too_long_for_a_socket() {
    let folder = Folder::new();
    let long = folder.0.join("d".repeat(90)).join("e".repeat(90));
    std::fs::create_dir_all(&long).unwrap();
    for path in [beside(&folder.0), beside(&long)] {
        let listener = listen(&path, true, echo("one")).unwrap();
        let real = path.read_link().ok();
        assert_eq!(real.is_some(), path.starts_with(&long), "{}", path.display());
        assert_eq!(said(ask(&path, &request(What::Drain)).unwrap()), "one: Drain");
        drop(listener);
        assert!(path.symlink_metadata().is_err(), "{} is left behind", path.display());
        assert!(real.is_none_or(|real| !real.exists() && !real.parent().unwrap().exists()));
        let fault = ask(&path, &request(What::Drain)).unwrap_err();
        assert!(fault.what.contains("there is no control socket"), "{fault}");
    }
}

#[test]
fn a_socket_of_a_process_that_was_killed_is_told_and_replaced() {
    let folder = Folder::new();
    let long = folder.0.join("d".repeat(120));
    std::fs::create_dir_all(&long).unwrap();
    for directory in [&folder.0, &long] {
        let path = beside(directory);
        let left = place::bind(&path, true).unwrap();
        let real = path.read_link().unwrap_or(path.clone());
        // The process ends, and nothing in it runs any more.
        drop(left.0);
        std::mem::forget(left.1);
        let fault = ask(&path, &request(What::Drain)).unwrap_err();
        assert!(fault.what.contains("left behind by one that was killed"), "{fault}");
        assert!(fault.help.unwrap().contains("start the job"));
        let listener = listen(&path, true, echo("next")).unwrap();
        assert_eq!(said(ask(&path, &request(What::Drain)).unwrap()), "next: Drain");
        assert!(real == path || !real.parent().unwrap().exists(), "its private directory is left behind");
        drop(listener);
    }
    assert_eq!(folder.names(), ["d".repeat(120)]);
}

#[test]
fn another_file_is_left_alone_and_another_job_too() {
    let folder = Folder::new();
    let path = folder.0.join("control");
    std::fs::write(&path, "mine").unwrap();
    assert!(listen(&path, true, echo("one")).is_err_and(|fault| fault.what.contains("something else")));
    assert!(listen(&path, false, echo("one")).is_err_and(|fault| fault.what.contains("something else")));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    assert!(ask(&path, &request(What::Drain)).is_err_and(|fault| fault.what.contains("no control socket")));
    std::fs::remove_file(&path).unwrap();
    let first = listen(&path, true, echo("first")).unwrap();
    assert!(listen(&path, true, echo("second")).is_err_and(|fault| fault.what.contains("another job listens")));
    // Beside checkpoints whoever has taken them over is the one to be asked; the other removes nothing when it ends.
    let second = listen(&path, false, echo("second")).unwrap();
    assert_eq!(said(ask(&path, &request(What::Drain)).unwrap()), "second: Drain");
    drop(first);
    assert_eq!(said(ask(&path, &request(What::Drain)).unwrap()), "second: Drain");
    drop(second);
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn several_ask_at_once_and_strangers_harm_nobody() {
    let folder = Folder::new();
    let path = beside(&folder.0);
    // Each waits for the other: they are answered side by side.
    let together = Arc::new(Barrier::new(2));
    let waits = together.clone();
    let serve: Arc<Serve> = Arc::new(move |request| {
        waits.wait();
        Reply::Refused { what: format!("{:?}", request.what), help: None }
    });
    let listener = listen(&path, true, serve).unwrap();
    let mut stranger = UnixStream::connect(&path).unwrap();
    stranger.write_all(b"GET / HTTP/1.1").unwrap();
    drop(UnixStream::connect(&path).unwrap());
    std::thread::scope(|scope| {
        let asked = [What::Drain, What::Savepoint(None)].map(|what| {
            let path = &path;
            scope.spawn(move || said(ask(path, &request(what)).unwrap()))
        });
        let said = asked.map(|thread| thread.join().unwrap());
        assert_eq!(said, ["Drain", "Savepoint(None)"]);
    });
    let mut told = Vec::new();
    stranger.read_to_end(&mut told).unwrap();
    let reply = said(receive::<Reply>(&mut &told[..]).unwrap().unwrap());
    assert!(reply.contains("no job of Pelton's"), "{reply}");
    drop(listener);
}

#[test]
fn a_job_that_ends_without_an_answer_is_told() {
    let folder = Folder::new();
    let path = beside(&folder.0);
    let listener = UnixListener::bind(&path).unwrap();
    let ended = std::thread::spawn(move || drop(listener.accept().unwrap()));
    let fault = ask(&path, &request(What::Drain)).unwrap_err();
    assert!(fault.what.contains("did not answer before"), "{fault}");
    ended.join().unwrap();
}
