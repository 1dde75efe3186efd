//! What `delay_board` has stored, in whatever version, can be read today: the test that `docs/evolution.md` asks of each job with a lock.

#![allow(missing_docs, clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../delay_board.rs"]
#[allow(dead_code, reason = "the job alone is looked at")]
mod delay_board;

use delay_board::DelayBoard;

#[test]
fn stored_state_can_be_read() {
    let job = DelayBoard { departures: "any".into(), out: None };
    let report = job.check_lock().unwrap();
    assert_eq!((report.versions, report.states), (2, 1));
    assert!(report.values > 20, "{report:?}");
}
