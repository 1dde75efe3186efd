//! Which checkpoint is the one to go on from, for logs in every state.

use super::super::entry::{Commit, Finished, Rewind};
use super::super::manifest::{InFlight, Pending, SinkState};
use super::*;

/// A log in short: a letter for each entry, from number 1 on.
///
/// ```text
/// A attempt   C checkpoint with something to commit   c checkpoint without   m committing, M committed: of the checkpoint last before it
/// F finished  0 rewind to the start   2..9 rewind to that number   x damaged   X damaged checkpoint   Y damaged committing
/// _ missing   N of a newer version
/// ```
fn log(letters: &str) -> History {
    let mut checkpoint = 0;
    let mut slots = Vec::new();
    for (number, letter) in (1..).zip(letters.chars()) {
        let commit = Commit { checkpoint, epoch: checkpoint };
        let damaged = |kind| Err(Unreadable::Damaged(kind, "the digest differs".into()));
        let slot = match letter {
            'A' => Ok(Entry::Attempt(Attempt { job: "J".into(), width: 1, plan: 0, params: vec![], time: 0 })),
            'C' | 'c' => {
                checkpoint = number;
                let mut manifest = Manifest::new("J", 1, number);
                if letter == 'C' {
                    let pending = vec![Pending { epoch: 1, worker: 0, bytes: vec![1] }];
                    manifest.sinks.push(SinkState { id: "s".into(), state: vec![], pending });
                }
                Ok(Entry::Checkpoint(Box::new(manifest)))
            }
            'm' => Ok(Entry::Committing(commit)),
            'M' => Ok(Entry::Committed(commit)),
            'F' => Ok(Entry::Finished(Finished { time: 0 })),
            '0' => Ok(Entry::Rewind(Rewind { to: None, why: String::new() })),
            'x' => damaged(None),
            'X' => {
                checkpoint = number;
                damaged(Some(Kind::Checkpoint))
            }
            'Y' => damaged(Some(Kind::Committing)),
            'N' => Err(Unreadable::Other("it has format version 2".into())),
            '_' => continue,
            digit => Ok(Entry::Rewind(Rewind { to: digit.to_digit(10).map(u64::from), why: String::new() })),
        };
        slots.push((number, slot));
    }
    History::of(slots)
}

/// What is decided, in short: `4`, `4 without 6 7*` (`*`: may be committed), `fresh: Nothing`, `refused: ..`.
fn decide(history: &History, damaged: &[u64], take_back: bool) -> String {
    let damaged = damaged.iter().map(|number| (*number, "an object is gone".to_owned())).collect();
    match history.newest(&damaged, take_back) {
        Ok(start) => {
            let from = match (start.from, start.fresh) {
                (Some((number, manifest)), None) => {
                    assert_eq!(manifest.epoch, number);
                    number.to_string()
                }
                (None, Some(fresh)) => format!("fresh: {fresh:?}"),
                other => panic!("{other:?}"),
            };
            let passed: Vec<String> =
                start.passed.iter().map(|p| format!(" {}{}", p.number, if p.committed { "*" } else { "" })).collect();
            if passed.is_empty() { from } else { format!("{from} without{}", passed.concat()) }
        }
        Err(fault) => format!("refused: {fault}"),
    }
}

#[track_caller]
fn decides(letters: &str, expected: &str) {
    assert_eq!(decide(&log(letters), &[], false), expected, "{letters}");
}

#[track_caller]
fn refuses(letters: &str, damaged: &[u64], says: &str) {
    let decided = decide(&log(letters), damaged, false);
    assert!(decided.starts_with("refused: ") && decided.contains(says), "{letters}: {decided}");
    assert!(decided.contains("help:"), "{letters}: {decided}");
}

#[test]
fn without_damage_the_newest_is_the_one() {
    decides("", "fresh: Nothing");
    decides("A", "fresh: Nothing");
    decides("AA", "fresh: Nothing");
    decides("AC", "2");
    decides("ACmM", "2");
    decides("ACmMCmAA", "5");
    decides("ACmMF", "fresh: Finished");
    decides("ACmMFAA", "fresh: Finished");
    decides("ACmMFAC", "7");
    decides("ACmMA0", "fresh: Rewound");
    decides("ACmMA0AC", "8");
    decides("ACmMCmMA2", "2");
    decides("ACmMCmMA2AA", "2");
    decides("ACmMCmMA2C", "10");
    // A number that no rewind could have.
    decides("ACmMA9", "2");
}

#[test]
fn a_damaged_checkpoint_is_passed_over_while_nothing_of_it_was_committed() {
    decides("ACmMX", "2 without 5");
    decides("ACmMXA", "2 without 5");
    decides("ACmMXXA", "2 without 6 5");
    decides("ACmMx", "2 without 5");
    decides("ACmM_A", "2 without 5");
    decides("AX", "fresh: Nothing without 2");
    decides("ACmMFAX", "fresh: Finished without 7");
    assert_eq!(decide(&log("ACmMC"), &[5], false), "2 without 5");
    assert_eq!(decide(&log("ACmMCA"), &[5], false), "2 without 5");
    // There was nothing to commit, so it does not matter what came after it.
    assert_eq!(decide(&log("ACmMcx"), &[5], false), "2 without 6 5");
}

#[test]
fn a_damaged_checkpoint_of_which_something_may_be_committed_is_refused() {
    refuses("ACmMXm", &[], "the newest checkpoint, 5 in here, is damaged: the digest differs");
    refuses("ACmMXM", &[], "may be published already");
    refuses("ACmMXmMA", &[], "may be published already");
    refuses("ACmMCm", &[5], "checkpoint, 5 (epoch 5) in here, is damaged: an object is gone");
    // Whether commits had begun is not known any more.
    refuses("ACmMCY", &[5], "may be published already");
    refuses("ACmMCx", &[5], "may be published already");
    refuses("ACmMXY", &[], "may be published already");
    // Of two that follow each other the first may be an attempt, and the second a rewind.
    refuses("ACmMxx", &[], "It may say");
    refuses("ACmM__A", &[], "It may say");
    // What is damaged is not needed: the checkpoint is whole, and its commits are repeated.
    decides("ACmMCY", "5");
    decides("ACmMCx", "5 without 6");
    decides("ACYMC", "5");
    decides("AXmMC", "5");
}

#[test]
fn sinks_that_can_take_back_what_they_published_let_the_job_go_on() {
    assert_eq!(decide(&log("ACmMXmM"), &[], true), "2 without 5*");
    assert_eq!(decide(&log("ACmMCmMCm"), &[5, 8], true), "2 without 8* 5*");
    assert_eq!(decide(&log("ACmMXYx"), &[], true), "2 without 7 5*");
    // Without a checkpoint they do not know what they have published.
    for (letters, damaged) in [("ACmM", 2), ("ACmMFACm", 7), ("ACmMA0ACmM", 8)] {
        let decided = decide(&log(letters), &[damaged], true);
        assert!(decided.contains("no checkpoint in here can be read"), "{letters}: {decided}");
    }
    assert_eq!(decide(&log("ACmMFAC"), &[7], true), "fresh: Finished without 7");
}

#[test]
fn what_may_be_a_rewind_is_not_passed_over() {
    refuses("ACmMCmMAx", &[], "`log/00000000000000000009` in here cannot be read: the digest differs. It may say");
    refuses("ACmMCmMA_A", &[], "It may say that an older checkpoint");
    refuses("ACmMCmM__A", &[], "It may say that an older checkpoint");
    let kind = |kind| {
        History::of(log("ACmMA").slots.into_iter().chain([(6, Err(Unreadable::Damaged(Some(kind), "x".into())))]))
    };
    assert!(decide(&kind(Kind::Rewind), &[], true).contains("It may say"));
    assert_eq!(decide(&kind(Kind::Checkpoint), &[], false), "2 without 6");
    assert_eq!(decide(&kind(Kind::Attempt), &[], false), "2");
    assert_eq!(decide(&kind(Kind::Finished), &[], false), "2", "the end is reached once more");
    // A damaged first entry can only have been an attempt.
    decides("xC", "2");
}

#[test]
fn if_nothing_can_be_read_and_something_may_be_published_nobody_begins_again() {
    refuses("AX_m", &[], "may be published already");
    refuses("A_A", &[], "no checkpoint in here can be read");
    refuses("ACm", &[2], "may be published already");
    refuses("A___X", &[], "no checkpoint in here can be read");
    decides("AC", "2");
    assert_eq!(decide(&log("AC"), &[2], false), "fresh: Nothing without 2");
}

#[test]
fn another_version_is_no_damage() {
    refuses("ACmMN", &[], "was written by another version of Pelton: it has format version 2");
    decides("ACmNC", "5");
    let mut history = log("AC");
    let mut manifest = Manifest::new("J", 1, 3);
    manifest.in_flight.push(InFlight { edge: "e".into(), sender: 0, target: 0, objects: vec![] });
    history.add(3, Entry::Checkpoint(Box::new(manifest)));
    assert!(decide(&history, &[], true).contains("frames in flight"));
}

#[test]
fn nothing_below_the_floor_is_looked_at() {
    let mut history = log("A_____Cm");
    let Some(Ok(Entry::Checkpoint(manifest))) = history.slots.get_mut(&7) else { panic!("a checkpoint") };
    manifest.floor = 7;
    assert_eq!(history.floor(), 7);
    assert_eq!(history.missing().count(), 0);
    assert_eq!(decide(&history, &[], false), "7");
    assert!(decide(&history, &[7], false).contains("may be published already"));
    assert!(history.checkpoint(2).unwrap_err().to_string().contains("there are 7 (epoch 7)"));
}

#[test]
fn the_chain_leads_through_rewinds() {
    assert_eq!(log("ACmMCmMA2C").chain(), [10, 2]);
    assert_eq!(log("ACmMCmMA0C").chain(), [10]);
    assert_eq!(log("ACCC").chain(), [4, 3, 2]);
    assert_eq!(log("ACCFAC").chain(), [6]);
    assert_eq!(log("ACCFAC").valid(), [6, 3, 2]);
    // To what was abandoned before.
    assert_eq!(log("ACCA2CA3").chain(), [3, 2]);
}

/// Every log of up to six entries: it is decided somehow, and a checkpoint of which something is committed is never passed over
/// by a job whose sinks cannot take it back.
#[test]
fn no_log_makes_a_job_publish_twice() {
    let letters: Vec<char> = "ACcmF02xX_".chars().collect();
    for length in 1..=6u32 {
        for n in 0..letters.len().pow(length - 1) {
            let mut rest = n;
            let mut text = String::from("A");
            for _ in 1..length {
                text.push(letters[rest % letters.len()]);
                rest /= letters.len();
            }
            let history = log(&text);
            let commits = history.commits();
            if let Ok(start) = history.newest(&BTreeMap::new(), false) {
                assert!(
                    start.passed.iter().all(|passed| !passed.committed && !commits.contains(&passed.number)),
                    "{text}"
                );
                assert_eq!(start.from.is_none(), start.fresh.is_some(), "{text}");
            }
        }
    }
}
