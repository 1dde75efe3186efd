//! Collected rows: visible when committed, by worker, then in the order of arrival.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use pelton::sink::{Accepts, Collected, Prepared, Sink, SinkContext, Writer, collect};

fn context(worker: usize, part: usize) -> SinkContext {
    SinkContext {
        name: "all".into(),
        worker,
        workers: 3,
        part,
        attempt: 1,
        resumable: false,
        log: None,
        published: false,
    }
}

#[test]
fn rows_are_visible_once_they_are_committed() {
    let all = Collected::<String>::new();
    let mut committer = collect(&all).committer(&context(0, 0), None).unwrap();
    // Two writers on one worker: two streams into one sink.
    let mut writers: Vec<_> =
        [(2, 0), (0, 0), (0, 1)].map(|(w, part)| (w, collect(&all).writer(&context(w, part)).unwrap())).into();
    let mut epoch = |number: u64, rows: [&str; 3]| -> Vec<(usize, Prepared)> {
        let mut prepared = Vec::new();
        for ((worker, writer), row) in writers.iter_mut().zip(rows) {
            if !row.is_empty() {
                writer.write(row).unwrap();
            }
            prepared.extend(writer.prepare(number).unwrap().map(|p| (*worker, p)));
        }
        prepared
    };
    let first = epoch(1, ["c1", "a1", "b1"]);
    assert_eq!(first.len(), 3);
    let second = epoch(2, ["c2", "", "b2"]);
    assert_eq!(second.len(), 2);
    assert_eq!(all.take(), [""; 0], "visible before it was committed");
    committer.commit(1, first.clone()).unwrap();
    committer.commit(1, first).unwrap();
    let same = all.clone();
    committer.commit(2, second).unwrap();
    committer.finish().unwrap();
    assert_eq!(same.take(), ["a1", "b1", "b2", "c1", "c2"]);
    assert_eq!(all.take(), [""; 0]);
}

#[test]
fn what_is_aborted_is_gone() {
    let all = Collected::<u64>::new();
    let mut committer = collect(&all).committer(&context(0, 0), None).unwrap();
    let mut writer = collect(&all).writer(&context(0, 0)).unwrap();
    writer.write(1u64).unwrap();
    let prepared = writer.prepare(1).unwrap().unwrap();
    committer.abort();
    committer.commit(1, vec![(0, prepared)]).unwrap();
    assert_eq!(all.take(), [0u64; 0]);
    assert!(committer.commit(2, vec![(0, Prepared(vec![1]))]).is_err());
}
