//! A job as a value: its params, its plan, and what a panic in its closures says.

use pelton::job::Job;
use pelton::prelude::*;
use pelton::{Config, Error};
use std::path::PathBuf;
use std::sync::Arc;

/// A type that no flag can give.
#[derive(Clone)]
struct Opaque(u64);

pelton::stream! {
    /// Counts what is there.
    ///
    /// Per key.
    job Board<Memory> {
        /// Where it
        /// comes from.
        param input: PathBuf = "in.csv";
        param out: Option<PathBuf>;
        param least: u64 = 2 + 3;
        param name_of_it: String;
        param data: Arc<[u64]> = Arc::from([1, 2, 3]);
        param opaque: Opaque = Opaque(7);

        source numbers: u64 = rows(data), event_time |x| Timestamp::from_millis(*x as i64), late_by 1h;
        let big = numbers.filter(|x| *x + least >= opaque.0 && input.exists() | true && out.is_none() | true);
        let per = big.key_by(|x| x % 3).window(tumbling 1h, allow_late 5min, refire).aggregate((count(), sum(|x| *x)));
        let texts: (u64, String) = per.map(|w| (w.key, format!("{name_of_it} {:?}", w.value)));
        sink all(texts) = collect();
        let other: (u64, String) = numbers.map(|x| (x, String::new()));
        sink rest(other) = collect();
        drop per.late;
    }
}

#[test]
fn params_are_flags() {
    let params = Board::params();
    let shown: Vec<_> = params.iter().map(|p| (p.name, p.ty, p.default, p.optional)).collect();
    assert_eq!(
        shown,
        [
            ("input", "PathBuf", Some("in.csv"), false),
            ("out", "PathBuf", None, true),
            ("least", "u64", Some("2 + 3"), false),
            ("name_of_it", "String", None, false),
            ("data", "Arc<[u64]>", Some("Arc::from([1, 2, 3])"), false),
            ("opaque", "Opaque", Some("Opaque(7)"), false),
        ]
    );
    assert_eq!(params[0].help, "Where it comes from.");
    assert_eq!((Board::NAME, Board::ABOUT), ("Board", "Counts what is there.\n\nPer key."));
}

#[test]
fn the_plan_shows_chains_and_edges() {
    let board = Board {
        input: PathBuf::new(),
        out: None,
        least: 5,
        name_of_it: "n".into(),
        data: Arc::from([]),
        opaque: Opaque(0),
    };
    let plan = board.plan(&Config::default().workers(2)).unwrap();
    let chains: Vec<Vec<(&str, &str)>> =
        plan.chains.iter().map(|c| c.operators.iter().map(|o| (&*o.what, &*o.name)).collect()).collect();
    assert_eq!(
        chains[0][1..],
        [("filter", "big"), ("key_by", ""), ("aggregate (count, sum)", ""), ("map", "other"), ("collect", "rest"),]
    );
    assert_eq!(
        chains[1],
        [("window tumbling 1h, allow_late 5min, refire", "per"), ("map", "texts"), ("collect", "all")]
    );
    let edge = &plan.edges[0];
    assert_eq!((&*edge.because, &*edge.key, edge.timed, edge.combined), ("key_by", "u64", true, true));
    assert_eq!(plan.dropped, ["per.late"]);
    let summary = board.run_job(Config::default().workers(1)).unwrap();
    assert_eq!(summary.records_in, 0);
}

pelton::stream! {
    job Panics<Memory> {
        param data: Arc<[u64]>;
        param in_closure: u64;
        param in_iterator: u64;

        source numbers: u64 = rows(data);
        let parts = numbers.flat_map(|x| (0..3).map(move |y| { assert!(x + y != in_iterator, "in the iterator"); x + y }));
        let mapped = parts.map(|x| { assert!(x != in_closure, "in the closure"); x });
        let sums: (u64, u64) = mapped.key_by(|x| x % 2).reduce(|a, b| { assert!(b < 1000, "in the reduce"); a + b }, emit at_end, unbounded("few keys"));
        sink out(sums) = collect();
    }
}

#[track_caller]
fn panics_at(data: &[u64], in_closure: u64, in_iterator: u64, operator: &str, message: &str) {
    let job = Panics { data: data.into(), in_closure, in_iterator };
    let Err(Error::Panic { operator: found, message: said, location, .. }) = job.run(Config::default().workers(2))
    else {
        unreachable!("the job panics")
    };
    assert!(found.contains(operator), "{found} at {location}");
    assert!(said.contains(message), "{said}");
    assert!(location.contains("stream_job.rs"), "{location}");
}

#[test]
fn a_panic_names_its_operator() {
    panics_at(&[1, 2, 30], 31, 999, "mapped", "in the closure");
    // the second turn of the loop, when a later operator has run in between
    panics_at(&[1, 2, 30], 999, 31, "parts", "in the iterator");
    panics_at(&[1, 2, 3000], 999, 999, "sums", "in the reduce");
}
