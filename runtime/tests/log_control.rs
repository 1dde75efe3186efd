//! A job over an endless topic that is told things while records come: it is stopped with savepoints and goes on at other widths,
//! and in the end it is drained. Each record goes out once.

#![cfg(all(feature = "log", unix))]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]
mod log_kit;

use log_kit::{Folder, values};
use pelton::connect::log::{Log, NewRecord};
use pelton::prelude::*;
use std::path::Path;
use std::time::{Duration, Instant};

stream! {
    job Forward<Memory> {
        param path: PathBuf;
        source texts: String = log(path).topic("in").text();
        let kept = texts.key_by(|t| t.len()).process {
            state seen: Value<u64>, unbounded("one per length");
            on event(t, cx) {
                let n = seen.take().unwrap_or(0) + 1;
                seen.set(n);
                cx.emit(format!("{t} is number {n}"));
            }
        };
        sink out(kept) = log(path).topic("out").text();
    }
}

/// Tells the job at a socket something, as its binary does; whether it has done it.
fn told(words: &[&str], socket: &Path) -> bool {
    let args = [&["forward"], words, &["--control", socket.to_str().unwrap()]].concat();
    let code = pelton::__private::main_from::<Forward>(args.into_iter().map(Into::into));
    format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS)
}

#[track_caller]
fn until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_endless_job_is_stopped_and_goes_on_and_is_drained_and_gives_each_record_once() {
    let folder = Folder::new();
    let (path, socket) = (folder.path().join("texts.log"), folder.path().join("control"));
    let log = Log::open(&path).unwrap();
    let topic = log.create_topic("in", 1).unwrap();
    let mut sent = 0u64;
    let mut send = || {
        // Of some lengths, so that each of them is counted over all runs.
        let texts: Vec<String> = (sent..sent + 40).map(|n| format!("{:01$}", n, 4 + n as usize % 3)).collect();
        topic.append(texts.iter().map(|text| NewRecord::new(text.as_bytes()))).unwrap();
        sent += 40;
        sent
    };
    let out = || log.topic("out").map_or(0, |out| values(&out, 0).len() as u64);
    let rounds = 5;
    for round in 1..=rounds {
        let config = Config::default()
            .workers(1 + round % 3)
            .checkpoints(folder.path().join("ck").to_str().unwrap())
            .checkpoint_every(Duration::from_millis(20))
            .control(&socket);
        let job = Forward { path: path.clone() };
        let running = std::thread::spawn(move || job.run(config).unwrap().summary);
        until("it listens", || socket.exists());
        let all = send();
        if round < rounds {
            // Some of it may be read by now, and some of that committed.
            assert!(told(&["savepoint", "--to", folder.path().join(format!("at-{round}")).to_str().unwrap()], &socket));
            send();
            assert!(told(&["stop", "--savepoint"], &socket));
            assert!(running.join().unwrap().stopped);
        } else {
            until("it forwards all", || out() >= all);
            assert!(told(&["stop", "--drain"], &socket));
            assert!(!running.join().unwrap().stopped);
        }
        assert!(!socket.exists());
    }
    assert!(!told(&["stop", "--drain"], &socket), "there is no run any more");
    let mut found = values(&log.topic("out").unwrap(), 0);
    found.sort();
    let mut expected: Vec<String> =
        (0..sent).map(|n| format!("{:01$} is number {2}", n, 4 + n as usize % 3, n / 3 + 1)).collect();
    expected.sort();
    assert_eq!(found.len(), expected.len());
    assert!(found == expected);
    assert_eq!(log.unresolved("out/out").unwrap(), []);
}
