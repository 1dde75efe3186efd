//! A panic in the expression of a source or a sink is an error that names it, with the place of the panic: while the job is looked at, and on
//! a worker.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use pelton::prelude::*;
use pelton::{Error, Restart};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Panics when it is called for the nth time.
fn trip(calls: &AtomicU32, nth: u32, what: &str) {
    assert!(calls.fetch_add(1, Ordering::SeqCst) + 1 != nth, "no {what}");
}

stream! {
    job Trips<Memory> {
        param calls: Arc<AtomicU32>;
        param nth: u32;

        source numbers: u64 = { trip(&calls, nth, "numbers"); rows(vec![1, 2, 3]) }, rate 1M/s;
        let found: u64 = numbers.inspect(|_| ());
        sink shown(found) = { trip(&calls, nth, "terminal"); null() };
        sink all(found) = collect();
    }
    job Looks<Memory> {
        resource name: String = "in.csv".to_owned();
        source lines_of: &str = lines(name.as_str());
        sink nowhere(lines_of) = null();
    }
}

/// The place of the panic in `trip`, as messages have it.
fn place() -> String {
    let line = 1 + include_str!("connector_panics.rs").lines().position(|line| line.contains("assert!(calls")).unwrap();
    format!("\n  at {}, line {line}, column 5", file!())
}

fn run(nth: u32, config: Config) -> (Result<Vec<u64>, String>, u32) {
    let calls = Arc::new(AtomicU32::new(0));
    let result = Trips { calls: calls.clone(), nth }.run(config);
    (result.map(|results| results.all).map_err(|e| e.to_string()), calls.load(Ordering::SeqCst))
}

#[test]
fn a_panic_names_the_source_or_the_sink() {
    let one = || Config::default().workers(1);
    // sinks are made first, then sources; first to look at the job, then by the worker
    for (nth, said) in [
        (1, "sink `shown`: its expression panicked: no terminal"),
        (2, "source `numbers`: its expression panicked: no numbers"),
        (3, "sink `shown`: its expression panicked: no terminal"),
        (4, "source `numbers`: its expression panicked: no numbers"),
    ] {
        let (result, calls) = run(nth, one());
        assert_eq!((result, calls), (Err(format!("{said}{}", place())), nth));
    }
    assert_eq!(run(99, one()), (Ok(vec![1, 2, 3]), 4));
    let calls = Arc::default();
    let error = Trips { calls, nth: 2 }.plan(&one()).unwrap_err();
    assert!(matches!(error, Error::Source { ref name, .. } if name == "numbers"), "{error}");
}

#[test]
fn another_attempt_makes_it_anew() {
    let restart = Restart::Fixed { pause: Duration::from_millis(1), at_most: 3 };
    let config = || Config::default().workers(1).checkpoints("memory://connector-panics").restart(restart);
    assert_eq!(run(3, config()), (Ok(vec![1, 2, 3]), 5));
}

#[test]
fn a_resource_is_not_there_while_the_job_is_looked_at() {
    let error = Looks {}.run(Config::default().workers(1)).unwrap_err();
    assert!(matches!(error, Error::Source { ref name, .. } if name == "lines_of"), "{error}");
    let said = error.to_string();
    assert!(said.contains("its expression panicked: it looks at the resource `name`"), "{said}");
    assert!(said.contains(&Path::new("connector_panics.rs").display().to_string()), "{said}");
}
