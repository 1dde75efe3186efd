//! A watch over runs that hang: the test fails instead of standing still.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Runs `work` on a thread of its own and fails if it takes longer than `limit`. Gives back how long it took.
#[track_caller]
pub fn within<X: Send + 'static>(limit: Duration, work: impl FnOnce() -> X + Send + 'static) -> (X, Duration) {
    let (to, from) = channel();
    let begun = Instant::now();
    let thread = std::thread::spawn(move || {
        let _ = to.send(work());
    });
    match from.recv_timeout(limit) {
        Ok(done) => (done, begun.elapsed()),
        Err(RecvTimeoutError::Timeout) => panic!("it hangs: no end after {limit:?}"),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => panic!("the thread ended without a word"),
        },
    }
}

/// [`within`] a minute: for tests that only must not hang.
#[track_caller]
pub fn within_a_minute<X: Send + 'static>(work: impl FnOnce() -> X + Send + 'static) -> X {
    within(Duration::from_secs(60), work).0
}
